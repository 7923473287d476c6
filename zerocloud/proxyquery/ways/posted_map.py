"""A system map as the body of a POST: ``Content-Type: application/json`` (HTTP API, section 2)."""

from __future__ import annotations

import hashlib
from typing import Any

from swift.common.concurrency import ChunkReadError, Timeout

from ..errors import JobError
from ..request import JobRequest
from ..settings import Settings
from .door import JSON, Door

CHUNK = 65536


def posted_map(door: Door) -> JobRequest:
    """The job of the map in the request's body. Raises JobError (408, 413, 422, 499)."""
    return door.job(door.parse(_map_text(door.environ, door.settings)))


def _map_text(environ: Any, settings: Settings) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    declared = int(length) if length else None
    if declared is not None and declared > settings.maximum_map:
        raise _too_large(settings)
    text = _read(environ["wsgi.input"], settings)
    if declared is not None and len(text) < declared:
        raise JobError(499, f"{JSON} POST unfinished: {len(text)} of {declared} bytes came")
    etag = environ.get("HTTP_ETAG", "").strip().strip('"').lower()
    if etag and etag != hashlib.md5(text, usedforsecurity=False).hexdigest():
        raise JobError(422, "The Etag header is not the MD5 of the system map that came")
    return text


def _read(source: Any, settings: Settings) -> bytes:
    """The body, up to the limit."""
    parts: list[bytes] = []
    size = 0
    with Timeout(
        settings.maximum_upload_time, JobError(408, f"The upload took longer than {settings.maximum_upload_time:g} s")
    ):
        while piece := _read_piece(source, settings):
            parts.append(piece)
            size += len(piece)
            if size > settings.maximum_map:
                raise _too_large(settings)
    return b"".join(parts)


def _read_piece(source: Any, settings: Settings) -> bytes:
    try:
        with Timeout(settings.client_timeout, JobError(408, f"Nothing of the body came for {settings.client_timeout:g} s")):
            piece: bytes = source.read(CHUNK)
            return piece
    except (OSError, ChunkReadError) as error:
        raise JobError(499, f"{JSON} POST unfinished") from error


def _too_large(settings: Settings) -> JobError:
    return JobError(413, f"The system map is larger than {settings.maximum_map} bytes")
