"""A system map as the body of a POST: ``Content-Type: application/json`` (HTTP API, section 2)."""

from __future__ import annotations

import hashlib
from typing import Any

from swift.common.concurrency import ChunkReadError, Timeout

from zerocloud.sysmap import Limits, SystemMapSyntaxError, parse_document

from ..errors import JobError, MapError
from ..settings import Settings

JSON_TYPE = "application/json"
CHUNK = 65536


def read_map(environ: Any, settings: Settings, limits: Limits) -> Any:
    """The JSON value of the map in the request's body. Raises JobError (408, 413, 422, 499)."""
    length = environ.get("CONTENT_LENGTH")
    declared = int(length) if length else None
    if declared is not None and declared > settings.maximum_map:
        raise _too_large(settings)
    text = _read(environ["wsgi.input"], settings)
    if declared is not None and len(text) < declared:
        raise JobError(499, f"{JSON_TYPE} POST unfinished: {len(text)} of {declared} bytes came")
    etag = environ.get("HTTP_ETAG", "").strip().strip('"').lower()
    if etag and etag != hashlib.md5(text, usedforsecurity=False).hexdigest():
        raise JobError(422, "The Etag header is not the MD5 of the system map that came")
    try:
        return parse_document(text, limits)
    except SystemMapSyntaxError as error:
        raise MapError(422, error) from error


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
        raise JobError(499, f"{JSON_TYPE} POST unfinished") from error


def _too_large(settings: Settings) -> JobError:
    return JobError(413, f"The system map is larger than {settings.maximum_map} bytes")
