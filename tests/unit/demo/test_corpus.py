"""The demo's input is shared out evenly, and counted as the guests count it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from zerocloud.demo import corpus


@given(st.lists(st.integers(1, 1000), min_size=20, max_size=100), st.integers(1, 16))
def test_every_file_is_dealt_once_and_the_parts_are_close(sizes: list[int], parts: int) -> None:
    files = [(Path(f"f{number}"), size) for number, size in enumerate(sorted(sizes, reverse=True))]
    shares = corpus.deal(files, parts)
    assert sorted(path for share in shares for path in share) == sorted(path for path, _ in files)
    totals = [sum(dict(files)[path] for path in share) for share in shares]
    assert max(totals) - min(totals) <= max(sizes)


def test_words_are_runs_of_ascii_letters_in_lower_case() -> None:
    words = corpus.count([b"The the x86_64 na\xc3\xafve", b"THE"])
    assert corpus.top(words, 3) == [("the", 3), ("na", 1), ("ve", 1)]


def test_a_word_too_long_goes_on_as_the_next_one() -> None:
    assert sorted(map(len, corpus.count([b"a" * 300]))) == [45, 255]


def test_the_library_has_source() -> None:
    files = corpus.source_files()
    assert files
    assert sum(size for _, size in files) <= corpus.LARGEST
