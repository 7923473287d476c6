"""What becomes of jobs, in numbers for statsd (Swift's ``log_statsd_*`` options), under the prefix ``proxy-query``.

============================== ==========================================================================================
``jobs.<state>``               counts jobs by how they ended: ``succeeded``, ``failed``, ``cancelled``
``job.timing``                 milliseconds from a job's request to its end
``queue.timing``               milliseconds from a job's request until the first of its sessions ran
``sessions.<state>``           counts sessions by how they ended: also ``spare``
``retries``                    counts attempts beyond the first of each session
``bytes.read, bytes.written``  what programs moved through their channels, network included
``records.failed``             counts records of jobs that could not be written
============================== ==========================================================================================
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from zerocloud.zerovm.report import Accounting, ReportError

from .jobs.live import LiveJob
from .jobs.states import NODE_STATES
from .results import SessionReport
from .scheduler import Phase

PREFIX = "proxy-query"


def job_ended(logger: Any, job: LiveJob) -> None:
    """A job came to its end."""
    if job.end is None:
        return
    progress = job.progress()
    logger.increment(f"jobs.{job.end.state}")
    logger.timing("job.timing", (job.end.at - job.about.created) * 1000)
    first = min((outcome.times[Phase.RUNNING] for outcome in progress.outcomes if Phase.RUNNING in outcome.times), default=None)
    if first is not None:
        logger.timing("queue.timing", (first - job.about.started) * 1000)
    for state, number in Counter(NODE_STATES[outcome.phase] for outcome in progress.outcomes).items():
        logger.update_stats(f"sessions.{state}", number)
    if retries := sum(max(0, outcome.attempts - 1) for outcome in progress.outcomes):
        logger.update_stats("retries", retries)
    used = [_used(report) for report in progress.reports.values()]
    logger.update_stats("bytes.read", sum(one.read_bytes + one.network_read_bytes for one in used))
    logger.update_stats("bytes.written", sum(one.written_bytes + one.network_written_bytes for one in used))


def record_failed(logger: Any) -> None:
    """A record of a job could not be written."""
    logger.increment("records.failed")


def _used(report: SessionReport) -> Accounting:
    """The numbers of a call detail record, which the server has put its own seconds before."""
    try:
        return Accounting.parse(report.cdr.rpartition(",")[2])
    except ReportError:
        return Accounting()
