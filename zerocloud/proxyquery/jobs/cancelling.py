"""Hears of this process's jobs that were asked to be cancelled at another proxy, or another worker of this one."""

from __future__ import annotations

from typing import Any

from swift.common.concurrency import sleep, spawn

from ..errors import JobError
from .live import LiveJob
from .store import JobStore

PAUSE = 0.4
"""Seconds between two looks: a job should end within a second of the request."""

REASON = "cancelled on request"


class Cancelling:
    """Looks for marks as long as jobs are under way: one listing for each account that has some."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._watched: dict[str, dict[str, tuple[LiveJob, JobStore]]] = {}
        self._running = False

    def watch(self, job: LiveJob, store: JobStore) -> None:
        """Look after a job until it has ended."""
        self._watched.setdefault(job.about.account, {})[job.about.id] = (job, store)
        if not self._running:
            self._running = True
            spawn(self._run)

    def _run(self) -> None:
        try:
            while self._watched:
                for account in list(self._watched):
                    self._look(account)
                sleep(PAUSE)
        finally:
            self._running = False

    def _look(self, account: str) -> None:
        jobs = {job.about.id: (job, store) for job, store in self._watched[account].values() if job.end is None}
        if not jobs:
            del self._watched[account]
            return
        self._watched[account] = jobs
        store = next(iter(jobs.values()))[1]
        try:
            asked = store.asked_to_cancel()
        except JobError as error:
            self._logger.warning("jobs of %s can't be cancelled from elsewhere now: %s", account, error.text)
            return
        for job in asked:
            if job in jobs:
                jobs[job][0].cancel(REASON)
                store.take_mark(job)
