"""Reads what a storage server said, and turns it into an event for the scheduler. Pure.

Source: executing server, sections 1, 3 and 10; HTTP API, sections 7 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from zerocloud import wire

from .results import SessionReport
from .scheduler import Admitted, Failed, Lost, Refusal, Refused, Succeeded

CONTINUE = 100
OK = 200
NOT_INSTALLED = "objectquery middleware is not installed or not functioning"
NO_SLOT = "Slot not available"


class Blame(Enum):
    """What Swift's error limiting is to be told of a server. A guest must not be able to bring this about."""

    NOTHING = 0
    FAILED = 1
    FULL = 2


def interim_event(
    session: int, attempt: int, status: int, headers: Mapping[str, str], text: str, path: str
) -> tuple[Admitted | Refused, Blame]:
    """What the first word of a server means: ``100 Continue``, or an answer in its place. ``path`` is the node's place."""

    def refused(refusal: Refusal, reason: str, blame: Blame = Blame.NOTHING) -> tuple[Refused, Blame]:
        return Refused(session, attempt, refusal, status, reason), blame

    if status == CONTINUE:
        return Admitted(session, attempt), Blame.NOTHING
    if status == 404:
        return refused(Refusal.ELSEWHERE, f"Error 404 Not Found while fetching {path}")
    if status == 409 and wire.NOT_LOCAL.lower() in headers:
        kind = headers[wire.NOT_LOCAL.lower()]
        if kind == wire.SHARDED:  # a container is nothing that could be brought
            return Refused(session, attempt, Refusal.FINAL, 400, text), Blame.NOTHING
        return refused(Refusal.NOT_LOCAL, kind)
    if status == 503 and text.startswith(NO_SLOT):
        return refused(Refusal.BUSY, NO_SLOT)
    if status == 507:
        return refused(Refusal.ELSEWHERE, "Insufficient Storage", Blame.FULL)
    if status >= 500:
        return refused(Refusal.ELSEWHERE, text or f"status {status}", Blame.FAILED)
    if status < 300:
        return Refused(session, attempt, Refusal.ELSEWHERE, 503, NOT_INSTALLED), Blame.NOTHING
    return refused(Refusal.FINAL, text or f"status {status}")


def final_event(
    session: int, attempt: int, status: int, headers: Mapping[str, str], text: str, ignore_exit: bool
) -> Succeeded | Failed | Lost:
    """What the answer to a sent session means. ``text`` is its body if it is not 200.

    ``ignore_exit`` takes a program's own exit code for success whatever it is.
    """
    if status < 400 and (status != OK or wire.STATUS.lower() not in headers):
        return Lost(session, attempt, NOT_INSTALLED)
    if status == OK:
        report = SessionReport.from_headers(headers)
        exited = report.status == "ok" and report.retcode != "0"
        if report.error and not (exited and ignore_exit):
            return Failed(session, attempt, 500, report.error)
        return Succeeded(session, attempt, report.etag)
    if status == 409 and wire.NOT_LOCAL.lower() in headers:
        return Lost(session, attempt, text or "an input does not lie there", push=True)
    if status >= 500:
        return Lost(session, attempt, text or f"status {status}", 500 if status == 500 else 503)
    return Failed(session, attempt, status, text or f"status {status}")


def unavailable_event(session: int, attempt: int, status: int, text: str) -> Failed | Lost:
    """What it means that something could not be had which an admitted session was to be sent."""
    if status >= 500:
        return Lost(session, attempt, text, status)
    return Failed(session, attempt, status, text)
