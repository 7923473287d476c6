"""The jobs of this process: those under way, and those that have ended but are not in their records yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..results import SessionReport
from ..scheduler import Outcome
from .states import JobState


@dataclass(frozen=True)
class About:
    """What is known of a job before it runs. ``created`` is Unix time, ``started`` the same moment on the scheduler's clock.

    ``timeout`` is in seconds; ``brought`` says that more than a map came with the request, ``foreign`` that its user is not the
    account's owner, but was let in by a grant; ``previous`` is the job before it in a chain.
    """

    id: str
    account: str
    user: str
    document: Any
    timeout: float
    created: float
    transaction: str = "-"
    brought: bool = False
    foreign: bool = False
    previous: str = ""
    started: float = field(default_factory=time.monotonic)
    show_servers: bool = True

    def wall(self, at: float) -> float:
        """A time of the scheduler's clock as Unix time."""
        return self.created + (at - self.started)


@dataclass(frozen=True)
class Progress:
    """How far a job has come. ``reports`` and ``last_words`` are by session."""

    outcomes: Sequence[Outcome] = ()
    reports: Mapping[int, SessionReport] = field(default_factory=dict)
    last_words: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class End:
    """How a job ended: its state, and the answer that its client got or would have got, of whose body the beginning is kept.

    ``at`` is Unix time, which :meth:`LiveJob.finish` sets.
    """

    state: JobState
    status: int
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    body_size: int = 0
    at: float = 0.0


class LiveJob:
    """A job of this process. ``result`` is where a deferred one leaves its answer, ``kept`` says whether it is recorded."""

    def __init__(
        self, about: About, progress: Callable[[], Progress], cancel: Callable[[str], None], result: str | None = None
    ) -> None:
        self.about = about
        self.end: End | None = None
        self.result = result
        self.kept = False
        self._progress = progress
        self._cancel = cancel

    def progress(self) -> Progress:
        """How far it is now."""
        return self._progress()

    def cancel(self, reason: str) -> None:
        """Ask for its end. What is being stored already will be."""
        if self.end is None:
            self._cancel(reason)

    def finish(self, end: End) -> None:
        """Note how it ended; lets go of whatever ran it."""
        last = self._progress()
        self.end = replace(end, at=time.time())
        self._progress, self._cancel = lambda: last, lambda _: None


class LiveJobs:
    """All of them, by their ids."""

    def __init__(self) -> None:
        self._jobs: dict[str, LiveJob] = {}

    def add(self, job: LiveJob) -> None:
        """A job begins."""
        self._jobs[job.about.id] = job

    def discard(self, job: LiveJob) -> None:
        """A job has ended, and is recorded or is not to be."""
        self._jobs.pop(job.about.id, None)

    def find(self, account: str, job: str) -> LiveJob | None:
        """The job of an account with this id, if it is here."""
        found = self._jobs.get(job)
        return found if found and found.about.account == account else None

    def of(self, account: str) -> Iterator[LiveJob]:
        """The jobs of an account, in no order."""
        return (job for job in list(self._jobs.values()) if job.about.account == account)
