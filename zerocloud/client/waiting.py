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
Thing = TypeVar("Thing")


class Waited(NamedTuple, Generic[Thing]):
    """Jobs that have ended, and those that have not."""

    done: set[Thing]
    not_done: set[Thing]


class Pace:
    """When to look again, and when no more."""

    def __init__(self, timeout: float | None) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._pause = SHORTEST

    def over(self) -> bool:
        """Whether the time is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def pause(self) -> float:
        """Seconds to sleep now: more each time, but not beyond the end."""
        left = LONGEST if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        pause, self._pause = self._pause, min(LONGEST, self._pause * GROWTH)
        return min(pause, left)

    def rest(self) -> None:
        """Sleep for so long."""
        time.sleep(self.pause())


class Watch(Generic[One]):
    """Jobs that are looked at until they have ended. Nothing here sleeps, so that others can wait in their own way."""

    def __init__(self, jobs: Iterable[One], timeout: float | None) -> None:
        self.pending = set(jobs)
        self.done: set[One] = set()
        self.pace = Pace(timeout)
        self._timeout = timeout

    def look(self) -> dict[One, str]:
        """Those that have ended since the last look, and how. Raises ClientError."""
        ended = _ended(self.pending)
        self.done |= ended.keys()
        self.pending -= ended.keys()
        return ended

    def enough(self, ended: dict[One, str], return_when: str) -> bool:
        """Whether who waits has seen enough with these, or has no more time."""
        first = return_when == FIRST_COMPLETED and self.done
        failed = return_when == FIRST_EXCEPTION and any(state != "succeeded" for state in ended.values())
        return bool(not self.pending or first or failed or self.pace.over())

    def check_time(self) -> None:
        """Raises NotFinished if the time is over and some have not ended."""
        if self.pending and self.pace.over():
            total = len(self.pending) + len(self.done)
            raise NotFinished(f"{len(self.pending)} of {total} jobs still run after {self._timeout} seconds")


def wait(jobs: Iterable[One], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> Waited[One]:
    """Wait until all jobs (or futures) have ended, or the first (that failed), or ``timeout`` seconds are over.

    Raises ClientError.
    """
    watch = Watch(jobs, timeout)
    while not watch.enough(watch.look(), return_when):
        watch.pace.rest()
    return Waited(watch.done, watch.pending)


def as_completed(jobs: Iterable[One], timeout: float | None = None) -> Iterator[One]:
    """The jobs, or futures, as they end. Raises NotFinished after ``timeout`` seconds, ClientError."""
    watch = Watch(jobs, timeout)
    while watch.pending:
        yield from watch.look()
        watch.check_time()
        if watch.pending:
            watch.pace.rest()


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
