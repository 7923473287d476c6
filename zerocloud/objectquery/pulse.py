"""Signs of life: while a session runs, its server says every few seconds that it is still there.

Nothing else would tell a server that hangs from a program that takes its time: the connection of a stopped process stays
open. A sign is one more ``100 Continue``, which clients pass over while they wait for an answer (RFC 9110, section 15.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swift.common.concurrency import sleep, spawn

from zerocloud.objectquery.hangup import client_socket

SIGN = b"HTTP/1.1 100 Continue\r\n\r\n"


def expects_signs(environ: Mapping[str, Any]) -> bool:
    """Whether the request's client waits for ``100 Continue``, and so can do with more of them."""
    return str(environ.get("HTTP_EXPECT", "")).lower() == "100-continue"


@contextmanager
def signs_of_life(environ: Mapping[str, Any], interval: float, lives: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Send one every ``interval`` seconds while the block runs, which must not answer itself; none if that is 0.

    ``lives`` is asked before: whether what the server itself waits for is there.
    """
    client = client_socket(environ)
    if client is None or not interval or not expects_signs(environ):
        yield
        return
    thread = spawn(_send, client, interval, lives)
    try:
        yield
    finally:
        thread.kill()


def _send(client: Any, interval: float, lives: Callable[[], bool]) -> None:
    while True:
        sleep(interval)
        if not lives():
            continue
        try:
            client.send(SIGN)
        except OSError:
            return  # it has gone, which others watch for
