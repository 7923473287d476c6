"""A job's network on this machine, for tests: a name server on a thread, nodes on others."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.nameserver import Address, NameService
from zerocloud.zerovm.network import OpenedNetwork, open_network

TOKEN = b"a token of this test"
SECONDS = 20.0


@contextmanager
def name_server(*nodes: int, seen: Callable[[bytes, Address], None] | None = None) -> Iterator[Address]:
    """A name server that waits for these nodes; ``seen`` is told of every packet."""
    service = NameService(nodes)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.02)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                packet, address = server.recvfrom(65536)
            except TimeoutError:
                continue
            if seen:
                seen(packet, address)
            for answer, where in service.receive(packet, address):
                server.sendto(answer, where)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()
    finally:
        stop.set()
        thread.join()
        server.close()


def connect(
    node: int,
    lines: Sequence[str],
    server: Address | None,
    token: bytes = TOKEN,
    seconds: float = SECONDS,
    address: str = "127.0.0.1",
) -> OpenedNetwork:
    """One node's channels, connected."""
    parsed = [ChannelLine.parse(line) for line in lines]
    return open_network(parsed, node, server, token, address, time.monotonic() + seconds)


@contextmanager
def started(*calls: Callable[[], OpenedNetwork]) -> Iterator[list[Future[OpenedNetwork]]]:
    """Run the calls at the same time; whatever they opened is closed at the end."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            yield futures
        finally:
            for future in futures:
                if future.exception() is None:
                    future.result().close()


def reads(peers: str, alias: str = "/dev/in", etag: int = 0) -> str:
    """A line that reads a stream."""
    return f"{peers},{alias},0,{etag},1000000,1000000000,0,0"


def writes(peers: str, alias: str = "/dev/out", etag: int = 0) -> str:
    """A line that writes a stream."""
    return f"{peers},{alias},0,{etag},0,0,1000000,1000000000"
