import os
import time

import pytest

from zerocloud.zrt.abi import Errno
from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.poll_calls import ABSOLUTE, CLOCK, HANGUP, READ, WRITE

from .fakes import OUT, Guest, reader, refused, writer

MILLISECOND = 1_000_000
HOUR = 3600 * 10**9
REAL, MONOTONIC = 0, 1


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    yield ends
    for end in ends:
        if end is not None:
            os.close(end)


def waiting(pipe, **more):
    source, sink = pipe
    channels = {"/dev/stdin": PlainChannel(source, readable=True), "/dev/stdout": PlainChannel(sink, writable=True)}
    return Guest(channels=channels, **more)


def test_time(pipe):
    guest, start = waiting(pipe), time.monotonic()
    assert guest.poll((CLOCK, MONOTONIC, 20 * MILLISECOND, 0), (CLOCK, REAL, HOUR, 0)) == [(0, 0, CLOCK, 0, 0)]
    assert time.monotonic() - start >= 0.02


def test_a_moment(pipe):
    guest = waiting(pipe)
    assert guest.poll((CLOCK, MONOTONIC, time.monotonic_ns() - 1, ABSOLUTE)) == [(0, 0, CLOCK, 0, 0)]
    assert guest.poll((CLOCK, REAL, time.time_ns() + MILLISECOND, ABSOLUTE)) == [(0, 0, CLOCK, 0, 0)]


def test_a_channel_with_nothing_to_read(pipe):
    guest = waiting(pipe)
    assert guest.poll((READ, 0, 0, 0), (CLOCK, MONOTONIC, MILLISECOND, 0)) == [(1, 0, CLOCK, 0, 0)]
    os.write(pipe[1], b"x")
    assert guest.poll((READ, 0, 0, 0), (CLOCK, MONOTONIC, HOUR, 0)) == [(0, 0, READ, 1, 0)]


def test_reading_and_writing_at_once(pipe):
    guest = waiting(pipe)
    assert guest.poll((READ, 0, 0, 0), (WRITE, 1, 0, 0)) == [(1, 0, WRITE, 1, 0)]


def test_a_peer_that_is_gone(pipe):
    guest = waiting(pipe)
    os.close(pipe[1])
    pipe[1] = None
    assert guest.poll((READ, 0, 0, 0)) == [(0, 0, READ, 1, HANGUP)]


def test_a_descriptor_that_is_not_the_hosts():
    guest = Guest(channels={"/dev/stdin": PlainChannel(1 << 20, readable=True)})
    assert guest.poll((READ, 0, 0, 0)) == [(0, Errno.BADF, READ, 0, 0)]


def test_files_and_simple_channels_are_always_ready():
    guest = Guest(channels={"/dev/stdin": reader(b"x"), "/dev/stdout": writer(), "/dev/r": reader(b"12345", random_read=True)})
    guest.create(b"f", b"123")
    file, random = guest.open(b"f"), guest.open(b"dev/r")
    guest.read(random, 1)
    subscriptions = ((READ, file, 0, 0), (READ, random, 0, 0), (WRITE, 1, 0, 0), (CLOCK, REAL, HOUR, 0), (READ, 9, 0, 0))
    assert guest.poll(*subscriptions) == [
        (0, 0, READ, 3, 0),
        (1, 0, READ, 4, 0),
        (2, 0, WRITE, 1, 0),
        (4, Errno.BADF, READ, 0, 0),
    ]
    assert guest.poll((WRITE, 1, 0, 0), (CLOCK, REAL, 0, 0)) == [(0, 0, WRITE, 1, 0), (1, 0, CLOCK, 0, 0)]


def test_a_stepped_clock_does_not_sleep(pipe):
    guest, start = waiting(pipe, clock=1000), time.monotonic()
    assert guest.poll((CLOCK, MONOTONIC, HOUR, 0)) == [(0, 0, CLOCK, 0, 0)]
    guest.wasi.clock_time_get(REAL, 0, OUT)
    assert guest.u64() == 1000 * 10**9 + HOUR
    assert guest.poll((CLOCK, MONOTONIC, 1000 * 10**9 + 2 * HOUR, ABSOLUTE)) == [(0, 0, CLOCK, 0, 0)]
    guest.wasi.clock_time_get(REAL, 0, OUT)
    assert guest.u64() == 1000 * 10**9 + 2 * HOUR
    assert time.monotonic() - start < 60


def test_a_stepped_clock_moves_on_when_a_channel_stays_silent(pipe):
    guest = waiting(pipe, clock=0)
    assert guest.poll((READ, 0, 0, 0), (CLOCK, REAL, MILLISECOND, 0)) == [(1, 0, CLOCK, 0, 0)]
    guest.wasi.clock_time_get(REAL, 0, OUT)
    assert guest.u64() == MILLISECOND
    os.write(pipe[1], b"x")
    assert guest.poll((READ, 0, 0, 0), (CLOCK, REAL, HOUR, 0)) == [(0, 0, READ, 1, 0)]
    guest.wasi.clock_time_get(REAL, 0, OUT)
    assert guest.u64() == MILLISECOND + 1000


def test_refusals():
    guest = Guest()
    with refused("INVAL"):
        guest.poll()
    with refused("INVAL"):
        guest.wasi.poll_oneoff(0, 0, 4097, 0)
    with refused("INVAL"):
        guest.poll((CLOCK, 4, 0, 0))
    with refused("INVAL"):
        guest.poll((3, 0, 0, 0))
