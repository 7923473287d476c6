"""Processes as the kernel tells of them: who is still alive, who belongs to a Zebra, how to end one for certain.

A process is known by its id *and* its start time, since the kernel gives ids away again.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
# Field 22 of /proc/PID/stat, counted after the command's closing bracket, which is field 2 (proc_pid_stat(5)).
_STATE, _START_TIME = 0, 19


@dataclass(frozen=True)
class Process:
    """One process; ``started`` is its start time in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def called(cls, pid: int) -> Process:
        """The process that has the id now. Raises ProcessLookupError."""
        return cls(pid, int(_stat(pid)[_START_TIME]))

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie doesn't."""
        try:
            fields = _stat(self.pid)
        except ProcessLookupError:
            return False
        return fields[_STATE] not in ("Z", "X") and int(fields[_START_TIME]) == self.started

    @property
    def age(self) -> float:
        """Seconds since it started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started / CLOCK_TICKS

    @property
    def memory(self) -> int | None:
        """Bytes of memory it uses, shared pages in equal parts; None if it has gone or isn't ours to ask."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has gone."""
        with contextlib.suppress(ProcessLookupError), self._handle() as handle:
            signal.pidfd_send_signal(handle, number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False if it still runs then."""
        with contextlib.suppress(ProcessLookupError), self._handle() as handle:
            # Not poll(2): it is missing where eventlet has changed this process.
            ended, _, _ = select.select([handle], [], [], max(0.0, seconds))
            return bool(ended)
        return True

    @contextlib.contextmanager
    def _handle(self) -> Iterator[int]:
        """A descriptor of exactly this process. Raises ProcessLookupError."""
        handle = os.pidfd_open(self.pid)
        try:
            if not self.alive:
                raise ProcessLookupError(self.pid)
            yield handle
        finally:
            os.close(handle)


def end(processes: Iterable[Process], gently: float, firmly: float = 5.0) -> list[Process]:
    """SIGTERM to all, SIGKILL to who is left after ``gently`` seconds. Returns who survives that for ``firmly`` seconds."""
    left = list(processes)
    for number, seconds in ((signal.SIGTERM, gently), (signal.SIGKILL, firmly)):
        for process in left:
            process.signal(number)
        left = wait_all(left, seconds)
    return left


def wait_all(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait up to ``seconds`` for all to end; returns who still runs."""
    deadline = time.monotonic() + seconds
    return [process for process in processes if not process.wait(deadline - time.monotonic())]


def with_arguments(arguments: Collection[str]) -> list[Process]:
    """Every other process that has one of the ``arguments`` as a word of its command line."""
    wanted = {os.fsencode(argument) for argument in arguments}
    found = []
    for entry in os.scandir("/proc") if wanted else ():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = Path(entry.path, "cmdline").read_bytes().split(b"\0")
            if not wanted.isdisjoint(words):
                found.append(Process.called(int(entry.name)))
    return found


def take_name(name: str) -> None:
    """Let ``ps`` and ``top`` call this process by ``name``, of which they show fifteen bytes."""
    _prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent, which has the id ``parent``, ends in whatever way."""
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        # It ended before the kernel knew.
        os._exit(1)


def _prctl(option: int, value: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command. Raises ProcessLookupError."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError as error:
        raise ProcessLookupError(pid) from error
    return text.rpartition(")")[2].split()
