"""Frames, whole and broken, over a socket pair."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.frames import (
    HEADER_BYTES,
    MAXIMUM_TEXT,
    FrameError,
    FrameReader,
    HungUp,
    pack,
    read_frame,
    send_frame,
    text_length,
)


@pytest.fixture
def pair():
    one, other = socket.socketpair()
    other.setblocking(False)
    with one, other:
        yield one, other


@given(st.binary(max_size=2000))
def test_a_frame_is_its_length_and_its_text(text):
    frame = pack(text)
    assert text_length(frame[:HEADER_BYTES], 2000) == len(text)
    assert frame[HEADER_BYTES:] == text


@given(st.binary(min_size=8, max_size=8))
def test_a_header_is_a_number_or_a_frame_error(header):
    try:
        length = text_length(header, MAXIMUM_TEXT)
    except FrameError:
        return
    assert int(header, 16) == length


def test_a_text_too_long_for_six_digits():
    with pytest.raises(FrameError, match="exceeds the format"):
        pack(bytes(MAXIMUM_TEXT + 1))


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=5), st.data())
def test_frames_in_any_pieces_come_out_whole(texts, data):
    one, other = socket.socketpair()
    with one, other:
        other.setblocking(False)
        stream, reader, got = b"".join(map(pack, texts)), FrameReader(1000, 0), []
        while stream:
            size = data.draw(st.integers(1, len(stream)))
            one.sendall(stream[:size])
            stream = stream[size:]
            while reader.receive(other):
                got.append(reader.take()[0])
        assert got == texts


def test_descriptors_arrive_and_belong_to_the_reader(pair):
    one, other = pair
    inode = os.fstat(one.fileno()).st_ino
    send_frame(one, b"text", [one.fileno()] * 600)
    reader = FrameReader(1000, 600)
    assert reader.receive(other)
    text, descriptors = reader.take()
    assert (text, len(descriptors)) == (b"text", 600)
    assert {os.fstat(descriptor).st_ino for descriptor in descriptors} == {inode}
    for descriptor in descriptors:
        os.close(descriptor)


def test_an_empty_text_is_padded_to_carry_its_descriptors(pair):
    one, other = pair
    send_frame(one, b"", [one.fileno()] * 2600)
    reader = FrameReader(1000, 3000)
    assert reader.receive(other)
    text, descriptors = reader.take()
    assert text.strip() == b""
    assert len(descriptors) == 2600
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_frame_dropped_closes_its_descriptors(pair):
    one, other = pair
    before = len(os.listdir("/proc/self/fd"))
    reader = FrameReader(1000, 10)
    one.sendmsg([b"0x0000"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, one.fileno().to_bytes(4, "little") * 3)])
    assert not reader.receive(other)
    assert reader.begun
    assert len(os.listdir("/proc/self/fd")) == before + 3
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_end_of_a_connection_says_whether_a_frame_was_begun(pair):
    one, other = pair
    reader = FrameReader(1000, 0)
    one.sendall(b"0x00")
    assert not reader.receive(other)
    one.close()
    with pytest.raises(HungUp, match="before its frame was whole"):
        reader.receive(other)
    with pytest.raises(HungUp, match="hung up"):
        FrameReader(1000, 0).receive(other)


def test_reading_blocks_for_a_whole_frame_and_obeys_a_limit(pair):
    one, other = pair
    other.settimeout(0.05)
    one.sendall(pack(b"hello")[:-1])
    with pytest.raises(TimeoutError):
        read_frame(other)
    one.sendall(b"o" + pack(b"long enough"))
    with pytest.raises(FrameError, match="expected 0x"):
        read_frame(other, 5)
