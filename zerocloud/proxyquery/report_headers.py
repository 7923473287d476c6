"""Every node's report in the headers of an answer: the ``X-Nexe-*`` lists (HTTP API, section 7)."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import Counter
from collections.abc import Mapping

from zerocloud import wire

from .ended import Ended
from .results import SessionReport, one_line
from .scheduler import Outcome

JOB = "X-Zerovm-Job"
MORE = "X-Nexe-More"
MORE_AT = "X-Nexe-More-At"
LONGEST_LIST = 8000
"""Bytes of an ``X-Nexe-*`` list: aiohttp and Apache's proxy take lines of 8 KiB."""

MOST_BYTES = 12_000
"""Bytes of all lists together: Node.js and HAProxy take heads of 16 KiB, and this answer has other headers, too.

Where there would be more, all lists stop after the same session; X-Nexe-More counts the rest, and X-Nexe-More-At tells where
they are: in the job's table. The first session is always told."""

LONGEST_ITEM = 1000
"""Letters of one value."""


def report_headers(ended: Ended) -> dict[str, str]:
    """The lists, one value for each session, in the order of the nodes."""
    rows = _fitting(ended)
    headers = {name: ",".join(row[name] for row in rows) for name in rows[0]} if rows else {}
    if rows:
        headers[wire.CDR] = f"{_seconds(ended):.3f}, {headers[wire.CDR]}"
        headers[wire.ERROR] = ",".join(error for row in rows if (error := row[wire.ERROR]))
    for name in (wire.ERROR, wire.CACHED):
        if not headers.get(name, "").strip(","):
            headers.pop(name, None)
    if len(rows) < len(ended.outcomes):
        headers[MORE] = str(len(ended.outcomes) - len(rows))
        headers[MORE_AT] = f"?zerovm=job&id={ended.job}"
    if not ended.show_servers:
        headers.pop(wire.SERVER, None)
    headers[JOB] = ended.job
    return headers


def report_row(outcome: Outcome, report: SessionReport) -> dict[str, str]:
    """One session's values."""
    return {
        wire.SYSTEM: _item(outcome.session.name),
        wire.STATUS: _item(report.status),
        wire.RETCODE: _item(report.retcode),
        wire.ETAG: _item(report.etag),
        wire.VALIDATION: _item(report.validation),
        wire.CDR: report.cdr if "," in report.cdr else f"0.000, {report.cdr}",
        wire.POLICY: _item(report.policy),
        wire.SERVER: outcome.server.name if outcome.server else "",
        wire.CACHED: report.cached,
        wire.ERROR: _item(outcome.reason or report.error),
    }


def _item(text: str) -> str:
    """A value that does not look like two in a list, and is not as long as a list."""
    return one_line(text).replace(",", ";")[:LONGEST_ITEM]


def _fitting(ended: Ended) -> list[dict[str, str]]:
    """The rows that fit."""
    proofs = Colocation(ended.addresses)
    rows: list[dict[str, str]] = []
    sizes: Counter[str] = Counter()
    for outcome in ended.outcomes:
        report = ended.records.reports.get(outcome.session.id, SessionReport())
        row = {**report_row(outcome, report), wire.COLOCATED: proofs.proof(outcome)}
        sizes.update({name: len(value.encode()) + 1 for name, value in row.items()})
        if rows and (max(sizes.values()) > LONGEST_LIST or sizes.total() > MOST_BYTES):
            break
        rows.append(row)
    return rows


def _seconds(ended: Ended) -> float:
    """How long the job took."""
    return max((at for outcome in ended.outcomes for at, _ in outcome.story), default=ended.started) - ended.started


class Colocation:
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
