"""Errors as responses: a sentence, or, for clients that prefer JSON, an object (HTTP API, section 8)."""

from __future__ import annotations

from typing import Any

import simplejson
from swift.common.swob import Request, Response

from .accept import JSON, TEXT, best_type
from .errors import JobError, MapError


def refuse(request: Request, error: JobError) -> Response:
    """The response that tells of an error."""
    form = best_type(request, (TEXT, JSON))
    body = simplejson.dumps(_value(error)) if form == JSON else error.text
    response = Response(status=error.status, body=body.encode("utf-8", "replace"), content_type=form, request=request)
    response.charset = "utf-8"
    return response


def _value(error: JobError) -> dict[str, Any]:
    """``error`` is the text that others get; ``problems`` are the mistakes of a map, each with a JSON pointer."""
    mistakes = error.mistakes.to_value() if isinstance(error, MapError) else {}
    return {"error": error.text, **mistakes}
