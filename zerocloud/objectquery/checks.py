"""What is checked of a request before a byte of its body is read (executing server, section 3, checks 1 to 4 and 9)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from swift.common.constraints import check_utf8
from swift.common.swob import Request, wsgi_to_str

from zerocloud import wire
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.settings import Settings
from zerocloud.swiftadapter import Placement, placement


@dataclass(frozen=True)
class Head:
    """A request's line and headers, checked and typed.

    ``timeout`` and ``patience`` (for a slot) are in seconds; ``length`` is the body's, where declared. ``validating``: the
    program is only to be validated.
    """

    place: Placement
    validating: bool
    job: str
    access: str
    pool: str
    timeout: int
    patience: float
    length: int | None
    colocated: str
    program: str
    image: str
    transaction: str


def read_head(request: Request, settings: Settings) -> Head:
    """Check and take a request's line and headers. Raises :class:`Refusal`, or swob's HTTPException for a bad path."""
    if not check_utf8(wsgi_to_str(request.path_info)):
        raise Refusal(412, "Invalid UTF8")
    job = _header(request, wire.JOB_ID)
    if not job:
        raise Refusal(500, f"{wire.JOB_ID} header is missing")
    length = _length(request)
    if length is not None and length > settings.max_input:
        raise Refusal(413, "RPC request too large")
    _check_type(request)
    return Head(
        place=placement(request),
        validating=_header(request, wire.EXECUTE).lower() == wire.VALIDATE,
        job=job,
        access=_header(request, wire.ACCESS).upper(),
        pool=(_header(request, wire.POOL) or "default").lower(),
        timeout=_timeout(request, settings),
        patience=_patience(request),
        length=length,
        colocated=_header(request, wire.COLOCATED),
        program=_header(request, wire.PROGRAM),
        image=_header(request, wire.IMAGE),
        transaction=_header(request, "X-Trans-Id") or "-",
    )


def check_pool(head: Head, settings: Settings) -> None:
    """Check 9: the pool is one of the configured ones. Raises :class:`Refusal`."""
    if head.pool not in settings.pool_names:
        raise Refusal(400, f"Cannot find pool {head.pool}")


def _header(request: Request, name: str) -> str:
    return str(wsgi_to_str(request.headers.get(name, ""))).strip()


def _length(request: Request) -> int | None:
    try:
        length: int | None = request.content_length
    except ValueError:
        length = -1
    if length is not None and length < 0:
        raise Refusal(400, "Invalid Content-Length")
    return length


def _check_type(request: Request) -> None:
    content_type = _header(request, "Content-Type")
    if not content_type:
        raise Refusal(400, "No content type")
    if content_type.partition(";")[0].strip().lower() not in wire.TAR_TYPES:
        raise Refusal(400, "Invalid Content-Type")


def _timeout(request: Request, settings: Settings) -> int:
    text = _header(request, wire.TIMEOUT)
    if not text:
        return settings.timeout
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise Refusal(400, f"{wire.TIMEOUT}: {text[:40]}: expected whole seconds, 1 or more")
    return int(text)


def _patience(request: Request) -> float:
    """How long the request may wait for a slot; as long as it may take if it does not say."""
    text = _header(request, wire.PATIENCE)
    if not text:
        return math.inf
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
        raise Refusal(400, f"{wire.PATIENCE}: {text[:40]}: expected seconds")
    return float(text)
