"""Opens the network channels of one session, on the trusted side, before the program exists (executor contract, sections 3
and 4).

Readers bind, the name server tells writers where, writers call, and both sides prove that they belong to the job
(:mod:`zerocloud.zerovm.handshake`) before a descriptor is handed over. It all happens at once in one loop that never blocks
but in ``time.sleep``, so it may run under eventlet; there it takes ``socket`` and ``time`` as eventlet's patched modules.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from errno import EADDRNOTAVAIL, ECONNREFUSED, ETIMEDOUT
from types import TracebackType

from zerocloud.zerovm.errors import NetworkError
from zerocloud.zerovm.handshake import Pair
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.meeting import Call, Door, End
from zerocloud.zerovm.nameserver import MAXIMUM_PACKET, UNKNOWN, Address, NameServerError, Request
from zerocloud.zerovm.sources import DescriptorSource, NetworkSource, Source

ASK_AGAIN_SECONDS = 1.2
_SHORTEST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.01


class OpenedNetwork:
    """The result: ``lines`` are all the lines that came in, with ``fd:N`` for each ``tcp:`` source; ``descriptors`` the
    connected sockets, blocking, owned by this object. The first of them is the number ``first_descriptor`` that was asked
    for.

    A context manager that closes the descriptors.
    """

    def __init__(self, lines: tuple[ChannelLine, ...], descriptors: list[int]) -> None:
        self.lines = lines
        self.descriptors = descriptors

    def close(self) -> None:
        """Close all descriptors. The peers see a lost peer, unless the session ended its channels before."""
        while self.descriptors:
            os.close(self.descriptors.pop())

    def __enter__(self) -> OpenedNetwork:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_network(
    lines: Sequence[ChannelLine],
    node: int,
    name_server: Address | None,
    token: bytes,
    bind_address: str = "",
    deadline: float = float("inf"),
    *,
    first_descriptor: int = 0,
    sleep: Callable[[float], None] = time.sleep,
) -> OpenedNetwork:
    """Connect every ``tcp:`` source of ``lines``; other lines pass unchanged.

    ``node`` is this node's id (0 where it has none and all peers are given by address), ``token`` the job's shared secret.
    ``bind_address`` is the local IPv4 address for listening and for talking to the name server, which takes it for the node's
    address; empty for any. ``deadline`` is a time of ``time.monotonic()``; ``sleep`` lets others run for that many seconds.
    Raises NetworkError, ManifestError.
    """
    with ExitStack() as stack:
        meeting = _Meeting(node, token, bind_address, stack)
        for line in lines:
            meeting.add(line)
        if meeting.asks and name_server is None:
            raise next(line for line in lines if line.network).error("a peer given by its node id needs a NameServer")
        inquiry = _Inquiry(meeting.request(), name_server, bind_address, stack) if name_server and meeting.asks else None
        meeting.hold(inquiry, deadline, sleep)
        return meeting.result(lines, first_descriptor)


class _Meeting:
    """All calls and doors of one node. ``_ends`` has one entry for each network source, in the order of the lines."""

    def __init__(self, node: int, token: bytes, bind_address: str, stack: ExitStack) -> None:
        self._node = node
        self._token = token
        self._bind_address = bind_address
        self._stack = stack
        self._doors: dict[Address, Door] = {}
        self._calls: list[Call] = []
        self._ends: list[tuple[NetworkSource, End]] = []
        self._binds: list[tuple[int, int]] = []

    def add(self, line: ChannelLine) -> None:
        """Open a door or plan a call for every network source of a line. Raises ManifestError, NetworkError."""
        for source in line.sources:
            if isinstance(source, NetworkSource):
                if not line.readable and source.node is None and not source.port:
                    raise line.error("an address to be called needs a port")
                self._ends.append((source, self._expect(source) if line.readable else self._plan(source)))

    def _expect(self, source: NetworkSource) -> End:
        address = (self._bind_address if source.node else source.host, source.port)
        if address not in self._doors:
            try:
                self._doors[address] = Door(address, self._token)
            except OSError as error:
                raise NetworkError(f"can't listen at {address[0]}:{address[1]}: {error.strerror}", EADDRNOTAVAIL) from error
            self._stack.callback(self._doors[address].close)
        door = self._doors[address]
        if source.node is None:
            return door.expect(Pair(0, 0))
        self._binds.append((source.node, door.port))
        return door.expect(Pair(source.node, self._node))

    def _plan(self, source: NetworkSource) -> Call:
        pair = Pair(0, 0) if source.node is None else Pair(self._node, source.node)
        address = (source.host, source.port) if source.node is None else None
        earlier = sum((call.pair[:2], call.address) == (pair[:2], address) for call in self._calls)
        call = Call(pair._replace(ordinal=earlier), self._token, address)
        self._stack.callback(call.close)
        self._calls.append(call)
        return call

    @property
    def asks(self) -> bool:
        """Whether any peer is known by its id only."""
        return any(source.node for source, _ in self._ends)

    def request(self) -> Request:
        """What the name server has to know, and is to tell."""
        return Request(self._node, tuple(self._binds), tuple(call.pair.reader for call in self._calls if call.pair.reader))

    def hold(self, inquiry: _Inquiry | None, deadline: float, sleep: Callable[[float], None]) -> None:
        """Go on until everybody is connected. Raises NetworkError at the deadline."""
        pause = _SHORTEST_PAUSE
        while self._missing() or (inquiry and not inquiry.answered):
            progress = self._step(inquiry)
            if progress:
                pause = _SHORTEST_PAUSE
            elif time.monotonic() > deadline:
                raise NetworkError(self._story(inquiry), ETIMEDOUT)
            else:
                sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _step(self, inquiry: _Inquiry | None) -> bool:
        progress = False
        if inquiry and inquiry.step(again=any(call.descriptor is None for call in self._calls)):
            progress = True
            self._direct(inquiry.addresses)
        for call in self._calls:
            progress |= call.step()
        for door in self._doors.values():
            progress |= door.step()
        return progress

    def _direct(self, addresses: Sequence[Address]) -> None:
        asked = [(source, end) for source, end in self._ends if isinstance(end, Call) and source.node]
        for (source, call), (host, port) in zip(asked, addresses, strict=True):
            if (host, port) == UNKNOWN:
                raise NetworkError(f"peer lost: node {source.node} has no channel for node {self._node}", ECONNREFUSED)
            call.address = host, source.port or port

    def _missing(self) -> list[str]:
        return sorted({source.host for source, end in self._ends if end.descriptor is None})

    def _story(self, inquiry: _Inquiry | None) -> str:
        if inquiry and not inquiry.answered:
            return f"peer lost: node {self._node} got no answer from the name server, or not all nodes have asked it"
        return f"peer lost: node {self._node} could not be connected in time with {', '.join(self._missing())}"

    def result(self, lines: Sequence[ChannelLine], first: int) -> OpenedNetwork:
        """The lines as the session shall see them, and the descriptors."""
        ends = iter(self._ends)
        descriptors: list[int] = []
        opened = []
        for line in lines:
            sources: list[Source] = []
            for source in line.sources:
                if isinstance(source, NetworkSource):
                    descriptors.append(next(ends)[1].take())
                    source = DescriptorSource(first + len(descriptors) - 1)
                sources.append(source)
            opened.append(line.with_sources(*sources))
        return OpenedNetwork(tuple(opened), descriptors)


class _Inquiry:
    """The client's side of the name server."""

    def __init__(self, request: Request, server: Address, bind_address: str, stack: ExitStack) -> None:
        self.addresses: tuple[Address, ...] = ()
        self.answered = False
        self._request = request
        self._not_before = 0.0
        try:
            self._packet = request.render()
        except NameServerError as error:
            raise NetworkError(f"peer lost: {error}", EADDRNOTAVAIL) from None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stack.callback(self._socket.close)
        try:
            self._socket.bind((bind_address, 0))
            self._socket.connect(server)  # from here on the kernel drops packets of anybody else
        except OSError as error:
            raise NetworkError(f"peer lost: name server {server[0]}:{server[1]}: {error.strerror}", EADDRNOTAVAIL) from error
        self._socket.settimeout(0)

    def step(self, again: bool) -> bool:
        """Ask, if it is time and there is need to; look for an answer. True if there is a new one."""
        try:
            if (again or not self.answered) and time.monotonic() >= self._not_before:
                self._not_before = time.monotonic() + ASK_AGAIN_SECONDS
                self._socket.send(self._packet)
            addresses = self._request.parse_reply(self._socket.recv(MAXIMUM_PACKET))
        except (OSError, NameServerError):
            return False  # nothing yet, nobody there yet, or not for us: asked again soon
        news = not self.answered or addresses != self.addresses
        self.answered, self.addresses = True, addresses
        return news
