"""Requests about jobs: ``?zerovm=jobs`` and ``?zerovm=job&id=`` of an account (HTTP API, section 19)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import simplejson
from swift.common.concurrency import sleep
from swift.common.swob import Request, Response

from ..cluster import Cluster
from ..errors import JobError
from .describe import summary, whole
from .events import CONTENT_TYPE, events
from .states import JobState

PARAMETER = "zerovm"
MOST_LISTED = 1000
CANCEL_PATIENCE = 1.0
"""Seconds that a DELETE waits for the job's end."""

CANCELLED = "cancelled on request"


def resource_query(environ: Mapping[str, Any]) -> dict[str, str] | None:
    """The parameters of a request about jobs; None for any other request."""
    query = environ.get("QUERY_STRING", "")
    if f"{PARAMETER}=job" not in query or environ.get("PATH_INFO", "").rstrip("/").count("/") != 2:
        return None
    found = dict(parse_qsl(query, keep_blank_values=True))
    return found if found.get(PARAMETER) in ("jobs", "job") else None


def respond(cluster: Cluster, request: Request, account: str, query: Mapping[str, str]) -> Response:
    """The answer to a request of the account's owner about jobs. Raises JobError."""
    if query[PARAMETER] == "jobs":
        _allow(request, "GET", "HEAD")
        return _json(request, _list(cluster, account, query))
    job = query.get("id", "")
    if not job:
        raise JobError(400, "Say which job: ?zerovm=job&id=ID")
    _allow(request, "GET", "HEAD", "DELETE")
    if request.method == "DELETE":
        return _cancel(cluster, request, account, job)
    if "events" in query:
        stream = events(_look(cluster, account, job))
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return Response(app_iter=stream, content_type=CONTENT_TYPE, headers=headers, request=request)
    return _json(request, _look(cluster, account, job)())


def _list(cluster: Cluster, account: str, query: Mapping[str, str]) -> dict[str, Any]:
    limit = _limit(query.get("limit", ""))
    states = _states(query.get("state", ""))
    found = sorted(map(summary, cluster.jobs.of(account)), key=lambda value: str(value["id"]), reverse=True)
    marker = query.get("marker", "")
    page = [value for value in found if (not marker or value["id"] < marker) and value["state"] in states][: limit + 1]
    return {"jobs": page[:limit], "next": page[limit - 1]["id"] if len(page) > limit else None}


def _look(cluster: Cluster, account: str, job: str) -> Callable[[], dict[str, Any]]:
    """Something that shows the job, again and again. Raises JobError (404)."""
    live = cluster.jobs.find(account, job)
    if live is None:
        raise JobError(404, f"There is no job {job}")
    return lambda: whole(live)


def _cancel(cluster: Cluster, request: Request, account: str, job: str) -> Response:
    """End a job; its answer says how far that is."""
    live = cluster.jobs.find(account, job)
    if live is None:
        raise JobError(404, f"There is no job {job}")
    live.cancel(CANCELLED)
    deadline = time.monotonic() + CANCEL_PATIENCE
    while live.end is None and time.monotonic() < deadline:
        sleep(0.01)
    return _json(request, summary(live), 200 if live.end else 202)


def _limit(text: str) -> int:
    if not text:
        return 100
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_LISTED:
        raise JobError(400, f"limit={text[:20]}: expected a number from 1 to {MOST_LISTED}")
    return int(text)


def _states(text: str) -> frozenset[str]:
    known = {str(state) for state in JobState}
    wanted = frozenset(text.split(",")) if text else frozenset(known)
    if unknown := wanted - known:
        raise JobError(400, f"state={min(unknown)[:20]}: expected {', '.join(sorted(known))}, or several with commas between")
    return wanted


def _allow(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise JobError(405, f"Jobs can't be asked for by {request.method}; use {' or '.join(methods)}")


def _json(request: Request, value: Any, status: int = 200) -> Response:
    return Response(status=status, body=simplejson.dumps(value).encode(), content_type="application/json", request=request)
