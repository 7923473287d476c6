"""One frame on a stream socket: ``0x%06x`` length (8 ASCII bytes), then the text (executor contract, section 6).

On a Unix socket descriptors ride with the text (SCM_RIGHTS). The kernel takes at most 253 in one message, so a longer list goes
in several messages, each with at least one byte of the same frame. A reader never reads past the end of a frame: what follows
may carry the descriptors of the next one.
"""

from __future__ import annotations

import array
import os
import socket
import stat
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

HOLD, PING, COMPILE, COMPILE_FUEL, VALIDATE = b"Hold\n", b"Ping\n", b"Compile\n", b"Compile Fuel\n", b"Validate\n"
IS_FROZEN = b"Frozen "
"""The name of a frozen guest follows."""
ADMITTED, ALIVE, NONE, COMPILED, REFUSED = b"admitted", b"alive", b"none", b"compiled", b"refused"
"""Requests and answers of the executor service that are single words; a sentence follows the last."""

HEADER_BYTES = 8
MAXIMUM_TEXT = 0xFFFFFF
DESCRIPTORS_PER_MESSAGE = 250
_ANCILLARY_BYTES = socket.CMSG_SPACE(253 * array.array("i").itemsize)
_HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")
_NO_LINGER = struct.pack("ii", 0, 0)
_RETRY_SECONDS = 0.005
_ADDRESS_BYTES = 107


class FrameError(ValueError):
    """Bytes that are no frame, or a frame beyond a limit. The text says which and what the limit is."""


class HungUp(FrameError):
    """The other side closed the connection before its frame was whole."""


def pack(text: bytes) -> bytes:
    """The frame that carries ``text``. Raises FrameError when the length does not fit six hexadecimal digits."""
    if len(text) > MAXIMUM_TEXT:
        raise FrameError(f"a frame of {len(text)} bytes exceeds the format's {MAXIMUM_TEXT}")
    return b"0x%06x" % len(text) + text


def text_length(header: bytes, limit: int) -> int:
    """The length that a frame's first eight bytes announce. Raises FrameError."""
    if len(header) != HEADER_BYTES or not header.startswith(b"0x") or not _HEXADECIMAL.issuperset(header[2:]):
        raise FrameError(f"frame header {header!r}: expected 0x and six hexadecimal digits")
    length = int(header[2:], 16)
    if length > limit:
        raise FrameError(f"a frame of {length} bytes exceeds the limit of {limit}")
    return length


class FrameReader:
    """Collects frames from a non-blocking Unix socket, and owns the descriptors that came with them until they are taken."""

    def __init__(self, text_limit: int, descriptor_limit: int) -> None:
        self._text_limit = text_limit
        self._descriptor_limit = descriptor_limit
        self._data = bytearray()
        self._descriptors: list[int] = []
        self._needed = HEADER_BYTES

    @property
    def begun(self) -> bool:
        """Whether a part of a frame has arrived."""
        return bool(self._data)

    def receive(self, connection: socket.socket) -> bool:
        """Read what is there; True once a frame is whole. Raises FrameError, HungUp, OSError."""
        while len(self._data) < self._needed:
            try:
                data, ancillary, flags, _ = connection.recvmsg(
                    self._needed - len(self._data), _ANCILLARY_BYTES, socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
                )
            except (BlockingIOError, InterruptedError):
                return False
            self._keep(ancillary, flags)
            if not data:
                raise HungUp("the connection ended before its frame was whole" if self._data else "hung up")
            self._data += data
            if self._needed == HEADER_BYTES and len(self._data) == HEADER_BYTES:
                self._needed += text_length(bytes(self._data), self._text_limit)
        return True

    def _keep(self, ancillary: list[tuple[int, int, bytes]], flags: int) -> None:
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers = array.array("i")
                numbers.frombytes(payload[: len(payload) - len(payload) % numbers.itemsize])
                self._descriptors += numbers
        if flags & socket.MSG_CTRUNC:
            raise FrameError("descriptors were lost on the way: no more may be open here")
        if len(self._descriptors) > self._descriptor_limit:
            raise FrameError(f"more descriptors than the limit of {self._descriptor_limit}")

    def take(self) -> tuple[bytes, list[int]]:
        """The frame's text and descriptors, now the caller's; the reader is ready for the next frame."""
        text, descriptors = bytes(self._data[HEADER_BYTES:]), self._descriptors
        self._data, self._descriptors, self._needed = bytearray(), [], HEADER_BYTES
        return text, descriptors

    def close(self) -> None:
        """Drop a frame that was not taken, its descriptors closed."""
        drop_descriptors(self.take()[1])


def drop_descriptors(descriptors: Sequence[int]) -> None:
    """Close descriptors that came from elsewhere, without ever waiting: a lingering socket is told not to linger."""
    for descriptor in descriptors:
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as duplicate:
                    duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        except OSError:
            pass
        os.close(descriptor)


def send_frame(connection: socket.socket, text: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send one frame with its descriptors. Blocks as the socket does; also right for eventlet's green sockets.

    Blank lines are added to a text that is too short to carry its descriptors. Raises FrameError, OSError (TimeoutError).
    """
    messages = [
        descriptors[start : start + DESCRIPTORS_PER_MESSAGE] for start in range(0, len(descriptors), DESCRIPTORS_PER_MESSAGE)
    ]
    missing = len(messages) - HEADER_BYTES - len(text)
    frame = memoryview(pack(text + b"\n" * max(0, missing)))
    for message in messages:
        _send_descriptors(connection, frame[:1], message)
        frame = frame[1:]
    connection.sendall(frame)


def _send_descriptors(connection: socket.socket, byte: memoryview, descriptors: Sequence[int]) -> None:
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    timeout = connection.gettimeout()
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            connection.sendmsg([byte], ancillary)
            return
        except BlockingIOError:  # a green socket passes sendmsg through to the real, non-blocking one
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError("timed out sending descriptors") from None
            time.sleep(_RETRY_SECONDS)


def read_frame(connection: socket.socket, limit: int = MAXIMUM_TEXT) -> bytes:
    """Read one frame without descriptors. Blocks as the socket does. Raises FrameError, HungUp, OSError (TimeoutError)."""
    return _read(connection, text_length(_read(connection, HEADER_BYTES), limit))


def _read(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        chunk = connection.recv(min(count - len(data), 1 << 16))
        if not chunk:
            raise HungUp("the connection ended before its frame was whole" if data else "hung up")
        data += chunk
    return bytes(data)


@contextmanager
def socket_address(path: str) -> Iterator[str]:
    """An address for ``bind`` and ``connect`` of any length: one over 107 bytes goes through a descriptor of its directory."""
    if len(os.fsencode(path)) <= _ADDRESS_BYTES:
        yield path
        return
    directory = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{os.path.basename(path)}"
    finally:
        os.close(directory)
