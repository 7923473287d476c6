"""The name server of a job: which address and port a node's peers are to be called at (executor contract, section 4).

Pure: packets in, packets out. The proxy runs :class:`NameService` on a green UDP socket, local runs on a plain one; the
client's side is in :mod:`zerocloud.zerovm.network`. All numbers are big-endian.

A node says for which peers it has bound ports, and which peers it wants to call. Once every expected node has spoken, each is
told the addresses it asked for: the one its peer's packet came from, with the port that the peer bound for it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass

Address = tuple[str, int]

_HEAD = struct.Struct("!III")
_BIND = struct.Struct("!IH")
_ADDRESS = struct.Struct("!4sH")
MAXIMUM_PACKET = 65507
UNKNOWN: Address = ("0.0.0.0", 0)  # noqa: S104 - the protocol's word for "nobody"


class NameServerError(ValueError):
    """A packet that is not what the protocol says."""


@dataclass(frozen=True)
class Request:
    """What a node asks: ``binds`` are (peer, port bound for it), ``connects`` the peers to be called, in the order of its
    channels."""

    node: int
    binds: tuple[tuple[int, int], ...] = ()
    connects: tuple[int, ...] = ()

    def render(self) -> bytes:
        """The packet. Raises NameServerError if it would not fit one."""
        return self._render(b"".join(_BIND.pack(peer, 0) for peer in self.connects))

    def render_reply(self, addresses: Collection[Address]) -> bytes:
        """The answer: the same packet, its last records replaced by addresses, one for each of ``connects``."""
        return self._render(b"".join(_ADDRESS.pack(socket.inet_aton(host), port) for host, port in addresses))

    def parse_reply(self, packet: bytes) -> tuple[Address, ...]:
        """The addresses for ``connects``. Raises NameServerError unless the packet answers just this request."""
        length = len(self.render())
        records = length - _ADDRESS.size * len(self.connects)
        if len(packet) != length and packet[length:] != b"\0":
            raise NameServerError(f"the name server's reply has {len(packet)} bytes, not {length}")
        if packet[:records] != self.render()[:records]:
            raise NameServerError(f"the name server's reply is not for node {self.node}")
        return tuple((socket.inet_ntoa(host), port) for host, port in _ADDRESS.iter_unpack(packet[records:length]))

    def _render(self, tail: bytes) -> bytes:
        try:
            head = _HEAD.pack(self.node, len(self.binds), len(self.connects))
            packet = head + b"".join(_BIND.pack(*bind) for bind in self.binds) + tail
        except struct.error as error:
            raise NameServerError(f"node ids and ports of node {self.node} do not fit the packet: {error}") from None
        if len(packet) > MAXIMUM_PACKET:
            raise NameServerError(f"{len(self.binds) + len(self.connects)} network channels do not fit one packet")
        return packet


def parse_request(packet: bytes) -> Request:
    """Read a request; one trailing NUL is let pass. Raises NameServerError."""
    if len(packet) < _HEAD.size:
        raise NameServerError(f"a request of {len(packet)} bytes is too short")
    node, binds, connects = _HEAD.unpack_from(packet)
    end = _HEAD.size + _BIND.size * (binds + connects)
    if len(packet) != end and packet[end:] != b"\0":
        raise NameServerError(f"a request for {binds} and {connects} channels has {end} bytes, not {len(packet)}")
    records = tuple(_BIND.iter_unpack(packet[_HEAD.size : end]))
    return Request(node, records[:binds], tuple(peer for peer, _ in records[binds:]))


class NameService:
    """The name server's state. ``expected`` are the ids of those nodes and copies that have network channels; others are
    ignored.

    A node that asks again, because a reply was lost or because it was started anew elsewhere, is answered again; in the
    second case its peers are told once more, too.
    """

    def __init__(self, expected: Collection[int]) -> None:
        self._expected = frozenset(expected)
        self._known: dict[int, tuple[Request, Address]] = {}

    @property
    def complete(self) -> bool:
        """Whether every expected node has been heard."""
        return len(self._known) == len(self._expected)

    @property
    def missing(self) -> frozenset[int]:
        """The nodes that have not been heard yet."""
        return self._expected - self._known.keys()

    def receive(self, packet: bytes, address: Address) -> list[tuple[bytes, Address]]:
        """Take one packet that came from ``address``; return the packets to be sent. Strangers and garbage yield none."""
        try:
            request = parse_request(packet)
            socket.inet_aton(address[0])
        except (NameServerError, OSError):
            return []
        if request.node not in self._expected:
            return []
        news = self._known.get(request.node) != (request, address)
        self._known[request.node] = request, address
        if not self.complete:
            return []
        return [self._answer(node) for node in (sorted(self._known) if news else [request.node])]

    def _answer(self, node: int) -> tuple[bytes, Address]:
        request, address = self._known[node]
        asked: dict[int, int] = {}
        found = []
        for peer in request.connects:
            found.append(self._find(peer, node, asked.get(peer, 0)))
            asked[peer] = asked.get(peer, 0) + 1
        return request.render_reply(found), address

    def _find(self, peer: int, caller: int, ordinal: int) -> Address:
        """Where ``peer`` waits for ``caller``; the n-th channel between the two finds the n-th port."""
        if peer not in self._known:
            return UNKNOWN
        request, (host, _) = self._known[peer]
        ports = [port for bound_for, port in request.binds if bound_for == caller]
        return (host, ports[ordinal]) if ordinal < len(ports) else UNKNOWN
