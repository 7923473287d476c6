"""The name servers of running jobs: a gang's nodes find each other through one (executor contract, section 4).

What is said is in :mod:`zerocloud.zerovm.nameserver`; here are the green UDP sockets. Nodes ask the address by which this
proxy reaches their own server, so a gang on servers behind several of the proxy's interfaces gets a socket for each.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Collection
from typing import Any

from swift.common.concurrency import socket, spawn

from zerocloud.zerovm.nameserver import MAXIMUM_PACKET, NameService

from .errors import JobError

_ID = struct.Struct("!I")


class NameServers:
    """All name servers of one proxy process; there can be only so many."""

    def __init__(self, host: str, maximum: int) -> None:
        """``host`` is the address that nodes are told; if empty, it is found out."""
        self._host = host
        self._maximum = maximum
        self._open = 0

    def open(self, sessions: Collection[int]) -> Network:
        """A network for these sessions. Raises JobError (503) if there are too many already."""
        if self._open >= self._maximum:
            raise JobError(503, f"Cluster slot not available: this proxy serves {self._maximum} networks at most")
        self._open += 1
        return Network(self, self._host, sessions)

    def closed(self) -> None:
        """A network has ended."""
        self._open -= 1


class Network:
    """The network of one gang's attempt to run: its name server, and the secret by which its nodes know each other."""

    def __init__(self, owner: NameServers, host: str, sessions: Collection[int]) -> None:
        self._owner = owner
        self._host = host
        self._service = NameService(sessions)
        self._expected = frozenset(map(_ID.pack, sessions))
        self._sockets: dict[str, Any] = {}
        self._threads: list[Any] = []
        self._heard_on: dict[bytes, Any] = {}  # by the id that begins each packet
        self._closed = False
        self.token = secrets.token_hex(32)

    def address_for(self, server: str) -> str:
        """What a node on ``server`` is told: ``udp:address:port``. Raises JobError (503)."""
        try:
            local = self._host or _address_towards(server)
            if local not in self._sockets:
                self._listen(local)
        except OSError as error:
            raise JobError(503, f"Cannot bind name service: {error}") from error
        return f"udp:{local}:{self._sockets[local].getsockname()[1]}"

    def close(self) -> None:
        """End it. May be repeated."""
        if self._closed:
            return
        self._closed = True
        for thread in self._threads:
            thread.kill()
        for listener in self._sockets.values():
            listener.close()
        self._owner.closed()

    def _listen(self, local: str) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.bind(("" if self._host else local, 0))
        except OSError:
            listener.close()
            raise
        self._sockets[local] = listener
        self._threads.append(spawn(self._serve, listener))

    def _serve(self, listener: Any) -> None:
        while True:
            try:
                packet, address = listener.recvfrom(MAXIMUM_PACKET)
            except ConnectionError:
                continue  # a node that asked is gone, the kernel says
            if packet[: _ID.size] not in self._expected:
                continue
            self._heard_on[packet[: _ID.size]] = listener
            for reply, recipient in self._service.receive(packet, address):
                try:
                    self._heard_on[reply[: _ID.size]].sendto(reply, recipient)
                except OSError:
                    continue  # it will ask again


def _address_towards(server: str) -> str:
    """The local address from which packets to ``server`` are sent. Sends none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((server, 9))
        address: str = probe.getsockname()[0]
        return address
