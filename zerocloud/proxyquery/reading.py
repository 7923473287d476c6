"""Reads one object for the nodes that need it: straight through for one, by way of the job's spool for several.

What one node needs streams straight through; what several need is kept in the job's spool while it passes, from which each node
takes it at its own pace, sooner or later, and again if it has to start anew on another server. So a slow node slows nobody but
itself, and a source never waits for nodes that wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from swift.common.concurrency import Event, Semaphore, Timeout, spawn

from zerocloud.sysmap import Slice, SwiftPath

from .errors import SourceError
from .spool import Segment, Spool
from .subrequests import Fetched

Open = Callable[[], Fetched]


@dataclass(frozen=True)
class Need:
    """An object that has to be brought to a node, or the part of it that the node is to see."""

    path: SwiftPath
    slice: Slice | None = None


class Source(Protocol):
    """Something that nodes need. ``ready`` comes before ``size`` and ``chunks``."""

    @property
    def size(self) -> int:
        """Bytes, after ``ready``."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the answer that has it, names in lower case; after ``ready``."""

    def ready(self) -> None:
        """Open it and learn its size, unless that has been done. Raises SourceError."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes from the beginning. Raises SourceError."""

    def close(self) -> None:
        """Let go of it."""


class SingleSource:
    """What one session needs: read as it is sent. One that does not tell its size is kept first, to learn it."""

    def __init__(self, name: str, open_source: Open, read_timeout: float, spool: Spool) -> None:
        self._name = name
        self._open = open_source
        self._read_timeout = read_timeout
        self._spool = spool
        self._fetched: Fetched | None = None
        self.size = 0
        self.headers: Mapping[str, str] = {}

    def ready(self) -> None:
        """Open it; again if it has been read."""
        if self._fetched is not None:
            return
        fetched = self._open()
        if fetched.length is None:
            segment = self._spool.segment()
            for _ in _kept(_timed(fetched, self._name, self._read_timeout), segment, self._name):
                pass
            fetched = replace(fetched, length=segment.size, body=segment.chunks())
        self._fetched = fetched
        self.size, self.headers = fetched.length or 0, fetched.headers

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, once for each ``ready``."""
        fetched, self._fetched = self._fetched, None
        assert fetched is not None
        yield from _timed(fetched, self._name, self._read_timeout)

    def close(self) -> None:
        """Let go of it."""
        if self._fetched is not None:
            self._fetched.close()
            self._fetched = None


class SharedSource:
    """What several sessions need: goes through the job's spool."""

    def __init__(self, name: str, open_source: Open, read_timeout: float, spool: Spool) -> None:
        self._name = name
        self._open = open_source
        self._read_timeout = read_timeout
        self._spool = spool
        self._opening = Semaphore(1)
        self._segment: Segment | None = None
        self._reader: Any = None
        self._more = Event()
        self._complete = False
        self._error: SourceError | None = None
        self.size = 0
        self.headers: Mapping[str, str] = {}

    def ready(self) -> None:
        """Open it and begin to read; again if reading failed the last time."""
        with self._opening:
            if self._segment is not None and self._error is None:
                return
            fetched = self._open()
            self.headers = fetched.headers
            self._segment, self._error, self._complete = self._spool.segment(), None, False
            self._reader = spawn(self._copy, fetched, self._segment)
            if fetched.length is None:
                self._reader.wait()
            self.size = self._segment.size if fetched.length is None else fetched.length
            if self._error is not None:
                raise self._error

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, as they arrive or from where they are kept."""
        segment, position = self._segment, 0
        assert segment is not None
        while True:
            more, complete = self._more, self._complete
            for piece in segment.chunks(position):
                position += len(piece)
                yield piece
            if self._error is not None:
                raise self._error
            if complete and position == segment.size:
                return
            if not complete and position == segment.size:
                more.wait()

    def close(self) -> None:
        """Stop reading it."""
        if self._reader is not None:
            self._reader.kill()

    def _copy(self, fetched: Fetched, segment: Segment) -> None:
        try:
            for _ in _kept(_timed(fetched, self._name, self._read_timeout), segment, self._name):
                self._tell()
        except SourceError as error:
            self._error = error
        finally:
            self._complete = True
            self._tell()

    def _tell(self) -> None:
        more, self._more = self._more, Event()
        more.send()


def _kept(pieces: Iterator[bytes], segment: Segment, name: str) -> Iterator[int]:
    """Append the pieces to a segment, and tell its size after each. Raises SourceError."""
    for piece in pieces:
        try:
            segment.append(piece)
        except OSError as error:
            raise SourceError(
                503, f"Error while fetching {name}: the proxy has no room to keep it: {error.strerror}"
            ) from error
        yield segment.size


def _timed(fetched: Fetched, name: str, timeout: float) -> Iterator[bytes]:
    """The body in pieces. Raises SourceError if it ends early, or pauses for longer than ``timeout`` seconds."""
    left = fetched.length
    chunks = fetched.chunks()
    try:
        while True:
            with Timeout(timeout):
                piece = next(chunks, None)
            if piece is None:
                break
            left = None if left is None else left - len(piece)
            yield piece
    except Timeout:
        raise SourceError(503, f"Error while fetching {name}: nothing came for {timeout:g} s") from None
    except OSError as error:
        raise SourceError(503, f"Error while fetching {name}: {error}") from error
    finally:
        fetched.close()
    if left:
        raise SourceError(503, f"Error while fetching {name}: it ended {left} bytes early")
