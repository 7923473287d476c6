"""Zapps that this process has read lately: their maps, and the names of their images where servers may keep them.

What is kept says nothing about rights, and nothing about what an object is now: each use of it asks Swift, with the caller's
rights, whether the object is still the version that was read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.sysmap import SwiftPath

MOST_ZAPPS = 4096
MOST_BYTES = 16 << 20
"""Bytes of all maps together."""


@dataclass(frozen=True)
class Zapp:
    """What was in an object when it was read: Swift's names for that version, its map, and its image, if it is an archive.

    ``kind`` is its content type, ``image`` the image's name (:data:`zerocloud.wire.IMAGE`), ``size`` its bytes.
    """

    etag: str
    timestamp: str
    kind: str
    text: bytes
    image: str = ""
    compressed: bool = False
    size: int = 0

    def is_current(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer tells of this version. A POST of metadata, which may change the type, is another one."""
        return headers.get("x-timestamp") == self.timestamp


class Zapps:
    """The zapps that are kept; what was used longest ago is forgotten."""

    def __init__(self, most: int = MOST_ZAPPS, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._zapps: OrderedDict[SwiftPath, Zapp] = OrderedDict()
        self._bytes = 0

    def last(self, path: SwiftPath) -> Zapp | None:
        """What the object was when it was read last."""
        zapp = self._zapps.get(path)
        if zapp is not None:
            self._zapps.move_to_end(path)
        return zapp

    def remember(self, path: SwiftPath, zapp: Zapp) -> None:
        """Note what the object is."""
        self.forget(path)
        self._zapps[path] = zapp
        self._bytes += len(zapp.text)
        while len(self._zapps) > self._most or self._bytes > self._most_bytes:
            self.forget(next(iter(self._zapps)))

    def forget(self, path: SwiftPath) -> None:
        """The object is something else, or nothing."""
        zapp = self._zapps.pop(path, None)
        if zapp is not None:
            self._bytes -= len(zapp.text)
