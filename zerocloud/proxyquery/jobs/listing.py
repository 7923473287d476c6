"""The list of an account's jobs, newest first, page by page: those of this process, and those of records."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import JobError
from .describe import listed, summary
from .live import LiveJobs
from .states import JobState
from .store import ID, JobStore

DEFAULT = 100
MOST = 1000
"""Jobs of one page."""

MOST_SCANNED = 10_000
"""Jobs that are looked at for one page; if few of them are in the wanted states, the page is short."""

Line = dict[str, Any]


def list_jobs(jobs: LiveJobs, store: JobStore, account: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page. Raises JobError."""
    limit, states, marker = _limit(query.get("limit", "")), _states(query.get("state", "")), _marker(query.get("marker", ""))
    page: list[Line] = []
    more = None
    for scanned, line in enumerate(_lines(jobs, store, account, marker)):
        if len(page) == limit or scanned == MOST_SCANNED:
            return {"jobs": page, "next": more}
        more = line["id"]
        if line["state"] in states:
            page.append(line)
    return {"jobs": page, "next": None}


def _lines(jobs: LiveJobs, store: JobStore, account: str, marker: str) -> Iterator[Line]:
    """All jobs older than ``marker``, newest first."""
    here = [summary(job) for job in jobs.of(account) if not marker or job.about.id < marker]
    here.sort(key=_id, reverse=True)
    known = {line["id"] for line in here}
    kept = (listed(entry) for entry in store.entries(marker) if entry.id not in known)
    return heapq.merge(here, kept, key=_id, reverse=True)


def _id(line: Line) -> str:
    return str(line["id"])


def _limit(text: str) -> int:
    if not text:
        return DEFAULT
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:5]) <= MOST:
        raise JobError(400, f"limit={text[:20]}: expected a number from 1 to {MOST}")
    return int(text)


def _marker(text: str) -> str:
    if text and not ID.fullmatch(text):
        raise JobError(400, f"marker={text[:40]}: expected the id of a job")
    return text


def _states(text: str) -> frozenset[str]:
    known = {str(state) for state in JobState}
    wanted = frozenset(text.split(",")) if text else frozenset(known)
    if unknown := wanted - known:
        raise JobError(400, f"state={min(unknown)[:20]}: expected {', '.join(sorted(known))}, or several with commas between")
    return wanted
