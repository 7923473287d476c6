from hypothesis import given
from hypothesis import strategies as st

from zerocloud.local.listing import Entry, Page, page

NAMES = ["a", "a/1", "a/2", "b", "b/x/1", "ä", "z"]
ENTRIES = [Entry(name, 1, 0.0) for name in sorted(NAMES, key=str.encode)]


def names(**wanted):
    return [one if isinstance(one, str) else one.name for one in page(ENTRIES, Page(**wanted))]


def test_order_is_that_of_bytes():
    assert names() == sorted(NAMES, key=str.encode)


def test_a_part_of_it():
    assert names(prefix="a/") == ["a/1", "a/2"]
    assert names(marker="b") == ["b/x/1", "z", "ä"]
    assert names(end_marker="b") == ["a", "a/1", "a/2"]
    assert names(limit=2) == ["a", "a/1"]


def test_what_is_below_a_delimiter_is_one():
    assert names(delimiter="/") == ["a", "a/", "b", "b/", "z", "ä"]
    assert names(delimiter="/", prefix="b/") == ["b/x/"]
    assert names(delimiter="/", marker="a/") == ["b", "b/", "z", "ä"]


@given(st.lists(st.text("ab/é", min_size=1, max_size=4), unique=True), st.integers(1, 3), st.sampled_from(["", "/"]))
def test_pages_make_the_whole(all_names, limit, delimiter):
    entries = [Entry(name, 1, 0.0) for name in sorted(all_names, key=str.encode)]

    def told(**wanted):
        found = page(entries, Page(delimiter=delimiter, **wanted))
        return [one if isinstance(one, str) else one.name for one in found]

    whole, marker = [], ""
    while part := told(limit=limit, marker=marker):
        whole += part
        marker = part[-1]
    assert whole == told()
