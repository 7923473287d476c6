"""What every session used, for whoever bills: lines in the log, and one object for each job (HTTP API, section 14)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from zerocloud.sysmap import SwiftPath

from .jobs.live import About, LiveJob, Progress
from .results import one_line
from .subrequests import Pipeline

NOTHING_USED = "-"


class Accounting:
    """Writes the accounts of jobs into an account of the operator's, a container for each user's."""

    def __init__(self, stats_account: str) -> None:
        self._account = stats_account

    def write(self, job: LiveJob, pipeline: Pipeline) -> None:
        """Store what a job that has ended used: ``<account>/YYYY/mm/dd/<job>.log``. Raises JobError.

        ``pipeline`` has the proxy's own rights.
        """
        ended = datetime.fromtimestamp(job.end.at if job.end else job.about.created, UTC)
        lines = (f"{ended:%Y-%m-%d %H:%M:%S} {line}\n" for line in session_lines(job.about, job.progress()))
        text = "".join(lines).encode("utf-8", "replace")
        path = SwiftPath(self._account, job.about.account, f"{ended:%Y/%m/%d}/{job.about.id}.log")
        pipeline.store(path, {"Content-Type": "text/plain; charset=utf-8"}, iter((text,)), len(text))


def session_lines(about: About, progress: Progress) -> Iterator[str]:
    """For each session: ``<transaction> <node> (<call detail record>) [<status>]``."""
    for outcome in progress.outcomes:
        report = progress.reports.get(outcome.session.id)
        used = report.cdr if report else NOTHING_USED
        status = report.status if report else outcome.reason or outcome.phase.value
        yield f"{about.transaction} {one_line(outcome.session.name)} ({used}) [{one_line(status)}]"
