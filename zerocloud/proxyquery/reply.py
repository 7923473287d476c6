"""The client's answer: every node's report in headers, what the nodes answered in the body (HTTP API, section 7)."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import responses
from itertools import chain
from typing import Any, Self

from swift.common.concurrency import sleep
from swift.common.swob import Response, str_to_wsgi

from .accept import JSON, TEXT
from .ended import Ended
from .report_headers import report_headers
from .results import NodeBody, one_line
from .scheduler import Outcome
from .separate import DEFAULT_TYPE, STORY_TYPE, Verdict, json_pieces, multipart_pieces
from .spool import Spool
from .story import tell

MULTIPART = "multipart/mixed"
FORMS = (TEXT, JSON, MULTIPART)
"""The forms of an answer: what the nodes wrote one after the other, or each by itself."""

DROPPED = frozenset(
    (
        "content-length",
        "status",
        "mtime",
        "etag",
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-authentication-info",
    )
)
"""Headers of a program's own answer that are not passed on: they belong to the connection, or are told elsewhere."""

OF_THE_ORIGIN = frozenset(
    (
        "set-cookie",
        "set-cookie2",
        "clear-site-data",
        "service-worker-allowed",
        "strict-transport-security",
        "alt-svc",
        "report-to",
        "reporting-endpoints",
        "nel",
    )
)
"""What a browser takes as said by the whole cluster: the pages of its other users, its console, its authentication."""

OURS = (
    "x-nexe-",
    "x-zerovm-job",
    "x-zerovm-valid",
    "x-trans-id",
    "x-openstack-request-id",
    "x-backend-",
    "x-account-sysmeta-",
    "x-container-sysmeta-",
    "x-object-sysmeta-",
    "x-object-transient-sysmeta-",
)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
ENTITY_TAG = re.compile(r'(?:W/)?"[!#-~]*"')  # RFC 9110, section 8.8.3, in ASCII

BODILESS = (204, 205, 304)
"""Statuses whose answers end after their headers: what followed would be taken for the next answer (RFC 9112, section 6.3)."""

CANCELLED = 409
"""The status of a job that was cancelled on request."""


@dataclass(frozen=True)
class _Telling:
    """What is told: the verdict on the job, and the bodies that count."""

    verdict: Verdict
    bodies: Sequence[NodeBody]

    @property
    def preface(self) -> bytes:
        """The story, before what nodes wrote."""
        story = self.verdict.story.encode("utf-8", "replace")
        return story + (b"\n" if story and self.bodies else b"")


def answer(ended: Ended, method: str, spool: Spool, form: str = TEXT) -> Any:
    """The response in one of the :data:`FORMS`; closing it closes the spool."""
    telling = _telling(ended)
    status = telling.verdict.status
    empty = form == TEXT and status in BODILESS
    body = _Body(telling.preface, () if empty else telling.bodies, spool)
    response = Response(status=_status_line(status if form == TEXT or status not in BODILESS else 200), app_iter=body)
    if form == JSON:
        body.send(json_pieces(ended, telling.verdict))
        response.headers["Content-Type"] = JSON
    elif form == MULTIPART:
        boundary = secrets.token_hex(16)
        body.send(multipart_pieces(ended, telling.verdict, boundary))
        response.headers["Content-Type"] = f"{MULTIPART}; boundary={boundary}"
    else:
        _one_after_the_other(response, telling, method)
    response.headers["Etag"] = hashlib.md5(repr(time.time()).encode(), usedforsecurity=False).hexdigest()
    for name, value in report_headers(ended).items():
        response.headers[name] = str_to_wsgi(one_line(value))
    said = response.headers.get("Accept-Ranges", "").strip().lower()  # by the program, whose headers are there in one form only
    if said == "bytes" and not ended.failed():
        serve_parts(response)
    if form == TEXT and (own := _own_etag(telling)):
        response.headers["Etag"] = own
    return response


def _status_line(status: int) -> str:
    """Swift knows only those that it uses."""
    return f"{status} {responses.get(status, 'Unknown')}"


def _own_etag(telling: _Telling) -> str:
    """What the program that answers calls the version of its answer; empty if it does not, or several answer."""
    if telling.verdict.story or len(telling.bodies) != 1:
        return ""
    said = {name.lower(): value for name, value in telling.bodies[0].headers.items()}.get("etag", "").strip()
    return str_to_wsgi(said) if ENTITY_TAG.fullmatch(said) else ""


def _telling(ended: Ended) -> _Telling:
    failed, cancelled = ended.failed(), ended.cancelled()
    if cancelled:
        return _Telling(Verdict(CANCELLED, f"Job {ended.job} was {cancelled}.\n"), ())
    if not failed:
        bodies = ended.bodies()
        return _Telling(Verdict(max([200, *(body.guest_status or 200 for body in bodies)])), bodies)
    told = [ended.records.bodies[outcome.session.id] for outcome in failed if outcome.session.id in ended.records.bodies]
    own_answers = [body for body in told if body.guest_status]
    if own_answers and len(failed) == 1:
        return _Telling(Verdict(max(200, *(body.guest_status or 200 for body in own_answers))), own_answers)
    bodies = ended.bodies() if _kept_going(failed) else told
    story = tell(ended.job, len(ended.nodes()), failed, ended.records.reports, ended.records.last_words, ended.started)
    statuses = [outcome.status for outcome in failed] + [body.guest_status or 200 for body in bodies]
    return _Telling(Verdict(max(statuses), story), bodies)


def _one_after_the_other(response: Any, telling: _Telling, method: str) -> None:
    """The headers of what the nodes wrote, in their order; those of later ones win, but for the type."""
    bodies = telling.bodies
    for body in bodies:
        response.headers.update(_guest_headers(body))
    response.headers["Content-Type"] = STORY_TYPE if telling.verdict.story else str_to_wsgi(_first_type(bodies))
    response.content_length = response.app_iter.size
    if method == "HEAD" and bodies and bodies[0].headers.get("Content-Length", "").isdigit():
        response.content_length = int(bodies[0].headers["Content-Length"])


def _kept_going(failed: Sequence[Outcome]) -> bool:
    return all(outcome.session.keep_going for outcome in failed)


def _guest_headers(body: NodeBody) -> dict[str, str]:
    """The headers of a node's answer. A program can't speak for the cluster, nor begin another header or another answer."""
    nominated = {name.strip().lower() for name in body.headers.get("Connection", "").split(",")}  # RFC 9110, section 7.6.1
    refused = DROPPED | OF_THE_ORIGIN | nominated
    return {
        name: str_to_wsgi(one_line(value))
        for name, value in body.headers.items()
        if TOKEN.fullmatch(name) and name.lower() not in refused and not name.lower().startswith(OURS)
    }


def _first_type(bodies: Sequence[NodeBody]) -> str:
    return next((one_line(body.headers["Content-Type"]) for body in bodies if body.headers.get("Content-Type")), DEFAULT_TYPE)


def serve_parts(response: Any) -> None:
    """Have conditions and ranges of the request apply to an answer, whose bytes are all there (RFC 9110, sections 13, 14)."""
    if response.status_int != 200 or not isinstance(response.app_iter, _Body):
        return
    response.headers["Etag"] = response.app_iter.digest()
    response.headers["Accept-Ranges"] = "bytes"
    response.conditional_response = True


class _Body:
    """The body from the spool, which it closes. Its own iterator, because some filters close only what ``iter`` gives."""

    def __init__(self, preface: bytes, bodies: Sequence[NodeBody], spool: Spool) -> None:
        self._preface = preface
        self._bodies = bodies
        self._pieces = self._all()
        self._spool = spool
        self.size = len(preface) + sum(body.content.size for body in bodies)

    def send(self, pieces: Iterator[bytes]) -> None:
        """Send these instead; ``size`` and ``beginning`` are still those of the whole."""
        self._pieces = pieces

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        sleep(0)  # a client that is faster than we are would never make this thread wait, and so nobody else run
        return next(self._pieces)

    def app_iter_range(self, start: int, stop: int) -> Self:
        """The bytes from ``start`` up to ``stop``: what swob asks for."""
        self._pieces = _between(self._all(), start, stop)
        return self

    def digest(self) -> str:
        """The MD5 of the whole, letting others run meanwhile. Not after ``close``."""
        md5 = hashlib.md5(usedforsecurity=False)
        for piece in self._all():
            md5.update(piece)
            sleep(0)
        return md5.hexdigest()

    def beginning(self, most: int) -> bytes:
        """At most so many bytes from the beginning, which are still to be sent. Not after ``close``."""
        found = b""
        for piece in self._all():
            found += piece
            if len(found) >= most:
                break
        return found[:most]

    def _all(self) -> Iterator[bytes]:
        return chain([self._preface] if self._preface else [], *(body.content.chunks() for body in self._bodies))

    def close(self) -> None:
        """Forget the bodies, sent or not."""
        self._spool.close()


def _between(pieces: Iterator[bytes], start: int, stop: int) -> Iterator[bytes]:
    """The part of the pieces from ``start`` up to ``stop``."""
    position = 0
    for piece in pieces:
        if position >= stop:
            return
        part = piece[max(0, start - position) : stop - position]
        position += len(piece)
        if part:
            yield part
