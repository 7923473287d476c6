"""Waiting for jobs, many at a time, as :mod:`concurrent.futures` does for calls."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from .errors import NotFinished

if TYPE_CHECKING:
    from .connection import Connection
    from .jobs import JobStatus

FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED = "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"
SHORTEST, LONGEST, GROWTH = 0.05, 1.0, 1.4
"""Seconds between two looks, and how they grow."""

LISTED = 1000
"""Jobs that one request tells of."""


class Waitable(Protocol):
    """A job, or what one will return."""

    @property
    def id(self) -> str:
        """The job's id."""

    @property
    def connection(self) -> Connection:
        """The connection that the job belongs to."""

    def known_status(self) -> JobStatus | None:
        """How the job stands; None if the cluster has forgotten it. Raises ClientError."""


One = TypeVar("One", bound=Waitable)


class Waited(NamedTuple, Generic[One]):
    """Jobs that have ended, and those that have not."""

    done: set[One]
    not_done: set[One]


class Pace:
    """When to look again, and when no more."""

    def __init__(self, timeout: float | None) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._pause = SHORTEST

    def over(self) -> bool:
        """Whether the time is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def rest(self) -> None:
        """Sleep, longer each time, but not beyond the end."""
        left = LONGEST if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        time.sleep(min(self._pause, left))
        self._pause = min(LONGEST, self._pause * GROWTH)


def wait(jobs: Iterable[One], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> Waited[One]:
    """Wait until all jobs (or futures) have ended, or the first (that failed), or ``timeout`` seconds are over.

    Raises ClientError.
    """
    pending, pace = set(jobs), Pace(timeout)
    done: set[One] = set()
    while True:
        ended = _ended(pending)
        done |= ended.keys()
        pending -= ended.keys()
        enough = return_when == FIRST_COMPLETED and done
        failed = return_when == FIRST_EXCEPTION and any(state != "succeeded" for state in ended.values())
        if not pending or enough or failed or pace.over():
            return Waited(done, pending)
        pace.rest()


def as_completed(jobs: Iterable[One], timeout: float | None = None) -> Iterator[One]:
    """The jobs, or futures, as they end. Raises NotFinished after ``timeout`` seconds, ClientError."""
    pending, pace = set(jobs), Pace(timeout)
    total = len(pending)
    while pending:
        ended = _ended(pending)
        pending -= ended.keys()
        yield from ended
        if pending and pace.over():
            raise NotFinished(f"{len(pending)} of {total} jobs still run after {timeout} seconds")
        if pending:
            pace.rest()


def _ended(jobs: set[One]) -> dict[One, str]:
    """Those that have ended, and how. One request for each connection tells of its newest jobs; the others are asked for."""
    found = {}
    known: dict[int, dict[str, str]] = {}
    for job in jobs:
        states = known.get(id(job.connection))
        if states is None:
            states = {status.id: status.state for status in job.connection.jobs(limit=LISTED)} if len(jobs) > 1 else {}
            known[id(job.connection)] = states
        state = states.get(job.id)
        if state is None:
            status = job.known_status()
            state = status.state if status else "succeeded"
        if state not in ("queued", "running", "publishing"):
            found[job] = state
    return found
