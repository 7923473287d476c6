"""Jobs' records as ordinary objects of their account, in ``.zvm/jobs/<id>/``, and the marks of those that are to be cancelled.

The only place that reaches into an account without asking its authorizer; so it reaches nothing but these names. What it reads
may have been written by anybody with the right to write there: it is checked, only ever shown to the account's owner, and
gives no rights. The state of a job is a parameter of its record's content type, so that a listing tells it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import simplejson
from swift.common.concurrency import sleep

from zerocloud.sysmap import SwiftPath

from ..errors import JobError
from ..subrequests import Pipeline
from .owner import is_gone
from .states import JobState
from .unhurried import unhurried

CONTAINER = ".zvm"
FOLDER = "jobs/"
CANCELLING = "cancel/"
RECORD = "record"
ID = re.compile(r"[0-9a-f]{17}")

LARGEST_RECORD = 16 << 20
PAGE = 1000
LISTING_LIMIT = 4 << 20

HEARTBEAT = 5.0
"""Seconds between two records of a job that is under way."""

SILENCE = 4 * HEARTBEAT
"""Seconds without a record after which a job under way counts as lost."""

MARK_TIME = 600
"""Seconds after which a mark that nobody took away goes by itself."""


@dataclass(frozen=True)
class Entry:
    """What the listing tells of a job. ``ended`` and ``recorded`` are Unix times, ``status`` the answer's."""

    id: str
    state: JobState
    nodes: int
    status: int | None
    ended: float | None
    owner: str
    recorded: float

    @property
    def seen(self) -> JobState:
        """Its state as it is now: that of a job whose owner is gone can't be what the record says."""
        silent = time.time() - self.recorded > SILENCE
        return JobState.LOST if not self.state.ended and (silent or is_gone(self.owner)) else self.state


class JobStore:
    """The records of one account's jobs."""

    def __init__(self, pipeline: Pipeline, account: str) -> None:
        """``pipeline`` is that of a request to the account; what is done here is done with the proxy's own rights."""
        self.privileged = pipeline.privileged()
        self._account = account

    def write(self, job: str, kind: str, value: Mapping[str, Any], keep: float) -> None:
        """Store a record, for ``keep`` seconds. ``kind`` is from :func:`content_type`. Raises JobError."""
        pieces = _dumps(value)
        headers = {"Content-Type": kind, "X-Delete-After": str(max(1, int(keep)))}
        self.privileged.store(self._record(job), headers, iter(pieces), sum(map(len, pieces)))

    def read(self, job: str) -> dict[str, Any] | None:
        """A record, its state as it is now; None if there is none. Raises JobError (503)."""
        if not ID.fullmatch(job):
            return None
        fetched = self.privileged.get(self._record(job))
        if fetched.status == 404:
            return None
        if fetched.status != 200:
            raise JobError(503, f"The record of job {job} can't be read now: status {fetched.status}")
        value = _loads(b"".join(_bounded(fetched.chunks(), LARGEST_RECORD)))
        entry = read_entry(job, fetched.headers.get("content-type", ""), fetched.headers.get("last-modified", ""))
        if entry is None or not _well_formed(value):
            raise JobError(500, f"The record of job {job} is not one that a proxy wrote")
        return {**value, "id": job, "state": str(entry.seen)}

    def entry(self, job: str) -> Entry | None:
        """What a record's headers tell of it; None if there is none."""
        fetched = self.privileged.head(self._record(job)) if ID.fullmatch(job) else None
        if fetched is None or fetched.status != 200:
            return None
        return read_entry(job, fetched.headers.get("content-type", ""), fetched.headers.get("last-modified", ""))

    def entries(self, marker: str) -> Iterator[Entry]:
        """What the listing tells, newest first, of jobs older than ``marker`` (empty: all). Raises JobError (503)."""
        after = f"{FOLDER}{marker}/" if marker else ""
        while names := self._listing(FOLDER, after):
            for name in names:
                job, _, rest = name["name"].removeprefix(FOLDER).partition("/")
                entry = read_entry(job, name["content_type"], name["last_modified"]) if rest == RECORD else None
                if entry is not None:
                    yield entry
            after = names[-1]["name"]

    def ask_to_cancel(self, job: str) -> None:
        """Leave a mark for whoever runs the job. Raises JobError."""
        self.privileged.store(self._mark(job), {"Content-Type": "text/plain", "X-Delete-After": str(MARK_TIME)}, iter(()), 0)

    def asked_to_cancel(self) -> list[str]:
        """The jobs that are marked. Raises JobError (503)."""
        return [name["name"].removeprefix(CANCELLING) for name in self._listing(CANCELLING, "")]

    def take_mark(self, job: str) -> None:
        """Take the mark away, if there is one."""
        self.privileged.delete(self._mark(job), {})

    @staticmethod
    def result(account: str, job: str) -> SwiftPath:
        """Where a deferred job leaves its answer unless it is told."""
        return SwiftPath(account, CONTAINER, f"{FOLDER}{job}/result")

    def _record(self, job: str) -> SwiftPath:
        return SwiftPath(self._account, CONTAINER, f"{FOLDER}{job}/{RECORD}")

    def _mark(self, job: str) -> SwiftPath:
        return SwiftPath(self._account, CONTAINER, f"{CANCELLING}{job}")

    def _listing(self, prefix: str, after: str) -> list[dict[str, Any]]:
        query = f"format=json&reverse=true&limit={PAGE}&prefix={quote(prefix)}&marker={quote(after)}"
        fetched = self.privileged.get(SwiftPath(self._account, CONTAINER), query)
        if fetched.status == 404:
            return []
        if fetched.status not in (200, 204):
            raise JobError(503, f"The records of jobs can't be listed now: status {fetched.status}")
        found = _loads(b"".join(_bounded(fetched.chunks(), LISTING_LIMIT))) or []
        return [name for name in found if "name" in name]


def content_type(summary: Mapping[str, Any], ended: float | None, owner: str) -> str:
    """What a record's content type tells a listing."""
    told = {
        "state": summary["state"],
        "nodes": summary["nodes"],
        "status": summary["status"],
        "ended": None if ended is None else round(ended * 1000),
        "owner": owner,
    }
    return "application/json" + "".join(f"; {name}={value}" for name, value in told.items() if value is not None)


def read_entry(job: str, kind: str, recorded: str) -> Entry | None:
    """None for what is no record of ours."""
    if not ID.fullmatch(job):
        return None
    _, *parts = (part.strip() for part in kind.split(";"))
    told = {name: value for name, _, value in (part.partition("=") for part in parts)}
    try:
        return Entry(
            id=job,
            state=JobState(told["state"]),
            nodes=int(told["nodes"]),
            status=int(told["status"]) if "status" in told else None,
            ended=int(told["ended"]) / 1000 if "ended" in told else None,
            owner=told.get("owner", ""),
            recorded=_time(recorded),
        )
    except (ValueError, KeyError, OverflowError):
        return None


SHAPE: Mapping[str, type | tuple[type, ...]] = {
    "created": str,
    "ended": (str, type(None)),
    "nodes": int,
    "status": (int, type(None)),
    "counts": dict,
    "error": str,
    "headers": dict,
    "body": (dict, type(None)),
    "table": list,
    "failures": dict,
}
"""What readers of records rely on."""


def _well_formed(value: Any) -> bool:
    """Whether a record has the shape that readers rely on."""
    if not isinstance(value, dict) or not all(isinstance(value.get(key), kind) for key, kind in SHAPE.items()):
        return False
    return all(isinstance(row, dict) and isinstance(row.get("id"), int) for row in value["table"])


def _time(text: str) -> float:
    """A listing's time, or that of a Last-Modified header (RFC 9110, section 5.6.7), as Unix time. Raises ValueError."""
    form = "%a, %d %b %Y %H:%M:%S GMT" if "," in text else "%Y-%m-%dT%H:%M:%S.%f"
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()


def _bounded(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise JobError(500, f"A record or a listing of jobs has more than {most} bytes")
        yield piece


def _dumps(value: Mapping[str, Any]) -> list[bytes]:
    """A record's JSON, in pieces, its table at the end; others have their turns meanwhile."""
    head = {key: of for key, of in value.items() if key != "table"}
    lines = [_json(line) for line in unhurried(value["table"], lambda: sleep(0))]
    return [_json(head)[:-1], b',"table":[', b",".join(lines), b"]}"]


def _json(value: Any) -> bytes:
    text: bytes = simplejson.dumps(value, separators=(",", ":")).encode()
    return text


def _loads(text: bytes) -> Any:
    try:
        return simplejson.loads(text)
    except (ValueError, RecursionError):
        return None
