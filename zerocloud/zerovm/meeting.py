"""How the sockets of a job's network find each other: calls, visitors, and the patience with strangers.

Nothing here waits: every object has a ``step`` that does what can be done at once and says whether something happened. So a
silent stranger holds up nobody, the order of events does not matter, and there can be no deadlock between nodes that call
each other. Sockets are those of the ``socket`` module with a timeout of 0, which eventlet's are as well; no thread, poll or
epoll is needed.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from errno import EALREADY, EINPROGRESS, EISCONN

from zerocloud.zerovm.handshake import HandshakeError, Pair, ReaderHandshake, WriterHandshake, _Handshake
from zerocloud.zerovm.nameserver import Address

BACKLOG = 1024
MAXIMUM_VISITORS = 256
"""Callers that have not proved themselves yet; beyond that the oldest is dropped."""
VISITOR_SECONDS = 10.0
"""How long a caller may take to prove itself."""
CALL_AGAIN_SECONDS = 0.1


def connected_descriptor(connected: socket.socket) -> int:
    """A blocking descriptor of its own for a connected socket, which is closed; peers that vanish are noticed within a
    minute."""
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
    descriptor = os.dup(connected.fileno())
    connected.close()
    os.set_blocking(descriptor, True)
    return descriptor


def _converse(connected: socket.socket, handshake: _Handshake) -> bool:
    """Read and answer once. Raises HandshakeError, OSError; BlockingIOError is nothing to read."""
    try:
        data = connected.recv(handshake.wanted)
    except BlockingIOError:
        return False
    if not data:
        raise HandshakeError("the peer hung up")
    _send_whole(connected, handshake.feed(data))
    return True


def _send_whole(connected: socket.socket, message: bytes) -> None:
    if message and connected.send(message) != len(message):  # an empty send buffer always takes a hundred bytes
        raise HandshakeError("the peer does not read")


class End:
    """This node's end of one channel: whose it is, and its connected descriptor once there is one."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.descriptor: int | None = None

    def take(self) -> int:
        """The connected descriptor, now the caller's."""
        descriptor, self.descriptor = self.descriptor, None
        assert descriptor is not None, "not connected yet"
        return descriptor

    def close(self) -> None:
        """Close the descriptor, if it has not been taken."""
        if self.descriptor is not None:
            os.close(self.take())


class Call(End):
    """A writer's call to the reader of one channel, repeated until it is answered by the right peer."""

    def __init__(self, pair: Pair, token: bytes, address: Address | None) -> None:
        super().__init__(pair)
        self.address = address
        self._token = token
        self._socket: socket.socket | None = None
        self._handshake: WriterHandshake | None = None
        self._not_before = 0.0

    def step(self) -> bool:
        """Go on with the call as far as it goes."""
        if self.descriptor is not None or self.address is None:
            return False
        try:
            if self._socket is None:
                return self._dial(self.address)
            if self._handshake is None:
                return self._greet(self._socket, self.address)
            progress = _converse(self._socket, self._handshake)
            if self._handshake.done:
                self.descriptor, self._socket = connected_descriptor(self._socket), None
        except (HandshakeError, OSError):
            self._hang_up()
            return False
        return progress

    def _dial(self, address: Address) -> bool:
        if time.monotonic() < self._not_before:
            return False
        self._not_before = time.monotonic() + CALL_AGAIN_SECONDS
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(0)
        return self._greet(self._socket, address)

    def _greet(self, connecting: socket.socket, address: Address) -> bool:
        error = connecting.connect_ex(address)
        if error in (EINPROGRESS, EALREADY):
            return False
        if error not in (0, EISCONN):
            raise OSError(error, os.strerror(error))
        handshake = WriterHandshake(self._token, self.pair)
        _send_whole(connecting, handshake.hello)
        self._handshake = handshake
        return True

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = self._handshake = None

    def close(self) -> None:
        """Give up the call."""
        super().close()
        self._hang_up()


class Visitor:
    """Somebody who called. Whoever does not prove to be the writer of a channel is dropped."""

    def __init__(self, accepted: socket.socket, token: bytes, accepts: Callable[[Pair], bool]) -> None:
        self._socket = accepted
        self._socket.settimeout(0)
        self._handshake = ReaderHandshake(token, accepts)
        self._deadline = time.monotonic() + VISITOR_SECONDS
        self.gone = False

    def step(self) -> bool:
        """Listen to what it says."""
        try:
            progress = _converse(self._socket, self._handshake)
        except (HandshakeError, OSError):
            self.close()
            return True
        if time.monotonic() > self._deadline:
            self.close()
        return progress

    @property
    def proved(self) -> Pair | None:
        """Whose channel this is, once proved."""
        return self._handshake.pair if self._handshake.done else None

    def take(self) -> int:
        """The connected descriptor, now the caller's."""
        self.gone = True
        return connected_descriptor(self._socket)

    def close(self) -> None:
        """Drop it."""
        self.gone = True
        self._socket.close()


class Door:
    """A listening socket, and which channels its callers may be for."""

    def __init__(self, address: Address, token: bytes) -> None:
        self._token = token
        self._ends: dict[Pair, End] = {}
        self._visitors: deque[Visitor] = deque()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen(BACKLOG)
            self._socket.settimeout(0)
        except OSError:
            self._socket.close()
            raise

    @property
    def port(self) -> int:
        """The port that callers are to be told."""
        port: int = self._socket.getsockname()[1]
        return port

    def expect(self, pair: Pair) -> End:
        """Wait for the writer of one more channel: the next one between these two nodes."""
        while pair in self._ends:
            pair = pair._replace(ordinal=pair.ordinal + 1)
        return self._ends.setdefault(pair, End(pair))

    def step(self) -> bool:
        """Let in who knocks, listen to who is there."""
        if all(end.descriptor is not None for end in self._ends.values()):
            return False
        progress = self._accept()
        for visitor in tuple(self._visitors):
            progress |= visitor.step()
            if visitor.proved is not None:
                self._seat(visitor, visitor.proved)
        self._visitors = deque(visitor for visitor in self._visitors if not visitor.gone)
        return progress

    def _seat(self, visitor: Visitor, pair: Pair) -> None:
        try:
            if self._expects(pair):
                self._ends[pair].descriptor = visitor.take()
        except OSError:  # no descriptor left
            pass
        visitor.close()

    def _expects(self, pair: Pair) -> bool:
        return pair in self._ends and self._ends[pair].descriptor is None

    def _accept(self) -> bool:
        try:
            accepted, _ = self._socket.accept()
        except OSError:  # nobody there, or gone again
            return False
        if len(self._visitors) >= MAXIMUM_VISITORS:
            self._visitors.popleft().close()
        self._visitors.append(Visitor(accepted, self._token, self._expects))
        return True

    def close(self) -> None:
        """Shut it, before whoever has not been taken."""
        self._socket.close()
        for visitor in self._visitors:
            visitor.close()
        for end in self._ends.values():
            end.close()
