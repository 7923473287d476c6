"""A job that runs by itself: watched, waited for, cancelled, its answer fetched (HTTP API, sections 10 and 19)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode

import simplejson

from . import notebook, pages
from .errors import ClientError, JobCancelled, JobFailed, NotFinished, NotReachable, Refused
from .events import Event, parse_events
from .results import Answer
from .waiting import Pace, wait

if TYPE_CHECKING:
    from .connection import Connection

ENDED = frozenset(("succeeded", "failed", "cancelled", "lost"))
CANCELLED = 409
NOT_FOUND = 404
STORING_SECONDS = 30.0
"""How long the answer of a job that has ended may take to be stored."""

RECONNECTS = 5
"""Streams of events that may break off, one after another, before that is an error."""


@dataclass(frozen=True)
class JobStatus:
    """How a job stands. ``value`` is all that the cluster tells of it."""

    value: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.value["id"])

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``publishing``, ``succeeded``, ``failed``, ``cancelled`` or ``lost``."""
        return str(self.value["state"])

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ENDED

    @property
    def counts(self) -> Mapping[str, int]:
        """How many sessions are in which state; empty in a list of jobs."""
        return dict(self.value.get("counts") or {})

    def _repr_html_(self) -> str:
        return pages.job(self.value)


class Job:
    """A job of the connection's account. It runs on whether this object lives or not."""

    def __init__(self, connection: Connection, job: str, result: str = "") -> None:
        """``result`` is the URL at which the job leaves its answer, if that is known."""
        self.connection = connection
        self.id = job
        self._result = result

    def status(self) -> JobStatus:
        """How it stands now. Raises ClientError; Refused (404) if nothing is known of it any more."""
        return JobStatus(self._json("GET"))

    def done(self) -> bool:
        """Whether it has ended, well or not. Raises ClientError."""
        status = self.known_status()
        return status is None or status.ended

    def known_status(self) -> JobStatus | None:
        """How it stands; None if the cluster has forgotten it, which it does after the end only. Raises ClientError."""
        try:
            return self.status()
        except Refused as error:
            if error.status != NOT_FOUND:
                raise
            return None

    def events(self, hung_up: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Its progress until it ends: first how everything stands, then what changes. Raises ClientError.

        ``hung_up`` is asked whenever the cluster says something, which it does every few seconds: whether nobody listens.
        """
        broken = 0
        while True:
            try:
                lines = self.connection.lines(self._stream())
                for event in parse_events(takewhile(lambda line: not hung_up(), lines)):
                    broken = 0
                    yield event
                    if event.name == "end":
                        return
            except Refused as error:
                if error.status == NOT_FOUND:  # it has ended and is forgotten
                    return
                raise
            except NotReachable:
                pass
            if hung_up():
                return
            broken += 1
            if broken > RECONNECTS:
                raise NotReachable(f"The events of job {self.id} break off again and again")
            time.sleep(0.1 * 2**broken)

    def result(self, timeout: float | None = None, into: BinaryIO | None = None) -> Answer:
        """Its answer, as soon as it has ended; ``into`` gets the body, if given, piece by piece.

        Raises NotFinished after ``timeout`` seconds, JobFailed and JobCancelled, ClientError.
        """
        if not wait([self], timeout).done:
            raise NotFinished(f"Job {self.id} still runs after {timeout} seconds")
        status = self.known_status()
        told = status.value if status else {}
        if status and status.state == "lost":
            raise Refused(503, f"Job {self.id} is lost: the proxy that ran it is gone")
        if status and status.state == "failed" and not told.get("headers"):
            raise Refused(int(told.get("status") or 500), str(told.get("error") or f"Job {self.id} failed"))
        answer = self._answer(told, into)
        if answer.status >= 400:
            raise JobCancelled(answer) if answer.status == CANCELLED else JobFailed(answer)
        return answer

    def exception(self, timeout: float | None = None) -> Refused | None:
        """What :meth:`result` would raise of the job itself, or None. Raises NotFinished, ClientError."""
        try:
            self.result(timeout)
        except Refused as error:
            return error
        return None

    def show(self) -> None:
        """Show it in a notebook until it ends: its state, a bar, its nodes. Raises ClientError."""
        notebook.show(self)

    def cancel(self) -> bool:
        """End it; False if it had ended before. Raises ClientError."""
        try:
            self._json("DELETE")
        except Refused as error:
            if error.status in (CANCELLED, NOT_FOUND):
                return False
            raise
        return True

    def _json(self, method: str) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self.connection.request(method, self._query()).json()
        return value

    def _query(self, *more: str) -> str:
        return "&".join((f"?{urlencode({'zerovm': 'job', 'id': self.id})}", *more))

    def _stream(self) -> Any:
        return self.connection.request("GET", self._query("events"), stream=True)

    def _answer(self, told: Mapping[str, Any], into: BinaryIO | None) -> Answer:
        """The stored answer, or that of a job that somebody waited for, of which the record has the beginning."""
        url = self._result or str(told.get("result") or "")
        if url:
            return self._stored(url, int(told.get("status") or 200), into)
        body = told.get("body") or {}
        content = base64.b64decode(body.get("base64") or b"")
        if len(content) < int(body.get("size") or 0):
            raise ClientError(f"The answer of job {self.id} is not kept: it was given to who waited for it")
        if into is not None:
            into.write(content)
        kept = b"" if into else content
        return Answer(self.id, int(told.get("status") or 200), dict(told.get("headers") or {}), kept)

    def _stored(self, url: str, status: int, into: BinaryIO | None) -> Answer:
        path = "/" + url.removeprefix("swift://").partition("/")[2]
        # The headers are stored after the body.
        headers = simplejson.loads(self._fetch(f"{path}.headers").content)
        response = self._fetch(path, stream=into is not None)
        body = self.connection.body(response, into)
        return Answer(self.id, status, headers, body)

    def _fetch(self, path: str, **more: Any) -> Any:
        """An object that is about to be stored, or is already."""
        pace = Pace(STORING_SECONDS)
        while True:
            try:
                return self.connection.request("GET", quote(path), **more)
            except Refused as error:
                if error.status != NOT_FOUND or pace.over():
                    raise
            pace.rest()

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    def _repr_html_(self) -> str:
        status = self.known_status()
        return pages.job(status.value if status else {"id": self.id, "state": "ended"})
