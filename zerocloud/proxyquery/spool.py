"""Where a job keeps bytes that have to wait: one unlinked temporary file, in memory as long as it is small.

What several nodes need is read once and waits here for each of them; answers wait here until all that belong together are
there. The file has no name, so nothing is left of it however the process ends.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from types import TracebackType


class SpoolFull(OSError):
    """More would have to be kept for one job than its proxy allows."""


class Spool:
    """The temporary file of one job. Segments grow side by side in it. No method lets other green threads run."""

    def __init__(self, memory: int, directory: str | None, chunk_size: int, maximum: int) -> None:
        """``memory`` is the number of bytes up to which no file is made, ``chunk_size`` what is read at once.

        ``maximum`` bounds the bytes that are ever written.
        """
        self._file = tempfile.SpooledTemporaryFile(max_size=memory, dir=directory)  # noqa: SIM115 - closed by close
        self._size = 0
        self._maximum = maximum
        self.chunk_size = chunk_size

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything. Segments can't be read any more."""
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._size

    def segment(self) -> Segment:
        """A new, empty segment."""
        return Segment(self)

    def write(self, data: bytes) -> int:
        """Append; where it begins. Raises SpoolFull, or another OSError if the disk is full."""
        start = self._size
        if start + len(data) > self._maximum:
            raise SpoolFull(errno.EDQUOT, f"a job may keep {self._maximum} bytes here at most")
        self._file.seek(start)
        self._file.write(data)
        self._size += len(data)
        return start

    def read(self, start: int, amount: int) -> bytes:
        """Bytes that were written."""
        self._file.seek(start)
        return self._file.read(amount)


class Segment:
    """Bytes that belong together, in the order in which they were appended."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._pieces: list[tuple[int, int]] = []
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end. Raises OSError if there is no room."""
        if not data:
            return
        start = self._spool.write(data)
        if self._pieces and sum(self._pieces[-1]) == start:
            self._pieces[-1] = (self._pieces[-1][0], self._pieces[-1][1] + len(data))
        else:
            self._pieces.append((start, len(data)))
        self.size += len(data)

    def chunks(self, position: int = 0) -> Iterator[bytes]:
        """The bytes from ``position`` on, as far as they are there when they are asked for."""
        index, skipped = 0, 0  # the piece at hand, and the bytes before it
        while index < len(self._pieces):
            start, length = self._pieces[index]
            offset = position - skipped
            if offset < length:
                data = self._spool.read(start + offset, min(self._spool.chunk_size, length - offset))
                position += len(data)
                yield data
            else:
                index, skipped = index + 1, skipped + length

    def reader(self) -> SegmentReader:
        """The segment as a file, from its beginning."""
        return SegmentReader(self)


class SegmentReader:
    """Reads a segment like a file that is complete."""

    def __init__(self, segment: Segment) -> None:
        self._chunks = segment.chunks()
        self._left = b""

    def read(self, amount: int) -> bytes:
        """At most ``amount`` bytes; none at the end."""
        data = self._left or next(self._chunks, b"")
        self._left = data[amount:]
        return data[:amount]
