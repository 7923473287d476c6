"""How a session's process ended, and the report that follows from it. Pure.

The kernel's word (wait status, CPU times) outranks the child's, and the service's own reason for a kill outranks both.
"""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass, replace

from zerocloud.zerovm.report import FAILED, Accounting, Report, ReportError, parse
from zerocloud.zerovm.states import EndState

_SIGNALS = {
    signal.SIGXCPU: (EndState.TIMED_OUT, "the limit of CPU time was reached"),
    signal.SIGALRM: (EndState.TIMED_OUT, "its own alarm stopped it"),
    signal.SIGXFSZ: (EndState.OUTPUT_LIMIT, "a file would have grown beyond its limit"),
    signal.SIGSYS: (EndState.INTERNAL, "the session's process made a system call that its walls forbid"),
    signal.SIGKILL: (
        EndState.INTERNAL,
        "the session's process was killed from outside, perhaps because the host ran out of memory",
    ),
}


@dataclass(frozen=True)
class Usage:
    """What the kernel says a process used: CPU and wall times in seconds, peak resident memory in bytes.

    Of a process that still lives only the sum of its CPU times is known: not ``divided``, it stands as ``user``.
    """

    system: float
    user: float
    wall: float
    peak: int
    divided: bool = True

    @property
    def cpu(self) -> float:
        """CPU seconds in all."""
        return self.system + self.user

    def less(self, before: float) -> Usage:
        """Without the CPU seconds that were used before the session began, taken from both times in proportion."""
        left = max(0.0, 1 - before / self.cpu) if self.cpu else 0.0
        return replace(self, system=self.system * left, user=self.user * left)

    def timed(self, told: Accounting) -> Accounting:
        """``told`` with the kernel's times; where the kernel doesn't say how they divide, they divide as told."""
        if self.divided:
            return told._replace(system_time=self.system, user_time=self.user)
        whole = told.system_time + told.user_time
        system = self.cpu * told.system_time / whole if whole else 0.0
        return told._replace(system_time=system, user_time=self.cpu - system)


@dataclass(frozen=True)
class Kill:
    """Why the service ended a session: the state, and a sentence with the limit, if any."""

    end: EndState
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """A dead session: its report, and what it used."""

    report: Report
    usage: Usage


def conclude(words: bytes, status: int, kill: Kill | None, counted: Accounting, usage: Usage, validator: int) -> Outcome:
    """The outcome of a child that left ``words`` as report and ``counted`` in its counters, and ended with wait ``status``."""
    code = os.waitstatus_to_exitcode(status)
    report = _own_report(words) if code == 0 else None
    if report is not None:
        cdr = usage.timed(report.cdr)
        validator = FAILED if report.validator == FAILED else validator  # it can turn out only when it is instantiated
        return Outcome(replace(report, cdr=cdr, validator=validator), usage)
    kill = kill or _explain(code)
    state = f"{kill.end.value}: {kill.detail}" if kill.detail else kill.end.value
    cdr = usage.timed(counted)
    return Outcome(Report(validator=validator, cdr=cdr, state=state, exit_code=errno.EINTR), usage)


def _own_report(words: bytes) -> Report | None:
    try:
        return parse(words)
    except ReportError:
        return None


def _explain(code: int) -> Kill:
    if code >= 0:
        return Kill(EndState.INTERNAL, f"the session's process ended with code {code} and without a report")
    number = -code
    if number in _SIGNALS:
        return Kill(*_SIGNALS[signal.Signals(number)])
    return Kill(EndState.INTERNAL, f"the session's process died of signal {number} ({signal.strsignal(number)})")
