"""Notices that the client has closed its connection while its job runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swift.common.concurrency import hubs, socket, spawn

from zerocloud.swiftadapter import client_socket


@contextmanager
def watched(environ: Mapping[str, Any], gone: Callable[[], None]) -> Iterator[None]:
    """While the block runs, call ``gone`` as soon as the client has hung up. Its request must have been read.

    A client that sends more, such as the next request on the same connection, is still there, and is watched no longer.
    """
    client = client_socket(environ)
    if client is None:
        yield
        return
    descriptor = os.dup(client.fileno())  # the hub knows one reader for each descriptor; the server's own may come to wait
    watcher = spawn(_watch, descriptor, gone)
    try:
        yield
    finally:
        watcher.kill()
        os.close(descriptor)


def _watch(descriptor: int, gone: Callable[[], None]) -> None:
    hubs.trampoline(descriptor, read=True)
    with socket.socket(fileno=os.dup(descriptor)) as peeking:
        try:
            data = peeking.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
    if not data:
        gone()
