"""Reads a part of an object that is to be sent to a node: its slice of a ``split`` object (system map, section 6).

Only these bytes are read from Swift, and where lines or records decide about them, a little around their borders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from zerocloud.sysmap import Slice, SliceTooLong, SwiftPath, visible_range

from .errors import SourceError
from .subrequests import Fetched, Pipeline


def open_part(pipeline: Pipeline, path: SwiftPath, part: Slice, headers: Mapping[str, str], most: int) -> Fetched:
    """Open what a node with this slice sees of the object, at most so many bytes. Raises SourceError.

    All requests have to meet the same object, of the size it had when it was split.
    """
    reader = _Reader(pipeline, path, part.size, headers)
    return reader.open(*reader.visible(part, most))


def edges_of_part(pipeline: Pipeline, path: SwiftPath, part: Slice, headers: Mapping[str, str], most: int) -> tuple[int, int]:
    """Where what a node with this slice sees begins and ends in the object. Raises SourceError."""
    return _Reader(pipeline, path, part.size, headers).visible(part, most)


class _Reader:
    """Ranges of one object, which must not change in between."""

    def __init__(self, pipeline: Pipeline, path: SwiftPath, size: int, headers: Mapping[str, str]) -> None:
        self._pipeline = pipeline
        self._path = path
        self._size = size
        self._headers = dict(headers)
        self._found: Mapping[str, str] = {}

    def visible(self, part: Slice, most: int) -> tuple[int, int]:
        """What a node with this slice sees. Raises SourceError."""
        try:
            return visible_range(self.read, part.start, part.end, part.size, part.separator.encode(), most)
        except SliceTooLong:
            where = f"the part of {self._path.path} from byte {part.start} to {part.end}"
            raise SourceError(413, f"With its last record, {where} has more than {most} bytes") from None

    def read(self, offset: int, length: int) -> bytes:
        """The bytes there. Raises SourceError."""
        return b"".join(_whole(self.open(offset, min(offset + length, self._size)), self._path))

    def open(self, start: int, end: int) -> Fetched:
        """The bytes from ``start`` to ``end``, exclusive; the headers are those of the first request. Raises SourceError."""
        if start >= end:
            return Fetched(200, self._found, 0, ())
        fetched = self._pipeline.get(self._path, headers={**self._headers, "Range": f"bytes={start}-{end - 1}"})
        if fetched.status != 206:
            raise self._refused(fetched)
        if fetched.headers.get("content-range") != f"bytes {start}-{end - 1}/{self._size}":
            fetched.close()
            raise self._changed()
        if etag := fetched.headers.get("etag"):
            self._headers["If-Match"] = etag
        self._found = self._found or fetched.headers  # a condition makes Swift tell another type of a dynamic large object
        return replace(fetched, headers=self._found)

    def _refused(self, fetched: Fetched) -> SourceError:
        fetched.close()
        if fetched.status in (200, 412, 416):
            return self._changed()
        return SourceError.refused(fetched.status, self._path)

    def _changed(self) -> SourceError:
        return SourceError(409, f"{self._path.path} is not the object of {self._size} bytes any more that was split")


def _whole(fetched: Fetched, path: SwiftPath) -> Iterator[bytes]:
    """A short body. Raises SourceError if it breaks off."""
    left = fetched.length or 0
    try:
        for piece in fetched.chunks():
            left -= len(piece)
            yield piece
    except OSError as error:
        raise SourceError(503, f"Error while fetching {path.path}: {error}") from error
    if left:
        raise SourceError(503, f"Error while fetching {path.path}: it ended {left} bytes early")
