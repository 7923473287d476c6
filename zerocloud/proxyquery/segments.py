"""Objects that Swift has put together of segments: each of these lies somewhere as a file, the whole does not.

A node with a part of such an object runs where the part's segment lies, and is only sent what of its last record is in the next
one. Whatever is not as it was planned, or can't be read as it lies, is read through the pipeline instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import simplejson

from zerocloud.sysmap import Channel, ListingError, Node, Slice, SwiftPath

from .errors import SourceError
from .subrequests import Fetched, Pipeline

LARGE = "x-static-large-object"
MOST_MANIFEST = 32 << 20
"""Bytes of a manifest that are read."""


@dataclass(frozen=True)
class Segment:
    """A segment of a large object: ``size`` bytes of it from ``start`` on. ``etag`` is its own, ``whole`` the object's."""

    path: SwiftPath
    start: int
    size: int
    etag: str
    whole: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


class Segments:
    """Sizes and segments of the objects that one job splits; each object is asked for once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._known: dict[SwiftPath, tuple[Segment, ...]] = {}
        self._heads: dict[SwiftPath, Fetched] = {}

    def size_of(self, path: SwiftPath) -> int:
        """The size of an object as who reads it sees it. Raises ListingError."""
        return self._head(path).length or 0

    def sizes(self, path: SwiftPath) -> Sequence[int]:
        """The sizes of an object's segments; none if it is no such object. Raises ListingError."""
        return [segment.size for segment in self._of(path)]

    def under(self, node: Node) -> Segment | None:
        """The segment in which the node's part of the object that it is attached to lies, if it may be read by itself."""
        found = attached_slice(node)
        if found is None:
            return None
        channel, part = found
        assert isinstance(channel.path, SwiftPath)
        around = (one for one in self._known.get(channel.path, ()) if one.start <= part.start and part.end <= one.end)
        segment = next(around, None)
        return segment if segment and self._is_readable(segment.path) else None

    def _is_readable(self, path: SwiftPath) -> bool:
        info = self._pipeline.container_info(path)
        return self._pipeline.authorize("GET", path, info["read_acl"]) is None

    def _of(self, path: SwiftPath) -> tuple[Segment, ...]:
        if path not in self._known:
            self._known[path] = self._read(path)
        return self._known[path]

    def _head(self, path: SwiftPath) -> Fetched:
        if path not in self._heads:
            found = self._pipeline.head(path)
            if found.status != 200:
                raise ListingError(SourceError.refused(found.status, path).text)
            self._heads[path] = found
        return self._heads[path]

    def _read(self, path: SwiftPath) -> tuple[Segment, ...]:
        if self._head(path).headers.get(LARGE, "").lower() != "true":
            return ()
        fetched = self._pipeline.get(path, "multipart-manifest=get")
        text = b""
        for piece in fetched.chunks():
            text += piece
            if len(text) > MOST_MANIFEST:
                return ()
        try:
            found = tuple(plain_segments(path.account, simplejson.loads(text))) if fetched.status == 200 else ()
        except (ValueError, KeyError, TypeError):
            return ()
        return tuple(replace(segment, headers=self._head(path).headers) for segment in found)


def attached_slice(node: Node) -> tuple[Channel, Slice] | None:
    """The channel that reads a part of the object that the node is attached to, and the part."""
    for channel in node.channels:
        if channel.slice and isinstance(channel.path, SwiftPath) and channel.path.path == node.path_info:
            return channel, channel.slice
    return None


def plain_segments(account: str, manifest: Sequence[Mapping[str, Any]]) -> Iterator[Segment]:
    """The segments of a manifest (as ``?multipart-manifest=get`` tells it), if all are whole objects; else none.

    Raises KeyError, TypeError, ValueError for what is no manifest.
    """
    if any(entry.get("range") or entry.get("sub_slo") or "data" in entry for entry in manifest):
        return
    whole = hashlib.md5("".join(entry["hash"] for entry in manifest).encode(), usedforsecurity=False).hexdigest()
    start = 0
    for entry in manifest:
        container, _, name = str(entry["name"]).removeprefix("/").partition("/")
        segment = Segment(SwiftPath(account, container, name), start, int(entry["bytes"]), str(entry["hash"]), whole)
        yield segment
        start = segment.end
