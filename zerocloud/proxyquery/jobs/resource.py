"""Requests about jobs: ``?zerovm=jobs`` and ``?zerovm=job&id=`` of an account (HTTP API, section 19)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import simplejson
from swift.common.concurrency import sleep
from swift.common.swob import Request, Response, str_to_wsgi

from ..errors import JobError
from ..results import one_line
from .cancelling import REASON
from .describe import summary, whole
from .events import CONTENT_TYPE, PAUSE, events
from .listing import list_jobs
from .live import LiveJobs
from .states import JobState
from .store import JobStore

PARAMETER = "zerovm"
BODY_SIZE = "X-Zerovm-Body-Size"
"""The bytes that a job's body had, of which a record keeps the beginning."""

CANCEL_PATIENCE = 1.0
"""Seconds that a DELETE waits for the job's end."""

CANCEL_PAUSE = 0.05
"""Seconds between two looks for it."""

RECORD_PAUSE = 1.0
"""Seconds between two looks at a job of another process for those who watch it."""

Value = dict[str, Any]


def resource_query(environ: Mapping[str, Any]) -> dict[str, str] | None:
    """The parameters of a request about jobs; None for any other request."""
    query = environ.get("QUERY_STRING", "")
    if f"{PARAMETER}=job" not in query or environ.get("PATH_INFO", "").rstrip("/").count("/") != 2:
        return None
    found = dict(parse_qsl(query, keep_blank_values=True))
    return found if found.get(PARAMETER) in ("jobs", "job") else None


def respond(jobs: LiveJobs, store: JobStore, request: Request, account: str, query: Mapping[str, str]) -> Response:
    """The answer to a request of the account's owner about jobs. Raises JobError."""
    if query[PARAMETER] == "jobs":
        _allow(request, "GET", "HEAD")
        return _json(request, list_jobs(jobs, store, account, query))
    if not query.get("id"):
        raise JobError(400, "Say which job: ?zerovm=job&id=ID")
    _allow(request, "GET", "HEAD", "DELETE")
    one = _OneJob(jobs, store, account, query["id"])
    if request.method == "DELETE":
        return _cancelled(request, one)
    if "events" in query:
        return _watched(request, one)
    return _part(request, one, query.get("part", ""))


class _OneJob:
    """A job wherever it is: in this process, or in its record."""

    def __init__(self, jobs: LiveJobs, store: JobStore, account: str, job: str) -> None:
        self.id = job
        self.store = store
        self.live = jobs.find(account, job)

    def look(self) -> Value:
        """The job as it is recorded, or would be. Raises JobError (404, 503)."""
        value = whole(self.live, pause=lambda: sleep(0)) if self.live else self.store.read(self.id)
        if value is None:
            raise JobError(404, f"There is no job {self.id[:40]}")
        return value

    def state(self) -> JobState:
        """Where it is. Raises JobError (404, 503)."""
        if self.live:
            return JobState(summary(self.live)["state"])
        entry = self.store.entry(self.id)
        if entry is None:
            raise JobError(404, f"There is no job {self.id[:40]}")
        return entry.seen

    def cancel(self) -> None:
        """Ask for its end. Raises JobError (409) if it has come to it."""
        state = self.state()
        if state.ended and state is not JobState.CANCELLED:
            raise JobError(409, f"Job {self.id} has ended before: {state}")
        if self.live:
            self.live.cancel(REASON)
        elif not state.ended:
            self.store.ask_to_cancel(self.id)

    def settle(self, seconds: float) -> JobState:
        """Where it is when it has ended, or after a while. Whoever sees the end takes the mark away."""
        deadline = time.monotonic() + seconds
        while not (state := self.state()).ended and time.monotonic() < deadline:
            sleep(CANCEL_PAUSE)
        if state.ended and not self.live:
            self.store.take_mark(self.id)
        return state


def _cancelled(request: Request, one: _OneJob) -> Response:
    """End a job; the answer tells its state, and whether it has ended already."""
    one.cancel()
    state = one.settle(CANCEL_PATIENCE)
    return _json(request, {"id": one.id, "state": str(state)}, 200 if state.ended else 202)


def _watched(request: Request, one: _OneJob) -> Response:
    one.look()
    # Eventlet would keep events back until there are 4 KiB of them.
    request.environ["eventlet.minimum_write_chunk_size"] = 1
    stream = events(_looking(one), PAUSE if one.live else RECORD_PAUSE)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return Response(app_iter=stream, content_type=CONTENT_TYPE, headers=headers, request=request)


def _looking(one: _OneJob) -> Callable[[], Value | None]:
    """Looks that end the stream instead of breaking it off."""

    def look() -> Value | None:
        try:
            return one.look()
        except JobError:
            return None

    return look


def _part(request: Request, one: _OneJob, part: str) -> Response:
    """The whole job as JSON, or a part of it as it is."""
    value = one.look()
    body = value["body"] or {}
    beginning = _bytes(body.get("base64", ""))
    if part == "":
        return _json(request, value)
    if part == "map":
        return _json(request, value.get("map"))
    if part == "body":
        kind = str_to_wsgi(one_line(str(value["headers"].get("Content-Type", "application/octet-stream"))))
        more = {BODY_SIZE: one_line(str(body.get("size", 0))), "X-Content-Type-Options": "nosniff"}
        return Response(body=beginning, headers={"Content-Type": kind, **more}, request=request)
    raise JobError(400, f"part={part[:20]}: expected map or body")


def _bytes(text: Any) -> bytes:
    """What was kept of a body; nothing if the record is not ours."""
    try:
        return base64.b64decode(text)
    except (ValueError, TypeError):
        return b""


def _allow(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise JobError(405, f"Jobs can't be asked for by {request.method}; use {' or '.join(methods)}")


def _json(request: Request, value: Any, status: int = 200) -> Response:
    return Response(status=status, body=simplejson.dumps(value).encode(), content_type="application/json", request=request)
