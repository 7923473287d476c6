"""Decides when jobs are recorded: not before they take time, and after their clients have their answers.

A job of less than :data:`FIRST` seconds costs one PUT, when it is over. A longer one is recorded while it runs, too, every
:data:`~.store.HEARTBEAT` seconds, so that other proxies can show it and notice when this one is gone; and from then on it can
be cancelled from elsewhere. Short jobs of people whom a container's grant lets call programs in somebody else's account are not
recorded: they would fill it. Records of ended jobs wait in a queue. As long as that is short, the writer rests after each of
them for longer than it took: a proxy that is busy with small jobs answers them first.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from swift.common.concurrency import Event, Timeout, sleep, spawn

from .. import metrics
from ..accounting import Accounting
from ..errors import JobError
from .cancelling import Cancelling
from .describe import whole
from .live import End, LiveJob, LiveJobs
from .owner import this_process
from .store import HEARTBEAT, JobStore, content_type

FIRST = 1.0
"""Seconds after which a job that is still under way is recorded."""

NODES_UNDER_WAY = 1000
"""Nodes that are told of in the record of a job under way."""

REST = 2.0
"""How many times longer than its write a writer rests."""

CALM = 100
"""Records that may wait before writers stop to rest."""

WRITERS = 4
"""Writers at work when more than that wait."""

MOST_WAITING = 10_000
"""Records that may wait at all; then new ones are dropped, and the log says so."""

MOST_BODIES = 32 << 20
"""Bytes of bodies that may wait with them; then records are kept without."""

TRIES = 3


class Recorder:
    """Keeps the records of a process's jobs, and ``jobs`` themselves as long as they are not recorded for good."""

    def __init__(self, interactive: bool, keep: float, accounting: Accounting | None, logger: Any) -> None:
        """``interactive``: jobs whose clients wait are recorded, too. ``keep`` is how many seconds a record lives.

        ``accounting`` keeps accounts of all jobs.
        """
        self.jobs = LiveJobs()
        self._interactive = interactive
        self._accounting = accounting
        self._keep = keep
        self._logger = logger
        self._owner = this_process()
        self._cancelling = Cancelling(logger)
        self._waiting: deque[tuple[LiveJob, JobStore]] = deque()
        self._bodies = 0
        self._writers = 0

    def begin(self, job: LiveJob, store: JobStore) -> Recording:
        """A job begins. One that is deferred is recorded before this returns."""
        self.jobs.add(job)
        recording = Recording(self, job, store)
        job.kept = self._interactive and not job.about.foreign
        if job.result is not None:
            recording.now()
        elif self._interactive or self._accounting is not None:
            recording.start()
        return recording

    def write(self, job: LiveJob, store: JobStore) -> JobError | None:
        """Record how a job stands; what was in the way, if that could not be done."""
        if not job.kept:
            return None
        trouble = self._attempt(lambda: self._store(job, store))
        if trouble is not None:
            self._logger.warning("job %s can't be recorded: %s", job.about.id, trouble.text)
            metrics.record_failed(self._logger)
        return trouble

    def ended(self, job: LiveJob) -> None:
        """Count a job that has ended."""
        metrics.job_ended(self._logger, job)

    def watch(self, job: LiveJob, store: JobStore) -> None:
        """The job is under way, and takes so long that it is to be known elsewhere."""
        job.kept = job.kept or self._interactive
        self._cancelling.watch(job, store)

    def enqueue(self, job: LiveJob, store: JobStore) -> None:
        """A job has ended: it will be recorded, and then forgotten here."""
        assert job.end is not None
        if len(self._waiting) >= MOST_WAITING:
            self._logger.error("job %s is not recorded: %d records wait to be written", job.about.id, MOST_WAITING)
            self.jobs.discard(job)
            return
        if self._bodies + len(job.end.body) > MOST_BODIES:
            job.end = replace(job.end, body=b"")
        self._bodies += len(job.end.body)
        self._waiting.append((job, store))
        if self._writers < (1 if len(self._waiting) <= CALM else WRITERS):
            self._writers += 1
            spawn(self._work)

    def _work(self) -> None:
        """One writer, until nothing waits."""
        try:
            while self._waiting:
                job, store = self._waiting.popleft()
                began = time.monotonic()
                self._finish(job, store)
                if len(self._waiting) <= CALM:
                    sleep(REST * (time.monotonic() - began))
        finally:
            self._writers -= 1

    def _finish(self, job: LiveJob, store: JobStore) -> None:
        """Record an ended job, and forget it."""
        try:
            self._try(job, store, self.write)
            self._try(job, store, self._account)
        finally:
            self._bodies -= len(job.end.body) if job.end else 0
            self.jobs.discard(job)

    def _try(self, job: LiveJob, store: JobStore, write: Callable[[LiveJob, JobStore], JobError | None]) -> None:
        """Write something; again if that may help."""
        for attempt in range(TRIES):
            trouble = write(job, store)
            if trouble is None or trouble.status < 500:
                return
            sleep(1.0 * attempt)

    def _store(self, job: LiveJob, store: JobStore) -> None:
        end = job.end  # it may come to its end while this is written
        value = whole(job, None if end else NODES_UNDER_WAY, lambda: sleep(0))
        kind = content_type(value, end.at if end else None, self._owner)
        store.write(job.about.id, kind, value, self._keep)

    def _account(self, job: LiveJob, store: JobStore) -> JobError | None:
        accounting = self._accounting
        if accounting is None:
            return None
        trouble = self._attempt(lambda: accounting.write(job, store.privileged))
        if trouble is not None:
            self._logger.error("job %s lacks in the accounts of %s: %s", job.about.id, job.about.account, trouble.text)
        return trouble

    def _attempt(self, action: Callable[[], None]) -> JobError | None:
        """Do something in the background, where nobody is to be told but the log; what was in the way."""
        try:
            action()
        except JobError as error:
            return error
        except (Exception, Timeout) as error:  # the edge of a thread that others' records wait for
            self._logger.exception("ERROR: a job's record could not be made")
            return JobError(500, str(error))
        return None


class Recording:
    """The records of one job, from its beginning to its end."""

    def __init__(self, recorder: Recorder, job: LiveJob, store: JobStore) -> None:
        self._recorder = recorder
        self._job = job
        self._store = store
        self._over = Event()
        self._started = False

    def start(self) -> None:
        """Record it when it has ended, and before if it turns out to take time."""
        if not self._started:
            self._started = True
            spawn(self._keep_up)

    def now(self) -> None:
        """Record it before this returns, and from then on."""
        self._job.kept = True
        self._recorder.write(self._job, self._store)
        self._recorder.watch(self._job, self._store)
        self.start()

    def end(self, end: End) -> None:
        """It has ended."""
        self._job.finish(end)
        self._recorder.ended(self._job)
        self._over.send()
        if not self._started:
            self._recorder.jobs.discard(self._job)

    def _keep_up(self) -> None:
        pause = FIRST
        while not self._ended_within(pause):
            self._recorder.watch(self._job, self._store)
            self._recorder.write(self._job, self._store)
            pause = HEARTBEAT
        self._recorder.enqueue(self._job, self._store)

    def _ended_within(self, seconds: float) -> bool:
        with Timeout(seconds, False):
            self._over.wait()
        return bool(self._over.ready())
