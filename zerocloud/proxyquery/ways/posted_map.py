"""A system map as the body of a POST: ``Content-Type: application/json`` (HTTP API, section 2)."""

from __future__ import annotations

from ..errors import JobError
from ..request import JobRequest
from .door import Door


def posted_map(door: Door) -> JobRequest:
    """The job of the map in the request's body. Raises JobError (408, 413, 422, 499)."""
    text = door.intake.body(door.environ, door.settings.maximum_map)
    etag = str(door.environ.get("HTTP_ETAG", "")).strip().strip('"').lower()
    if etag and etag != text.digest():
        raise JobError(422, "The Etag header is not the MD5 of the system map that came")
    document = door.parse(text.head(text.size))
    return door.job(document, payload=door.handed_over(document))
