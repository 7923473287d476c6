import io
import os
import tarfile
import tempfile
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.objectquery.collect import Written, collect, story
from zerocloud.objectquery.outputs import Output, OutputStream, record_name
from zerocloud.wire import STORY_MEMBER, ChannelDescription


def file_of(data, stack):
    file = stack.enter_context(io.FileIO(os.memfd_create("output"), "r+"))
    file.write(data)
    return file


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\n\r"), min_size=1, max_size=120)
HEADERS = st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z-]{0,30}", fullmatch=True), TEXT, max_size=4)


@given(st.lists(st.tuples(st.binary(max_size=3000), HEADERS), max_size=4))
def test_any_tar_reader_reads_the_answer(members):
    with ExitStack() as stack:
        outputs = tuple(Output(f"d{at}", file_of(data, stack), 0, len(data), head) for at, (data, head) in enumerate(members))
        stream = OutputStream(outputs, lambda: None)
        whole = b"".join(stream)
    assert stream.length == len(whole)
    with tarfile.open(fileobj=io.BytesIO(whole + bytes(1024))) as tar:
        found = tar.getmembers()
        assert [tar.extractfile(member).read() for member in found] == [data for data, _ in members]
        for member, (_, headers) in zip(found, members, strict=True):
            assert {record_name(name): value for name, value in headers.items()}.items() <= member.pax_headers.items()
            assert member.pax_headers["X-Zerovm-Device"] == member.name


@pytest.mark.parametrize(
    "name", ["size", "path", "linkpath", "mtime", "uid", "GNU.sparse.major", "GNU.sparse.map", "hdrcharset"]
)
def test_a_programs_headers_never_steer_the_archive(stack, name):
    evil = Output("stdout", file_of(b"x" * 600, stack), 0, 600, {name: "0"})
    stream = OutputStream((evil, Output("other", file_of(b"y", stack), 0, 1)), lambda: None)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream) + bytes(1024))) as tar:
        assert [(member.name, member.size) for member in tar] == [("stdout", 600), ("other", 1)]


def test_a_large_output_is_sent_in_small_pieces():
    with tempfile.TemporaryFile(buffering=0) as file:
        file.truncate(5 << 30)
        stream = OutputStream((Output("output", file, 0, 5 << 30),), lambda: None)
        parts = iter(stream)
        assert len(next(parts)) == 1536
        assert len(next(parts)) == 65536
        assert stream.length == (5 << 30) + 1536


def test_an_answer_releases_its_files_once_closed(stack):
    closed = []
    stream = OutputStream((Output("a", file_of(b"x" * 70000, stack), 0, 70000),), lambda: closed.append(True))
    next(iter(stream))
    assert not closed
    stream.close()
    assert closed == [True]


def written(stack, device, data, path=None, **more):
    return Written(ChannelDescription(device, 2, path, **more), file_of(data, stack))


def test_outputs_with_a_path_come_first_and_in_reverse(stack):
    outputs = collect(
        [
            written(stack, "stdout", b"1"),
            written(stack, "output", b"2", "swift://a/c/1"),
            written(stack, "stderr", b"3"),
            written(stack, "other", b"4", "swift://a/c/2"),
        ],
        warn=pytest.fail,
    )
    assert [output.device for output in outputs] == ["other", "output", "stdout", "stderr"]


def test_small_outputs_are_left_out(stack):
    outputs = collect(
        [written(stack, "stdout", b"123", min_size=4), written(stack, "output", b"1234", min_size=4)], pytest.fail
    )
    assert [output.device for output in outputs] == ["output"]


def test_headers_of_a_message_become_records(stack):
    message = b"HTTP/1.1 201 Made\r\nContent-Type: image/png\r\nX-Object-Meta-Width: 7\r\n\r\npng"
    (output,) = collect([written(stack, "stdout", message, content_type="message/http")], pytest.fail)
    assert (output.start, output.size) == (len(message) - 3, 3)
    assert output.headers == {
        "Content-Type": "image/png",
        "Status": "201 Made",
        "X-Object-Meta-Width": "7",
    }


def test_min_size_counts_the_message_body(stack):
    message = b"A: b\n\n123"
    assert collect([written(stack, "stdout", message, content_type="message/cgi", min_size=4)], pytest.fail) == ()


def test_what_is_no_message_is_sent_whole_with_a_warning(stack):
    warnings = []
    (output,) = collect([written(stack, "stdout", b"plain", content_type="message/cgi")], warnings.append)
    assert (output.start, output.size, output.headers) == (0, 5, {"Content-Type": "message/cgi"})
    assert "stdout" in warnings[0]


def test_the_story_is_the_end_of_what_was_said(stack):
    assert story(file_of(b"", stack)) is None
    output = story(file_of(b"a" * 100000 + b"the end", stack))
    assert (output.device, output.size) == (STORY_MEMBER, 65536)
    assert b"".join(output.chunks()).endswith(b"the end")
