"""What becomes of sessions, in numbers for statsd (Swift's ``log_statsd_*`` options), under the prefix ``object-query``.

The same numbers, added up since the process began, are the JSON answer to ``GET /zerocloud/recon`` on its server.

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

import os
import time
from collections import Counter
from typing import Any

import zerocloud
from zerocloud.objectquery.answer import failure
from zerocloud.zerovm.report import Report

PREFIX = "object-query"
RECON_PATH = "/zerocloud/recon"


class Metrics:
    """The numbers of one process."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._since = time.time()
        self._counts: Counter[str] = Counter()
        self._milliseconds: Counter[str] = Counter()

    def admitted(self, seconds: float) -> None:
        """A slot was found."""
        self._time("admission", seconds)

    def refused(self, status: int) -> None:
        """A request ran no session."""
        self._count(f"refused.{status}")

    def ended(self, report: Report, seconds: float) -> None:
        """A session came to its end."""
        self._count(f"sessions.failed.{report.end.name.lower()}" if failure(report) else "sessions.succeeded")
        self._time("session", seconds)
        self._count("bytes.read", report.cdr.read_bytes + report.cdr.network_read_bytes)
        self._count("bytes.written", report.cdr.written_bytes + report.cdr.network_written_bytes)

    def told(self) -> dict[str, Any]:
        """Everything so far. ``milliseconds`` are sums; ``since`` is Unix time."""
        return {
            "version": zerocloud.__version__,
            "process": os.getpid(),
            "since": self._since,
            "counts": dict(self._counts),
            "milliseconds": dict(self._milliseconds),
        }

    def _count(self, name: str, amount: int = 1) -> None:
        self._counts[name] += amount
        self._logger.update_stats(name, amount)

    def _time(self, name: str, seconds: float) -> None:
        self._counts[name] += 1
        self._milliseconds[name] += round(seconds * 1000)
        self._logger.timing(f"{name}.timing", seconds * 1000)
