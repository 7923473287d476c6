"""The guest's clocks: the host's, or one of its own that only its own doings move."""

from __future__ import annotations

import time
from typing import Protocol

from .abi import Errno, WasiError

SECOND = 1_000_000_000
STEP = 1_000
"""Nanoseconds that a stepped clock advances with each query (executor contract, section 9)."""
MAX_TIME = (1 << 64) - 1

_HOST_CLOCKS = (
    time.CLOCK_REALTIME,
    time.CLOCK_MONOTONIC,
    time.CLOCK_PROCESS_CPUTIME_ID,
    time.CLOCK_THREAD_CPUTIME_ID,
)


class Clock(Protocol):
    """Nanoseconds, by WASI's clock number: 0 real time, 1 monotonic, 2 and 3 CPU time."""

    def query(self, clock: int) -> int:
        """The time that the guest is told. Raises WasiError(INVAL) for a clock there is not."""

    def resolution(self, clock: int) -> int:
        """The clock's step. Raises WasiError(INVAL)."""

    def stamp(self) -> int:
        """Real time for a file's times; moves nothing."""

    def remaining(self, clock: int, timeout: int, absolute: bool) -> int:
        """How long a wait for ``timeout`` lasts from now. Raises WasiError(INVAL)."""

    def skip(self, duration: int) -> bool:
        """Let time pass without waiting, where this clock can: then True."""


class HostClock:
    """Real time."""

    def query(self, clock: int) -> int:
        """The host's time."""
        if clock >= len(_HOST_CLOCKS):
            raise WasiError(Errno.INVAL)
        return time.clock_gettime_ns(_HOST_CLOCKS[clock])

    def resolution(self, clock: int) -> int:
        """The host's step."""
        if clock >= len(_HOST_CLOCKS):
            raise WasiError(Errno.INVAL)
        return max(1, round(time.clock_getres(_HOST_CLOCKS[clock]) * SECOND))

    def stamp(self) -> int:
        """The host's real time."""
        return time.time_ns()

    def remaining(self, clock: int, timeout: int, absolute: bool) -> int:
        """From now on the host's clock."""
        now = self.query(clock)
        return max(0, timeout - now) if absolute else timeout

    def skip(self, duration: int) -> bool:
        """Real time passes by itself only."""
        return False


class SteppedClock:
    """A clock that starts where it is told and advances one microsecond a query: the same in every run.

    All four clocks show the same time. Sleeping moves it on at once.
    """

    def __init__(self, seconds: float) -> None:
        self._now = min(max(0, round(seconds * SECOND)), MAX_TIME)

    def query(self, clock: int) -> int:
        """The time, which then advances."""
        self._check(clock)
        now = self._now
        self._now = min(now + STEP, MAX_TIME)
        return now

    def resolution(self, clock: int) -> int:
        """One microsecond."""
        self._check(clock)
        return STEP

    def stamp(self) -> int:
        """The time, which stays."""
        return self._now

    def remaining(self, clock: int, timeout: int, absolute: bool) -> int:
        """From now on this clock."""
        self._check(clock)
        return max(0, timeout - self._now) if absolute else timeout

    def skip(self, duration: int) -> bool:
        """Advance without waiting."""
        self._now = min(self._now + duration, MAX_TIME)
        return True

    @staticmethod
    def _check(clock: int) -> None:
        if clock >= len(_HOST_CLOCKS):
            raise WasiError(Errno.INVAL)
