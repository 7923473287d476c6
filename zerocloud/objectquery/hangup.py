"""A proxy that hangs up ends what it asked for, at whatever point that is.

Swift's servers don't notice a lost client before they write to it, and a session writes nothing until its end. So while a
request is worked on, its client's socket is looked at several times a second; when it has gone, :class:`ClientHungUp` is
thrown into the request's green thread, the way :class:`eventlet.Timeout` is, and unwinds everything that it holds.

Looking is one ``poll`` without waiting: unlike waiting for input, it sees the end behind bytes that nobody has read, and it
can't meet another green thread that reads the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swift.common.concurrency import getcurrent, hubs, patcher

INTERVAL = 0.2

_select = patcher.original("select")  # the patched one has no poll
_GONE: int = _select.POLLRDHUP | _select.POLLHUP | _select.POLLERR | _select.POLLNVAL


class ClientHungUp(BaseException):
    """The client of the current request has closed its connection. Not an Exception, so that only who knows it catches it."""


def hung_up(descriptor: int) -> bool:
    """Whether the other end of a connected socket has closed it, or ended its sending side."""
    poll = _select.poll()
    poll.register(descriptor, _GONE)
    return bool(poll.poll(0))


@contextmanager
def ended_by_hangup(environ: Mapping[str, Any]) -> Iterator[None]:
    """While the block runs, raise :class:`ClientHungUp` in it within a second after the request's client has gone.

    Without a socket behind the request (a call within the process) the block just runs.
    """
    client = client_socket(environ)
    if client is None:
        yield
        return
    watch = _Watch(client)
    try:
        yield
    finally:
        watch.stop()


def client_socket(environ: Mapping[str, Any]) -> Any:
    """The socket that the request came in on, or None where there is none behind it."""
    get_socket = getattr(environ.get("eventlet.input"), "get_socket", None)
    return get_socket() if get_socket else None


class _Watch:
    """A timer that looks again and again until it is stopped or the client is gone."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._thread = getcurrent()
        self._timer: Any = None
        self._wait()

    def _wait(self) -> None:
        self._timer = hubs.get_hub().schedule_call_global(INTERVAL, self._look)

    def _look(self) -> None:
        if self._client.fileno() < 0 or hung_up(self._client.fileno()):
            self._timer = None
            self._thread.throw(ClientHungUp())
        else:
            self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
