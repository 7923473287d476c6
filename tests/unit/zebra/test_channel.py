from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from zerocloud.zebra import errors
from zerocloud.zebra.channel import Listener, Reporter
from zerocloud.zebra.errors import StartFailed, ZebraError


@pytest.fixture
def ends() -> Iterator[tuple[Reporter, Listener]]:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield Reporter(theirs), Listener(ours)


def soon() -> float:
    return time.monotonic() + 5


def test_events_in_order_until_the_end(ends: tuple[Reporter, Listener]) -> None:
    reporter, listener = ends
    reporter.tell("started", url="http://x")
    reporter.tell("ended", name="node1", how="é\n")
    reporter.connected.close()
    assert list(listener.events(soon())) == [
        {"event": "started", "url": "http://x"},
        {"event": "ended", "name": "node1", "how": "é\n"},
    ]


def test_what_has_come_already(ends: tuple[Reporter, Listener]) -> None:
    reporter, listener = ends
    assert listener.waiting() == []
    reporter.tell("a")
    reporter.tell("b")
    assert [event["event"] for event in listener.waiting()] == ["a", "b"]
    reporter.tell("c")
    assert next(listener.events(soon()))["event"] == "c"


def test_a_deadline(ends: tuple[Reporter, Listener]) -> None:
    with pytest.raises(StartFailed, match="in time"):
        next(ends[1].events(time.monotonic()))


def test_hanging_up_ends_and_letting_go_does_not(ends: tuple[Reporter, Listener]) -> None:
    reporter, listener = ends
    assert not reporter.hears_end()
    listener.detach()
    assert not reporter.hears_end()
    assert not reporter.tied
    listener.close()
    assert not reporter.hears_end()


def test_hanging_up(ends: tuple[Reporter, Listener]) -> None:
    reporter, listener = ends
    listener.close()
    assert reporter.hears_end()
    reporter.tell("nobody", hears="this")


def test_a_listener_that_does_not_listen_holds_nobody_up(ends: tuple[Reporter, Listener]) -> None:
    for _ in range(5000):
        ends[0].tell("event", text="x" * 100)


def test_errors_cross_by_name() -> None:
    assert isinstance(errors.by_name("PortTaken", "m"), errors.PortTaken)
    other = errors.by_name("SomethingElse", "m")
    assert type(other) is ZebraError
    assert str(other) == "m"
    assert set(errors.__all__) == {"by_name", "ZebraError", *(kind.__name__ for kind in ZebraError.__subclasses__())}
