"""Executables: read from Swift at most once per job, and sent only to servers that don't have them.

A proxy remembers the digest of each version of an executable that it has read. When a job needs the executable again, Swift is
only asked whether that version is still the current one, by a conditional GET with the caller's rights; meanwhile the server is
asked for a slot, and whether it has a program with that digest. Only where it has none is the program read and sent.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from swift.common.concurrency import spawn

from zerocloud.sysmap import SwiftPath

from .errors import SourceError
from .reading import SharedSource
from .spool import Spool
from .subrequests import Fetched, version_of

MOST_REMEMBERED = 4096
"""Executables whose versions a proxy process remembers: a few hundred bytes each."""


@dataclass(frozen=True)
class Version:
    """What was in an object when it was read: Swift's names for it, its size in bytes, the SHA-256 of its content."""

    etag: str
    timestamp: str
    size: int
    digest: str


class Programs:
    """The executables that this process has read lately."""

    def __init__(self) -> None:
        self._versions: OrderedDict[SwiftPath, Version] = OrderedDict()

    def last(self, path: SwiftPath) -> Version | None:
        """What the object was when it was read last."""
        return self._versions.get(path)

    def remember(self, path: SwiftPath, version: Version) -> None:
        """Note what the object is; what was noted longest ago is forgotten."""
        self._versions[path] = version
        self._versions.move_to_end(path)
        while len(self._versions) > MOST_REMEMBERED:
            self._versions.popitem(last=False)


Get = Callable[[Mapping[str, str]], Fetched]


class ProgramSource:
    """The executable of a job's sessions. All of them run the same version of it."""

    def __init__(self, path: SwiftPath, get: Get, programs: Programs, read_timeout: float, spool: Spool) -> None:
        """``get`` opens the object with the given headers."""
        self._path = path
        self._get = get
        self._programs = programs
        self._content = SharedSource(path.path, self._open, read_timeout, spool)
        self._version = programs.last(path)
        self._answer: Fetched | None = None
        self._checking: Any = None
        self._checked = False
        self._error: SourceError | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of what it should be, in hexadecimal digits; empty if that is not known. Sure after ``ready``."""
        return self._version.digest if self._version else ""

    @property
    def size(self) -> int:
        """Bytes, after ``ready``."""
        return self._version.size if self._version else self._content.size

    @property
    def failed(self) -> SourceError | None:
        """Why it can't be had, as far as is known yet."""
        return self._error

    def begin(self) -> None:
        """Find out in a thread of its own whether it is there, unless that has been done or is under way."""
        if not self._checked and self._checking is None:
            self._checking = spawn(self._check)

    def ready(self) -> None:
        """Wait until that is known. Raises SourceError."""
        self.begin()
        if self._checking is not None:
            self._checking.wait()
        if self._error is not None:
            raise self._error

    def chunks(self) -> Iterator[bytes]:
        """Its bytes from the beginning. Raises SourceError."""
        self._content.ready()
        yield from self._content.chunks()

    def close(self) -> None:
        """Let go of it."""
        if self._checking is not None:
            self._checking.kill()
        if self._answer is not None:
            self._answer.close()
        self._content.close()

    def _check(self) -> None:
        try:
            self._error = None
            if not self._is_current():
                self._version = None
                self._content.ready()
            self._checked = True
        except SourceError as error:
            self._error = error
        finally:
            self._checking = None

    def _is_current(self) -> bool:
        """Whether the object is what it was. If it is not, the answer that said so has what it is."""
        if self._version is None:
            return False
        answer = self._get({"If-None-Match": self._version.etag})
        if answer.status != 304:
            self._answer = answer
            return False
        answer.close()
        return answer.headers.get("x-timestamp") == self._version.timestamp

    def _open(self) -> Fetched:
        """Raises SourceError."""
        answer, self._answer = self._answer, None
        if answer is None:
            answer = self._get({"If-Match": self._version.etag} if self._version else {})
        if answer.status == 412:
            answer.close()
            raise SourceError(409, f"{self._path.path} was overwritten while the job ran")
        if answer.status != 200:
            answer.close()
            raise SourceError.refused(answer.status, self._path)
        return self._noting(answer)

    def _noting(self, answer: Fetched) -> Fetched:
        """The answer; when it has been read to its end, its version is remembered."""
        version = version_of(answer.headers)
        if version is None:
            return answer

        def note(size: int, digest: str) -> None:
            if size == answer.length:
                self._programs.remember(self._path, Version(*version, size, digest))

        return replace(answer, body=_Digesting(answer, note))


class _Digesting:
    """An answer's bytes, and at their end a call with their number and digest."""

    def __init__(self, answer: Fetched, done: Callable[[int, str], None]) -> None:
        self._answer = answer
        self._pieces = iter(answer.body)
        self._done = done
        self._hash = hashlib.sha256()
        self._size = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        piece: bytes | None = next(self._pieces, None)
        if piece is None:
            self._done(self._size, self._hash.hexdigest())
            raise StopIteration
        self._hash.update(piece)
        self._size += len(piece)
        return piece

    def close(self) -> None:
        """Let go of the answer."""
        self._answer.close()
