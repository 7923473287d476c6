"""A system map as the body of a POST: ``Content-Type: application/json`` (HTTP API, section 2)."""

from __future__ import annotations

from ..intake import check_etag
from ..request import JobRequest
from .door import Door


def posted_map(door: Door) -> JobRequest:
    """The job of the map in the request's body. Raises JobError (408, 413, 422, 499)."""
    text = door.intake.body(door.environ, door.settings.maximum_map)
    check_etag(door.environ, text, "the system map that came")
    document = door.parse(text.head(text.size))
    return door.job(document, payload=door.handed_over(document))
