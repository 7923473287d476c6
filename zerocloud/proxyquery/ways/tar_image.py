"""A tar archive with a system map in it: the whole of it becomes the image that every node sees at ``/`` (HTTP API, section 2).

The map is looked for member by member, however large the members before it are; nothing is unpacked here.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

from swift.common.concurrency import sleep

from zerocloud.tarwalk import CHUNK, FileSource, Source, TarError, walk

from ..errors import JobError
from ..intake import Kept
from ..request import JobRequest
from .door import GZIP, Door

MAPS = ("boot/cluster.map", "boot/system.map")
MOST_MAP = 1 << 20
"""Bytes of a map in an archive."""


def posted_image(door: Door, content_type: str) -> JobRequest:
    """The job of an archive in the body. Raises JobError: 400 without a map in it, 422 if it is broken."""
    if not door.environ.get("CONTENT_LENGTH"):
        raise JobError(400, "Must specify Content-Length")
    image = door.intake.body(door.environ)
    text = find_map(image, content_type, door.settings.maximum_input)
    if text is None:
        raise JobError(400, "System boot map was not found in request")
    return door.job(door.parse(text), image, content_type == GZIP)


def find_map(image: Kept, content_type: str, most: int) -> bytes | None:
    """The first map in an archive; None if there is none. ``most`` limits the bytes that a gzip may come to.

    Raises JobError: 413 for a map or a gzip that is too large, 422 for what is broken.
    """
    source: Source = _Inflated(image, most) if content_type == GZIP else FileSource(image.read_at)
    try:
        for member in walk(source):
            if member.regular and member.name.removeprefix("./") in MAPS:
                if member.size > MOST_MAP:
                    raise JobError(413, f"The system map {member.name} is larger than {MOST_MAP} bytes")
                return b"".join(member.chunks())
            sleep(0)
    except (TarError, OSError, EOFError, zlib.error) as error:
        raise JobError(422, f"Error reading {content_type} stream: {error}") from error
    return None


class _Inflated:
    """A gzip that is read once, from its beginning."""

    def __init__(self, image: Kept, most: int) -> None:
        self._file = gzip.GzipFile(fileobj=cast(Any, _Reader(image.chunks())))
        self._left = most

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise JobError(413, "The gzipped image inflates to more than this cluster takes")
        return data

    def skip(self, size: int) -> None:
        while size and (data := self.read(min(size, CHUNK))):
            size -= len(data)
            sleep(0)


class _Reader:
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._next: Callable[[], bytes] = lambda: next(pieces, b"")
        self._left = b""

    def read(self, size: int) -> bytes:
        data = self._left or self._next()
        self._left = data[size:]
        return data[:size]
