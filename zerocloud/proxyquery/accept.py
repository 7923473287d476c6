"""Chooses the form of an answer by the request's ``Accept`` header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webob.acceptparse import create_accept_header

TEXT = "text/plain"
JSON = "application/json"


def best_type(request: Any, offers: Iterable[str]) -> str:
    """The media type among ``offers`` that the client likes best; the first for who likes none, all, or says it wrongly.

    Names are compared without regard to parameters.
    """
    offered = list(offers)
    liked = create_accept_header(request.headers.get("Accept")).acceptable_offers(offered)
    return str(liked[0][0]) if liked else offered[0]
