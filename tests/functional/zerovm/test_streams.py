"""Network channels over real sockets: framing, end and digest, loss, corruption, replicas (executor contract, section 3)."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerocloud.zerovm.channels import open_channel
from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.errors import ChannelCorrupted, ManifestError, PeerLost
from zerocloud.zerovm.framing import MAXIMUM_MESSAGE
from zerocloud.zerovm.hostchannel import HostChannel
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.streams import make_room

from .support import opened, read, read_all, views

READS = ",/dev/in,0,{},1000000,1000000000,0,0"
WRITES = ",/dev/out,0,{},0,0,1000000,1000000000"
END = bytes(12)


class Link:
    """Sockets of one channel: ``here`` for the channel under test, ``there`` for what the test plays."""

    def __init__(self, count: int = 1) -> None:
        pairs = [socket.socketpair() for _ in range(count)]
        self.here = [pair[0] for pair in pairs]
        self.there = [pair[1] for pair in pairs]
        for end in self.there:
            end.settimeout(20)

    def channel(self, tail: str, etag: int = 0) -> HostChannel:
        uris = ";".join(f"fd:{number}" for number in range(len(self.here)))
        return opened(uris + tail.format(etag), [end.fileno() for end in self.here])

    def say(self, data: bytes, number: int = 0) -> None:
        self.there[number].sendall(data)

    def close(self) -> None:
        for end in self.here + self.there:
            end.close()


@pytest.fixture
def link() -> Iterator[Callable[[int], Link]]:
    links: list[Link] = []

    def make(count: int = 1) -> Link:
        links.append(Link(count))
        return links[-1]

    yield make
    for each in links:
        each.close()


def message(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data


def ended(*pieces: bytes, digest: bytes = b"") -> bytes:
    return b"".join(map(message, (*pieces, b"", digest, b"")))


def everything(end: socket.socket) -> bytes:
    pieces = []
    while piece := end.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


# The bytes on the wire.


def test_what_a_writer_sends(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(WRITES)
    assert (channel.random_write, channel.size()) == (False, 0)
    assert channel.write(views(b"ab", b"c")) == 3
    channel.close(True)
    one.here[0].close()
    assert everything(one.there[0]) == ended(b"abc")


def test_the_digest_goes_along_if_the_channel_has_one(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(WRITES, etag=1)
    channel.write(views(b"abc"))
    channel.close(True)
    one.here[0].close()
    digest = hashlib.md5(b"abc").hexdigest().encode()
    assert everything(one.there[0]) == ended(b"abc", digest=digest)
    assert channel.etag == digest.decode()


def test_large_writes_are_cut_into_messages(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(WRITES)
    whole = os.urandom(3 * MAXIMUM_MESSAGE + 5)
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append(everything(one.there[0])))
    thread.start()
    assert channel.write(views(whole)) == len(whole)
    channel.close(True)
    one.here[0].close()
    thread.join()
    pieces = [whole[start : start + MAXIMUM_MESSAGE] for start in range(0, len(whole), MAXIMUM_MESSAGE)]
    assert received == [ended(*pieces)]


def test_a_session_that_failed_sends_no_end(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(WRITES)
    channel.write(views(b"abc"))
    channel.close(False)
    one.here[0].close()
    assert everything(one.there[0]) == message(b"abc")


# Reading.


def test_a_reader_gets_the_bytes_and_the_end(link: Callable[[int], Link]) -> None:
    one = link(1)
    one.say(ended(b"hello ", b"world"))
    channel = one.channel(READS)
    assert read(channel, 3) == b"hel"
    assert read_all(channel) == b"lo world"
    assert read(channel, 3) == b""
    assert channel.poll_descriptor(False) is None
    channel.close(True)


def test_counters_are_those_of_the_network(link: Callable[[int], Link]) -> None:
    one, counters = link(1), Counters()
    one.say(ended(b"hello"))
    line = ChannelLine.parse("fd:0" + READS.format(0))
    channel = open_channel(line, [one.here[0].fileno()], counters)
    read_all(channel)
    other = link(1)
    writer = open_channel(ChannelLine.parse("fd:0" + WRITES.format(0)), [other.here[0].fileno()], counters)
    writer.write(views(b"abc"))
    assert counters.accounting()[2:] == (0, 0, 0, 0, 2, 5, 1, 3)


def test_limits_hold_on_the_network(link: Callable[[int], Link]) -> None:
    one = link(1)
    one.say(ended(b"hello"))
    channel = opened("fd:0,/dev/in,0,0,10,3,0,0", [one.here[0].fileno()])
    assert read(channel, 100) == b"hel"
    with pytest.raises(OSError, match="quota"):
        read(channel, 100)


class Relay:
    """A writer and a reader with a socket in between, each on a thread of its own."""

    @staticmethod
    def copy(pieces: list[bytes], sizes: list[int], etag: int = 0) -> bytes:
        one, other = socket.socketpair()
        with one, other:
            writer = opened("fd:0" + WRITES.format(etag), [one.fileno()])
            reader = opened("fd:0" + READS.format(etag), [other.fileno()])

            def write() -> None:
                for piece in pieces:
                    if piece:
                        assert writer.write(views(*filter(None, (piece[:7], piece[7:])))) == len(piece)
                writer.close(True)

            thread = threading.Thread(target=write)
            thread.start()
            whole = b""
            sizes = [*sizes, 1 << 17]
            while True:
                windows = views(*sizes)
                got = reader.read(windows)
                whole += b"".join(map(bytes, windows))[:got]
                if not got:
                    break
            thread.join()
            reader.close(True)
            assert writer.etag == reader.etag
            return whole


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=200)), st.lists(st.integers(1, 50), max_size=3), st.integers(0, 1))
def test_any_writes_and_any_reads_give_the_stream(pieces: list[bytes], sizes: list[int], etag: int) -> None:
    assert Relay.copy(pieces, sizes, etag) == b"".join(pieces)


def test_large_and_odd_sizes_give_the_stream() -> None:
    pieces = [os.urandom(size) for size in (1, 65535, 65536, 65537, 300_000, 3_000_001)]
    assert Relay.copy(pieces, [999, 70_000], 1) == b"".join(pieces)


def test_many_small_buffers_in_one_write() -> None:
    one, other = socket.socketpair()
    with one, other:
        writer = opened("fd:0" + WRITES.format(0), [one.fileno()])
        assert writer.write(views(*[b"x"] * 1024)) == 1024
        writer.close(True)
        reader = opened("fd:0" + READS.format(0), [other.fileno()])
        assert read_all(reader) == b"x" * 1024


# The end, and what should have been it.


def test_a_reader_that_stops_early_lets_its_writer_finish(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(READS)
    whole = ended(*[bytes(MAXIMUM_MESSAGE)] * 40)
    thread = threading.Thread(target=one.say, args=(whole,))
    thread.start()
    assert read(channel, 10) == bytes(10)
    channel.close(True)
    thread.join(20)
    assert not thread.is_alive()


def test_a_wrong_digest_fails_the_session(link: Callable[[int], Link]) -> None:
    one = link(1)
    one.say(ended(b"hello", digest=b"0" * 32))
    channel = one.channel(READS, etag=1)
    assert read(channel, 5) == b"hello"
    with pytest.raises(ChannelCorrupted, match="/dev/in corrupted upon eof") as caught:
        read(channel, 5)
    assert caught.value.errno == errno.EPIPE


def test_a_wrong_digest_is_seen_even_if_the_guest_stops_early(link: Callable[[int], Link]) -> None:
    one = link(1)
    one.say(ended(b"hello", digest=b"0" * 32))
    channel = one.channel(READS, etag=1)
    assert read(channel, 2) == b"he"
    with pytest.raises(ChannelCorrupted):
        channel.close(True)


def test_a_digest_is_checked_only_by_who_asked_for_one(link: Callable[[int], Link]) -> None:
    one = link(1)
    one.say(ended(b"hello", digest=b"0" * 32))
    assert read_all(one.channel(READS)) == b"hello"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0\0",
        message(b"hello")[:6],
        message(b"hello"),
        message(b"hello") + message(b""),
        message(b"hello") + message(b"") + message(b""),
        message(b"hello") + message(b"") + message(b"0" * 32)[:9],
        struct.pack("!I", MAXIMUM_MESSAGE + 1) + bytes(MAXIMUM_MESSAGE + 1),
        b"\xff" * 100,
        message(b"") + message(b"x" * 65),
        message(b"") + message(b"") + message(b"x"),
    ],
)
def test_a_stream_without_a_proper_end_has_lost_its_peer(link: Callable[[int], Link], said: bytes) -> None:
    one = link(1)
    one.say(said)
    one.there[0].close()
    channel = one.channel(READS)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read_all(channel)
    assert caught.value.errno == errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        read(channel, 1)
    with pytest.raises(PeerLost, match=r"peer lost: /dev/in"):
        channel.close(True)


def test_a_writer_whose_reader_is_gone(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(WRITES)
    one.there[0].close()
    with pytest.raises(BrokenPipeError):
        channel.write(views(b"abc"))
    with pytest.raises(BrokenPipeError):
        channel.write(views(b"abc"))
    with pytest.raises(PeerLost):
        channel.close(True)


def test_a_reader_gone_before_the_end_is_told(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(WRITES)
    one.there[0].close()
    with pytest.raises(PeerLost):
        channel.close(True)


def test_a_failed_session_does_not_wait_for_its_writers(link: Callable[[int], Link]) -> None:
    one = link(1)
    channel = one.channel(READS)
    channel.close(False)


# Replicas.


def test_a_writer_sends_to_all_replicas(link: Callable[[int], Link]) -> None:
    three = link(3)
    channel = three.channel(WRITES)
    channel.write(views(b"abc"))
    three.there[1].close()
    channel.write(views(b"def"))
    channel.close(True)
    for number in (0, 2):
        three.here[number].close()
        assert everything(three.there[number]) == ended(b"abc", b"def")


def test_two_agreeing_sources_are_enough(link: Callable[[int], Link]) -> None:
    three = link(3)
    three.say(ended(b"he", b"llo"), 0)
    three.say(ended(b"hello"), 2)
    channel = three.channel(READS)
    assert read_all(channel, 3) == b"hello"
    three.say(ended(b"hello"), 1)
    channel.close(True)


def test_a_lying_source_is_dropped(link: Callable[[int], Link]) -> None:
    three = link(3)
    three.say(ended(b"hxllo"), 0)
    three.say(ended(b"hello"), 1)
    three.say(ended(b"hello"), 2)
    channel = three.channel(READS)
    assert read_all(channel) == b"hello"
    channel.close(True)


def test_the_last_source_is_believed(link: Callable[[int], Link]) -> None:
    two = link(2)
    two.say(message(b"he"), 0)
    two.there[0].close()
    two.say(ended(b"hello"), 1)
    assert read_all(two.channel(READS)) == b"hello"


def test_sources_that_all_fail_are_an_error(link: Callable[[int], Link]) -> None:
    two = link(2)
    two.say(ended(b"one"), 0)
    two.say(ended(b"two"), 1)
    channel = two.channel(READS)
    with pytest.raises(OSError, match="Input/output error"):
        read_all(channel)
    with pytest.raises(PeerLost):
        channel.close(True)


def test_a_source_with_a_wrong_digest_is_dropped_unless_it_is_the_last(link: Callable[[int], Link]) -> None:
    good = hashlib.md5(b"hello").hexdigest().encode()
    two = link(2)
    two.say(ended(b"hello", digest=b"0" * 32), 0)
    two.say(ended(b"hello", digest=good), 1)
    assert read_all(two.channel(READS, etag=1)) == b"hello"
    other = link(2)
    for number in (0, 1):
        other.say(ended(b"hello", digest=b"0" * 32), number)
    with pytest.raises(ChannelCorrupted):
        read_all(other.channel(READS, etag=1))


def test_replicas_of_much_data_at_different_speeds(link: Callable[[int], Link]) -> None:
    three = link(3)
    whole = os.urandom(2_000_000)
    pieces = [whole[start : start + 50_000] for start in range(0, len(whole), 50_000)]
    other = [whole[start : start + 33_333] for start in range(0, len(whole), 33_333)]
    threads = [
        threading.Thread(target=three.say, args=(ended(*cut), number)) for number, cut in enumerate((pieces, other, pieces))
    ]
    for thread in threads:
        thread.start()
    channel = three.channel(READS)
    assert read_all(channel, 10_000) == whole
    channel.close(True)
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_reader_of_replicas_that_stops_early_lets_all_writers_finish(link: Callable[[int], Link]) -> None:
    two = link(2)
    whole = ended(*[bytes(MAXIMUM_MESSAGE)] * 40)
    threads = [threading.Thread(target=two.say, args=(whole, number)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    channel = two.channel(READS)
    assert read(channel, 10) == bytes(10)
    channel.close(True)
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


# Opening.


def test_a_stream_has_one_direction(link: Callable[[int], Link]) -> None:
    with pytest.raises(ManifestError, match="one direction"):
        link(1).channel(",/dev/x,3,{},1,1,1,1")


def test_nodes_that_send_to_each_other_end_though_neither_has_read(link: Callable[[int], Link]) -> None:
    """Both streams are full to the last byte, and both ends are still to be said."""
    (first_near, second_near), (first_far, second_far) = (pair := link(2)).here, pair.there
    for end in (first_near, second_near, first_far, second_far):
        end.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                end.send(message(b"x"))
        end.setblocking(True)

    def close(sending: socket.socket, receiving: socket.socket) -> None:
        channels = [
            opened("fd:0" + WRITES.format(0), [sending.fileno()]),
            opened("fd:0" + READS.format(0), [receiving.fileno()]),
        ]
        make_room(channels)
        for channel in channels:
            channel.close(True)

    # The near end of the first link and the far end of the second are one node's, the others the other's.
    sides = ((first_near, second_far), (second_near, first_far))
    nodes = [threading.Thread(target=close, args=side, daemon=True) for side in sides]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join(20)
    assert not any(node.is_alive() for node in nodes)
