"""The body of a request to a storage server: a tar stream whose exact length is known before its first byte is sent.

Source: executing server, section 2. Members follow each other without end-of-archive blocks.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

BLOCK = 512


class LengthError(OSError):
    """A member's content has another length than was announced."""


@dataclass(frozen=True)
class Member:
    """One file of the stream. ``content`` gives its ``size`` bytes in pieces; it is called once, when their turn comes."""

    name: str
    size: int
    content: Callable[[], Iterable[bytes]]

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> Member:
        """A member that is already there."""
        return cls(name, len(data), lambda: (data,))

    @property
    def header(self) -> bytes:
        """Its header blocks; a long or non-ASCII name takes more than one."""
        header = tarfile.TarInfo(self.name)
        header.size = self.size
        return header.tobuf(tarfile.PAX_FORMAT)


def stream_length(members: Iterable[Member]) -> int:
    """The bytes of the whole stream: what goes into Content-Length."""
    return sum(len(member.header) + member.size + -member.size % BLOCK for member in members)


def gathered(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of at least ``size``, but for the last: small ones would cost a packet each."""
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield b"".join(waiting)


def stream(members: Iterable[Member]) -> Iterator[bytes]:
    """The stream itself. Raises LengthError before it would break what was announced, and whatever a content raises."""
    for member in members:
        yield member.header
        left = member.size
        for piece in member.content():
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise LengthError(f"{member.name} has {'more' if left < 0 else 'fewer'} than the {member.size} bytes announced")
        if member.size % BLOCK:
            yield bytes(-member.size % BLOCK)
