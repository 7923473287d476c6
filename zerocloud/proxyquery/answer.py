"""A session's answer as it comes from its server: a tar stream of what the program wrote (executing server, section 10).

It can be read once, from the server or, after :meth:`Answer.hold`, from the job's spool.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from swift.common.concurrency import Timeout, sleep

from .spool import Spool

LONGEST_RECORDS = 1 << 20
"""Bytes of one member's pax header: names and values come from guests."""


class AnswerError(Exception):
    """The answer broke off, or is not what a storage server of ours sends."""


class Readable(Protocol):
    """The one method of files that answers are read by."""

    def read(self, amount: int) -> bytes:
        """At most so many bytes; none at the end."""


@dataclass(frozen=True)
class AnswerMember:
    """What one device wrote: its name, its size, the records about it, its bytes in pieces."""

    device: str
    size: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class _Member(tarfile.TarInfo):
    """Refuses headers that tarfile would read into memory whole, however long."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]
        ordinary = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
        if not ordinary and (member.type != tarfile.XHDTYPE or member.size > LONGEST_RECORDS):
            raise tarfile.ReadError(f"a header of type {member.type!r} and {member.size} bytes")
        return member


class TimedReader:
    """A file whose reads may take only so long. Any failure of the connection is an AnswerError."""

    def __init__(self, read: Callable[[int], bytes], timeout: float) -> None:
        self._read = read
        self._timeout = timeout

    def read(self, amount: int) -> bytes:
        """At most ``amount`` bytes; none at the end."""
        sleep(0)  # a server that is faster than we are would never make this thread wait, and so nobody else run
        try:
            with Timeout(self._timeout):
                return self._read(amount)
        except Timeout:
            raise AnswerError(f"nothing of the answer came for {self._timeout:g} s") from None
        except (OSError, ValueError) as error:
            raise AnswerError(f"the answer broke off: {error}") from error


class _Again:
    """A file of which the beginning has been read already."""

    def __init__(self, beginning: bytes, rest: Readable) -> None:
        self._beginning = beginning
        self._rest = rest

    def read(self, amount: int) -> bytes:
        if not self._beginning:
            return self._rest.read(amount)
        data, self._beginning = self._beginning[:amount], self._beginning[amount:]
        return data


class Answer:
    """The outputs of one session."""

    def __init__(self, source: Readable, chunk_size: int) -> None:
        self._source = source
        self._chunk_size = chunk_size

    def hold(self, spool: Spool) -> None:
        """Take everything off the server, for later. Raises AnswerError."""
        segment = spool.segment()
        try:
            while data := self._source.read(self._chunk_size):
                segment.append(data)
        except OSError as error:
            raise AnswerError(f"the proxy has no room to keep the answer: {error.strerror}") from error
        self._source = segment.reader()

    def members(self) -> Iterator[AnswerMember]:
        """The outputs in the order in which they were sent; what is not read of one is skipped. Raises AnswerError."""
        first = self._source.read(tarfile.BLOCKSIZE)
        if not first:
            return  # a node without outputs
        try:
            with tarfile.open(fileobj=_Again(first, self._source), mode="r|", tarinfo=_Member) as archive:  # type: ignore[call-overload]
                for member in archive:
                    content = archive.extractfile(member)
                    yield AnswerMember(member.name, member.size, dict(member.pax_headers), self._pieces(content, member.size))
        except (tarfile.TarError, EOFError) as error:
            raise AnswerError(f"the answer is no tar stream: {error}") from error

    def _pieces(self, content: Readable, size: int) -> Iterator[bytes]:
        while size:
            try:
                data = content.read(min(self._chunk_size, size))
            except tarfile.TarError as error:
                raise AnswerError(f"the answer ended {size} bytes early") from error
            if not data:
                raise AnswerError(f"the answer ended {size} bytes early")
            size -= len(data)
            yield data
