"""Tar streams out and in, and the spool between them."""

import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swift.common.concurrency import sleep, spawn

from zerocloud.proxyquery.answer import Answer, AnswerError, TimedReader
from zerocloud.proxyquery.spool import Spool, SpoolFull
from zerocloud.proxyquery.tarstream import LengthError, Member, stream, stream_length

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=300).filter(
    lambda name: name.strip(".")
)


def members_of(data):
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|") as archive:
        return [(member.name, archive.extractfile(member).read()) for member in archive]


@given(st.lists(st.tuples(NAMES, st.binary(max_size=2000)), max_size=5))
def test_a_stream_has_the_length_that_was_announced_and_reads_back(files):
    members = [Member.of_bytes(name, data) for name, data in files]
    data = b"".join(stream(members))
    assert len(data) == stream_length(members)
    assert members_of(data) == files if files else data == b""


@pytest.mark.parametrize("pieces", [[b"12345"], [b"1234567"], [b"123456", b"7"], []])
def test_a_content_of_another_length_breaks_the_stream_before_it_is_wrong(pieces):
    member = Member("boot", 6, lambda: pieces)
    sent = []
    with pytest.raises(LengthError, match="boot"):
        sent.extend(stream([member]))
    assert sum(map(len, sent)) < stream_length([member])


def test_a_content_is_not_asked_for_before_its_turn():
    asked = []

    def content(name):
        asked.append(name)
        return [b"x"]

    pieces = stream([Member("a", 1, lambda: content("a")), Member("b", 1, lambda: content("b"))])
    next(pieces)
    assert asked == []
    next(pieces)
    assert asked == ["a"]


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=50)), max_size=30), st.integers(1, 20), st.integers(0, 100))
def test_segments_grow_side_by_side(writes, chunk_size, memory):
    with Spool(memory, None, chunk_size, 1 << 20) as spool:
        segments, expected = [spool.segment() for _ in range(3)], [b"", b"", b""]
        for index, data in writes:
            segments[index].append(data)
            expected[index] += data
        for segment, data in zip(segments, expected, strict=True):
            assert segment.size == len(data)
            assert b"".join(segment.chunks()) == data
            assert b"".join(segment.chunks(len(data) // 2)) == data[len(data) // 2 :]
            reader = segment.reader()
            assert b"".join(iter(lambda reader=reader: reader.read(7), b"")) == data


def test_a_spool_is_in_memory_until_it_is_large_and_never_has_a_name(tmp_path):
    with Spool(1000, str(tmp_path), 100, 1 << 20) as spool:
        segment = spool.segment()
        before = len(os.listdir("/proc/self/fd"))
        segment.append(b"x" * 1000)
        assert len(os.listdir("/proc/self/fd")) == before
        segment.append(b"x")
        assert len(os.listdir("/proc/self/fd")) == before + 1
        assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_spool_has_a_limit_and_tells_it():
    with Spool(1000, None, 100, 50) as spool:
        segment = spool.segment()
        segment.append(b"x" * 50)
        with pytest.raises(SpoolFull, match="50"):
            segment.append(b"x")


def tar(*members):
    stream = io.BytesIO()
    for name, data, records in members:
        member = tarfile.TarInfo(name)
        member.size, member.pax_headers = len(data), records
        stream.write(member.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512))
    return stream.getvalue()


def read(data):
    return [b"".join(member.chunks) for member in Answer(io.BytesIO(data), 1000).members()]


def test_an_answer_is_read_member_by_member_whatever_is_skipped():
    data = tar(("stdout", b"a" * 3000, {"X": "é"}), ("stderr", b"", {}), ("output", b"c", {}))
    found = []
    for member in Answer(io.BytesIO(data), 1000).members():
        found.append((member.device, member.size, member.headers.get("X")))
        if member.device == "output":
            assert b"".join(member.chunks) == b"c"
    assert found == [("stdout", 3000, "é"), ("stderr", 0, None), ("output", 1, None)]


def test_an_answer_can_be_held_and_read_later():
    data = tar(("stdout", b"a" * 3000, {}))
    with Spool(10, None, 100, 1 << 20) as spool:
        answer = Answer(io.BytesIO(data), 1000)
        answer.hold(spool)
        assert [b"".join(member.chunks) for member in answer.members()] == [b"a" * 3000]


def test_an_empty_answer_has_no_members():
    assert list(Answer(io.BytesIO(b""), 10).members()) == []


@pytest.mark.parametrize("cut", [100, 511, 512, 600, 1500])
def test_an_answer_cut_short_is_an_error(cut):
    data = tar(("stdout", b"a" * 3000, {}))[:cut]
    with pytest.raises(AnswerError):
        read(data)


@given(st.binary(min_size=1, max_size=3000))
def test_garbage_is_an_error_or_nothing_at_all(data):
    try:
        read(data)
    except AnswerError:
        pass


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_LONGNAME])
def test_only_plain_files_are_members(kind):
    member = tarfile.TarInfo("stdout")
    member.type = kind
    with pytest.raises(AnswerError):
        list(Answer(io.BytesIO(member.tobuf() + bytes(1024)), 1000).members())


def test_a_header_that_would_fill_the_memory_is_refused():
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, 1 << 33

    class Endless(io.RawIOBase):
        taken = 0

        def read(self, amount=-1):
            head = member.tobuf() if not self.taken else b""
            self.taken += amount
            assert self.taken < 1 << 24
            return head or b"1" * amount

    with pytest.raises(AnswerError):
        list(Answer(Endless(), 1000).members())


def test_others_run_while_a_server_answers_faster_than_its_answer_is_kept():
    sent, turns = io.BytesIO(bytes(100_000)), []

    def others():
        while True:
            turns.append(1)
            sleep(0)

    thread = spawn(others)
    with Spool(1 << 20, None, 100, 1 << 20) as spool:
        Answer(TimedReader(sent.read, 10), 100).hold(spool)
    thread.kill()
    assert len(turns) >= 1000
