"""How a network channel's bytes stand in its TCP stream (executor contract, section 3, "Network channels").

A message is its length (4 bytes, big-endian, at most 64 KiB) and that many bytes. The stream ends with an empty message, a
message that holds the digest of all bytes (empty if the writer made none), and one more empty message. A stream that stops
before has lost its peer.

Both classes move bytes straight between the socket and the caller's buffers: one system call a message. Descriptors are
blocking.
"""

from __future__ import annotations

import enum
import os
import struct
from collections.abc import Sequence

MAXIMUM_MESSAGE = 64 << 10
MAXIMUM_DIGEST = 64
_HEADER = struct.Struct("!I")
_BATCH_BYTES = 16 * MAXIMUM_MESSAGE
_BATCH_BUFFERS = 512
_END = _HEADER.pack(0)

Views = Sequence[memoryview]


class FramingError(Exception):
    """Bytes that are no messages of a channel, or an end in their midst."""


class _Stage(enum.Enum):
    DATA = 0
    DIGEST = 1
    DUMMY = 2
    ENDED = 3


class MessageReader:
    """The reading side. ``digest`` is the writer's, known once ``ended``; empty if it sent none."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.digest = b""
        self._stage = _Stage.DATA
        self._left = 0
        self._header = memoryview(bytearray(_HEADER.size))
        self._header_got = 0

    @property
    def ended(self) -> bool:
        """Whether the end has been read, in full."""
        return self._stage is _Stage.ENDED

    def read(self, views: Views) -> int:
        """Fill the views with what is there, at least one byte; 0 is the end. Raises FramingError, OSError."""
        got = None
        while got is None:
            got = self.step(views)
        return got

    def step(self, views: Views) -> int | None:
        """Read from the descriptor once. How many bytes went into the views; 0 at the end; None if none yet."""
        if self._left:
            return self._read_data(views)
        if self.ended:
            return 0
        self._count_header(self._readv([self._header[self._header_got :]]))
        return 0 if self.ended else None

    def _read_data(self, views: Views) -> int:
        buffers: list[memoryview] = []
        room = self._left
        for view in views:
            if len(view) >= room:
                buffers += (view[:room], self._header)  # the next message's header comes with the end of this one
                break
            buffers.append(view)
            room -= len(view)
        got = self._readv(buffers)
        data = min(got, self._left)
        self._left -= data
        if got > data:
            self._count_header(got - data)
        return data

    def _readv(self, buffers: list[memoryview]) -> int:
        got = os.readv(self.descriptor, buffers)
        if not got:
            raise FramingError("the stream stopped before its end")
        return got

    def _count_header(self, got: int) -> None:
        self._header_got += got
        if self._header_got < _HEADER.size:
            return
        self._header_got = 0
        (size,) = _HEADER.unpack(self._header)
        if self._stage is _Stage.DATA and size:
            if size > MAXIMUM_MESSAGE:
                raise FramingError(f"a message of {size} bytes, the limit is {MAXIMUM_MESSAGE}")
            self._left = size
        elif self._stage is _Stage.DATA:
            self._stage = _Stage.DIGEST
        elif self._stage is _Stage.DIGEST:
            self._read_digest(size)
            self._stage = _Stage.DUMMY
        elif size:
            raise FramingError("data after the end")
        else:
            self._stage = _Stage.ENDED

    def _read_digest(self, size: int) -> None:
        if size > MAXIMUM_DIGEST:
            raise FramingError(f"a digest of {size} bytes, the limit is {MAXIMUM_DIGEST}")
        digest = memoryview(bytearray(size))
        got = 0
        while got < size:
            got += self._readv([digest[got:]])
        self.digest = bytes(digest)


class MessageWriter:
    """The writing side. After an OSError nothing more can be written."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def write(self, views: Views) -> None:
        """Send all the bytes, as messages as large as can be. Raises OSError."""
        buffers: list[bytes | memoryview] = []
        size = 0
        for message, views_of_it in _messages(views):
            buffers.append(_HEADER.pack(message))
            buffers += views_of_it
            size += message + _HEADER.size
            if size >= _BATCH_BYTES or len(buffers) >= _BATCH_BUFFERS:
                self._send(buffers, size)
                buffers, size = [], 0
        if buffers:
            self._send(buffers, size)

    def end(self, digest: bytes) -> None:
        """Say that this was all. Raises OSError."""
        message = _END + _HEADER.pack(len(digest)) + digest + _END
        self._send([message], len(message))

    def _send(self, buffers: list[bytes | memoryview], size: int) -> None:
        sent = os.writev(self.descriptor, buffers)
        while sent < size:  # a signal came in between
            rest = memoryview(b"".join(buffers))[sent:]
            buffers, size = [rest], len(rest)
            sent = os.writev(self.descriptor, buffers)


def _messages(views: Views) -> list[tuple[int, Views]]:
    """The views, cut into messages: length and views of each."""
    if len(views) == 1 and len(views[0]) <= MAXIMUM_MESSAGE:
        return [(len(views[0]), views)]
    messages: list[tuple[int, Views]] = []
    current: list[memoryview] = []
    size = 0
    for view in views:
        while len(view):
            piece = view[: min(MAXIMUM_MESSAGE - size, 1 << 30)]
            view = view[len(piece) :]
            current.append(piece)
            size += len(piece)
            if size == MAXIMUM_MESSAGE or len(current) == _BATCH_BUFFERS:
                messages.append((size, current))
                current, size = [], 0
    if current:
        messages.append((size, current))
    return messages
