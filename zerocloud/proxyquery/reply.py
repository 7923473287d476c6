"""The client's answer: every node's report in headers, what the nodes answered in the body (HTTP API, section 7)."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

from swift.common.swob import Response, str_to_wsgi

from zerocloud import wire

from .exchange import Records
from .results import NodeBody, SessionReport, one_line
from .scheduler import Outcome, Phase
from .spool import Spool
from .story import tell

JOB = "X-Zerovm-Job"
MORE = "X-Nexe-More"
LONGEST_LIST = 8000
"""Bytes of an ``X-Nexe-*`` list. Where one would be longer, all stop after the same session; X-Nexe-More counts the rest."""

DROPPED = frozenset(("content-length", "status", "mtime", "connection", "transfer-encoding", "keep-alive", "upgrade", "etag"))
"""Headers of a program's own answer that are not passed on: they belong to the connection, or are told elsewhere."""

OURS = ("x-nexe-", "x-zerovm-job", "x-trans-id", "x-openstack-request-id", "x-backend-")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2

DEFAULT_TYPE = "text/html"
CANCELLED = 409
"""The status of a job that was cancelled on request."""


@dataclass(frozen=True)
class Ended:
    """A job that has come to its end. ``outcomes`` are in the order of the nodes; ``winners`` are sessions by node."""

    job: str
    started: float
    outcomes: Sequence[Outcome]
    winners: Mapping[int, int | None]
    records: Records
    addresses: Mapping[str, str]
    show_servers: bool = True

    def nodes(self) -> dict[int, list[Outcome]]:
        """The sessions of each node."""
        found: dict[int, list[Outcome]] = {}
        for outcome in self.outcomes:
            found.setdefault(outcome.session.node, []).append(outcome)
        return found

    def failed(self) -> list[Outcome]:
        """For each node that failed by itself, the session that says why. Nodes that were cancelled did not fail."""
        causes = []
        for node, sessions in self.nodes().items():
            winner = self.winners.get(node)
            failures = [outcome for outcome in sessions if outcome.phase is Phase.FAILED]
            if winner is not None:
                failures = [outcome for outcome in failures if outcome.session.id == winner]
            if failures:
                causes.append(max(failures, key=lambda outcome: outcome.status))
        return causes

    def cancelled(self) -> str:
        """Why nodes were not run to their end although none had failed; empty if all were, or a node failed."""
        if self.failed():
            return ""
        missing = [sessions for node, sessions in self.nodes().items() if self.winners.get(node) is None]
        return next((outcome.reason for sessions in missing for outcome in sessions), "")


def answer(ended: Ended, method: str, spool: Spool) -> Any:
    """The response; closing it closes the spool."""
    failed = ended.failed()
    told = [ended.records.bodies[outcome.session.id] for outcome in failed if outcome.session.id in ended.records.bodies]
    own_answers = [body for body in told if body.guest_status]
    bodies = _bodies(ended) if not failed or _kept_going(ended) else told
    preface, content_type = b"", None
    cancelled = ended.cancelled()
    if cancelled:
        bodies, preface = [], f"Job {ended.job} was {cancelled}.\n".encode()
        content_type = "text/plain; charset=utf-8"
    elif failed and own_answers and len(failed) == 1:
        bodies = own_answers
    elif failed:
        text = tell(ended.job, len(ended.nodes()), failed, ended.records.reports, ended.records.last_words, ended.started)
        preface, content_type = text.encode() + (b"\n" if bodies else b""), "text/plain; charset=utf-8"
    status = CANCELLED if cancelled else _status(failed, bodies, bool(preface))
    response = Response(status=status, app_iter=_Body(preface, bodies, spool))
    for body in bodies:
        response.headers.update(_guest_headers(body))
    response.headers["Content-Type"] = str_to_wsgi(content_type or _first_type(bodies))
    response.headers["Etag"] = hashlib.md5(repr(time.time()).encode(), usedforsecurity=False).hexdigest()
    response.content_length = len(preface) + sum(body.content.size for body in bodies)
    if method == "HEAD" and bodies and bodies[0].headers.get("Content-Length", "").isdigit():
        response.content_length = int(bodies[0].headers["Content-Length"])
    for name, value in report_headers(ended).items():
        response.headers[name] = str_to_wsgi(one_line(value))
    if not failed and response.headers.get("Accept-Ranges", "").strip().lower() == "bytes":  # the program says that it can
        serve_parts(response)
    return response


def report_headers(ended: Ended) -> dict[str, str]:
    """The ``X-Nexe-*`` lists, one value for each session, in the order of the nodes."""
    proofs = _Colocation(ended.addresses)
    rows = [_row(outcome, ended, proofs) for outcome in ended.outcomes]
    kept = _fitting(rows)
    headers = {name: ",".join(row[name] for row in rows[:kept]) for name in rows[0]} if rows else {}
    headers[wire.CDR] = (
        f"{max((at for at, _ in _lines(ended)), default=ended.started) - ended.started:.3f}, {headers[wire.CDR]}"
    )
    errors = [error for outcome in ended.outcomes[:kept] if (error := _error(outcome, ended))]
    if errors:
        headers[wire.ERROR] = ",".join(errors)
    if not any(headers[wire.CACHED].split(",")):
        del headers[wire.CACHED]
    if kept < len(rows):
        headers[MORE] = str(len(rows) - kept)
    if not ended.show_servers:
        del headers[wire.SERVER]
    headers[JOB] = ended.job
    return headers


def _row(outcome: Outcome, ended: Ended, proofs: _Colocation) -> dict[str, str]:
    report = ended.records.reports.get(outcome.session.id, SessionReport())
    return {
        wire.SYSTEM: _item(outcome.session.name),
        wire.STATUS: _item(report.status),
        wire.RETCODE: _item(report.retcode),
        wire.ETAG: _item(report.etag),
        wire.VALIDATION: _item(report.validation),
        wire.CDR: report.cdr if "," in report.cdr else f"0.000, {report.cdr}",
        wire.POLICY: _item(report.policy),
        wire.COLOCATED: proofs.proof(outcome),
        wire.SERVER: outcome.server.name if outcome.server else "",
        wire.CACHED: report.cached,
    }


def _error(outcome: Outcome, ended: Ended) -> str:
    report = ended.records.reports.get(outcome.session.id, SessionReport())
    return _item(outcome.reason or report.error)


def _item(text: str) -> str:
    """A value that does not look like two in a list."""
    return text.replace(",", ";")


def _fitting(rows: Sequence[Mapping[str, str]]) -> int:
    """How many rows fit into lists of the longest size."""
    sizes = dict.fromkeys(rows[0], 0) if rows else {}
    for index, row in enumerate(rows):
        for name, value in row.items():
            sizes[name] += len(value.encode()) + 1
        if max(sizes.values()) > LONGEST_LIST:
            return index
    return len(rows)


def _lines(ended: Ended) -> Iterator[tuple[float, str]]:
    for outcome in ended.outcomes:
        yield from outcome.story


def _bodies(ended: Ended) -> list[NodeBody]:
    """What the nodes that succeeded, or failed by themselves, answered."""
    wanted = {outcome.session.id for outcome in ended.failed()} | set(ended.winners.values())
    bodies = ended.records.bodies
    ordered = (outcome.session.id for outcome in ended.outcomes)
    found = [bodies[session] for session in ordered if session in wanted and session in bodies and bodies[session].delivered]
    return [body for body in found if body.content.size or body.guest_status] or found[:1]


def _kept_going(ended: Ended) -> bool:
    return all(outcome.session.keep_going for outcome in ended.failed())


def _status(failed: Sequence[Outcome], bodies: Sequence[NodeBody], told: bool) -> int:
    statuses = [200, *(body.guest_status or 200 for body in bodies)]
    if told:
        statuses += [outcome.status for outcome in failed]
    return max(statuses)


def _guest_headers(body: NodeBody) -> dict[str, str]:
    """The headers of a node's answer. A program can't speak for the cluster, nor begin another header or another answer."""
    return {
        name: str_to_wsgi(one_line(value))
        for name, value in body.headers.items()
        if TOKEN.fullmatch(name) and name.lower() not in DROPPED and not name.lower().startswith(OURS)
    }


def _first_type(bodies: Sequence[NodeBody]) -> str:
    return next((one_line(body.headers["Content-Type"]) for body in bodies if body.headers.get("Content-Type")), DEFAULT_TYPE)


class _Colocation:
    """Tells which nodes of one location ran together, without telling where (HTTP API, section 7)."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._salts: dict[str, bytes] = {}

    def proof(self, outcome: Outcome) -> str:
        location, server = outcome.session.location, outcome.server
        if not location or server is None:
            return "0"
        salt = self._salts.setdefault(location, os.urandom(16))
        return hmac.new(salt, self._addresses[server.name].encode(), hashlib.sha1).hexdigest()


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

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def app_iter_range(self, start: int, stop: int) -> Self:
        """The bytes from ``start`` up to ``stop``: what swob asks for."""
        self._pieces = _between(self._all(), start, stop)
        return self

    def digest(self) -> str:
        """The MD5 of the whole. Not after ``close``."""
        md5 = hashlib.md5(usedforsecurity=False)
        for piece in self._all():
            md5.update(piece)
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
