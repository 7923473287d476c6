"""What becomes of sessions, in numbers for statsd (Swift's ``log_statsd_*`` options), under the prefix ``object-query``.

=============================== =========================================================================================
``sessions.succeeded``          counts sessions whose program exited with 0
``sessions.failed.<end>``       counts the others by their end: ``exited`` (with another code), ``trapped``, ``timed_out`` …
``refused.<status>``            counts requests that ran no session, or lost it, by their HTTP status
``admission.timing``            milliseconds until a slot of the pool was free
``session.timing``              milliseconds from a request's arrival to its answer's first byte
``bytes.read, bytes.written``   what programs moved through their channels, network included
=============================== =========================================================================================
"""

from __future__ import annotations

from typing import Any

from zerocloud.objectquery.answer import failure
from zerocloud.zerovm.report import Report

PREFIX = "object-query"


def admitted(logger: Any, seconds: float) -> None:
    """A slot was found."""
    logger.timing("admission.timing", seconds * 1000)


def refused(logger: Any, status: int) -> None:
    """A request ran no session."""
    logger.increment(f"refused.{status}")


def ended(logger: Any, report: Report, seconds: float) -> None:
    """A session came to its end."""
    logger.increment(f"sessions.failed.{report.end.name.lower()}" if failure(report) else "sessions.succeeded")
    logger.timing("session.timing", seconds * 1000)
    logger.update_stats("bytes.read", report.cdr.read_bytes + report.cdr.network_read_bytes)
    logger.update_stats("bytes.written", report.cdr.written_bytes + report.cdr.network_written_bytes)
