"""What a request brings along, the client's body or a zapp, kept before its job begins: read once, sent as often as needed.

It waits in a temporary file without a name, so memory stays constant and nothing is left behind. A client that is still to be
read could not be watched for hanging up; so its body is read to the end first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import md5, sha256
from typing import Any, Protocol

from swift.common.concurrency import ChunkReadError, Timeout, sleep

from zerocloud import wire
from zerocloud.sysmap import Node, wants_payload

from .errors import JobError, SourceError
from .settings import Settings
from .spool import Segment, Spool
from .subrequests import Fetched

CHUNK = 65536
EMPTY = md5(usedforsecurity=False).hexdigest()


class Content(Protocol):
    """Bytes that can be had as often as needed until their intake is closed."""

    @property
    def size(self) -> int:
        """Bytes."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning. Raises SourceError."""


class Kept:
    """Bytes that are there, to be read as often as needed until their intake is closed."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    @property
    def size(self) -> int:
        """Bytes."""
        return self._segment.size

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        return self._segment.chunks()

    def read_at(self, size: int, position: int) -> bytes:
        """Up to ``size`` bytes from a position on; none at the end."""
        return next(self._segment.chunks(position), b"")[:size]

    def head(self, most: int) -> bytes:
        """Its beginning, as far as ``most`` bytes."""
        found = bytearray()
        for piece in self.chunks():
            found += piece
            if len(found) >= most:
                break
        return bytes(memoryview(found)[:most])

    def digest(self) -> str:
        """Its MD5, as Swift's ETags are, letting others run meanwhile."""
        found = md5(usedforsecurity=False)
        for piece in self.chunks():
            found.update(piece)
            sleep(0)
        return found.hexdigest()

    def sha256(self) -> str:
        """Its SHA-256, letting others run meanwhile."""
        found = sha256()
        for piece in self.chunks():
            found.update(piece)
            sleep(0)
        return found.hexdigest()


class Intake:
    """Keeps what came with one request until its job has ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spool = Spool(
            settings.spool_memory, settings.spool_directory, settings.network_chunk_size, settings.spool_maximum
        )

    def body(self, environ: Any, limit: int | None = None) -> Kept:
        """The client's body, of at most ``limit`` bytes.

        Raises JobError: 408 if it comes too slowly, 413 if it is too large, 499 if it breaks off.
        """
        length = environ.get("CONTENT_LENGTH")
        return self.read(environ["wsgi.input"], int(length) if length else None, limit)

    def read(self, source: Any, declared: int | None, limit: int | None = None) -> Kept:
        """What a client still sends; ``declared`` is how many bytes it has told to come. Raises JobError as ``body`` does."""
        limit = limit or self._settings.maximum_input
        _check(declared or 0, limit)
        segment = self._spool.segment()
        deadline = time.monotonic() + self._settings.maximum_upload_time
        for piece in iter(lambda: self._read(source, deadline), b""):
            self._append(segment, piece, limit)
        if declared is not None and segment.size < declared:
            raise JobError(499, f"The request's body ended after {segment.size} of {declared} bytes")
        return Kept(segment)

    def fetched(self, fetched: Fetched, name: str, limit: int | None = None) -> Kept:
        """An object that is open, of at most ``limit`` bytes; not all tell how many they have.

        Raises SourceError, or JobError (413).
        """
        limit = limit or self._settings.maximum_input
        try:
            _check(fetched.length or 0, limit)
            segment = self._spool.segment()
            pieces = fetched.chunks()
            for piece in iter(lambda: self._next(pieces, name), b""):
                self._append(segment, piece, limit)
        finally:
            fetched.close()
        if fetched.length is not None and segment.size < fetched.length:
            raise SourceError(503, f"Error while fetching {name}: it ended {fetched.length - segment.size} bytes early")
        return Kept(segment)

    def of_bytes(self, data: bytes) -> Kept:
        """Bytes that are at hand."""
        segment = self._spool.segment()
        self._append(segment, data, len(data))
        return Kept(segment)

    def close(self) -> None:
        """Forget everything."""
        self._spool.close()

    def _read(self, source: Any, deadline: float) -> bytes:
        seconds = min(self._settings.client_timeout, deadline - time.monotonic())
        slow = JobError(408, f"Nothing of the request's body came for {max(0.0, seconds):g} s")
        try:
            piece = _within(seconds, lambda: source.read(CHUNK), slow)
        except (OSError, ChunkReadError) as error:
            raise JobError(499, "The request's body broke off") from error
        sleep(0)  # a fast client must not keep all others waiting
        return piece

    def _next(self, pieces: Iterator[bytes], name: str) -> bytes:
        seconds = self._settings.node_timeout
        slow = SourceError(503, f"Error while fetching {name}: nothing came for {seconds:g} s")
        try:
            return _within(seconds, lambda: next((piece for piece in pieces if piece), b""), slow)
        except OSError as error:
            raise SourceError(503, f"Error while fetching {name}: {error}") from error

    def _append(self, segment: Segment, piece: bytes, limit: int) -> None:
        _check(segment.size + len(piece), limit)
        try:
            segment.append(piece)
        except OSError as error:
            raise JobError(503, f"The proxy has no room to keep what the job brings: {error.strerror}") from error


def check_etag(environ: Mapping[str, Any], kept: Kept | None, what: str) -> None:
    """Whether what a client sent (None: nothing) has the MD5 that its ``Etag`` header tells, if any. Raises JobError (422)."""
    told = str(environ.get("HTTP_ETAG", "")).strip().strip('"').lower()
    if told and told != (kept.digest() if kept else EMPTY):
        raise JobError(422, f"The Etag header is not the MD5 of {what}")


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise JobError(413, f"What the request brings is larger than {limit} bytes")


def _within(seconds: float, action: Callable[[], bytes], slow: JobError) -> bytes:
    """Do something within a time, or raise ``slow``."""
    with Timeout(max(0.0, seconds)) as expired:
        try:
            return action()
        except Timeout as error:
            if error is not expired:
                raise
    raise slow


@dataclass(frozen=True)
class Brought:
    """What a job has from its request: an image for every node's ``/``, and what its devices without a path read.

    ``name`` is that of the image where servers may keep it (:data:`zerocloud.wire.IMAGE`): a digest of the very bytes that it
    has. So a request can have no image that it could not read.
    """

    intake: Intake | None = None
    image: Content | None = None
    compressed: bool = False
    payload: Kept | None = None
    name: str = ""

    def members(self, node: Node, image_known: bool = False) -> Iterator[tuple[str, Content]]:
        """What is sent to a node of it, by the names of its members (executing server, section 2).

        ``image_known``: the node's server has the image.
        """
        if self.image is not None and not image_known:
            yield image_member(self.compressed), self.image
        if self.payload is not None:
            for channel in filter(wants_payload, node.channels):
                yield channel.device, self.payload

    def close(self) -> None:
        """Forget it."""
        if self.intake is not None:
            self.intake.close()


NOTHING = Brought()


def image_member(compressed: bool) -> str:
    """What an image is called among the members."""
    return wire.GZIP_IMAGE_MEMBER if compressed else wire.IMAGE_MEMBER


def image_name(content: Kept, compressed: bool) -> str:
    """The name of an image that is likely to come again, and need not be sent again."""
    return wire.IMAGE_FORMS[image_member(compressed)] + content.sha256()
