"""A child process with a time limit, watched by a parent that does nothing else.

The parent's SIGKILL is the one thing that ends a guest for certain: a Python signal handler never runs while a guest spins.
The parent itself may be told to stop (SIGINT, SIGTERM, SIGHUP); then it kills the child and says so.
"""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zerocloud.zerovm.service.kernel import PR_SET_PDEATHSIG, close_all_but, prctl
from zerocloud.zerovm.service.outcome import Kill, Usage
from zerocloud.zerovm.service.process import BROKEN, reap
from zerocloud.zerovm.service.process import kill as kill_process
from zerocloud.zerovm.states import EndState

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ORPHANED = 71


@dataclass(frozen=True)
class Ended:
    """A child that is dead: its wait status, what it used, and why it was killed, if it was killed by us."""

    status: int
    usage: Usage
    kill: Kill | None


def run_in_child(main: Callable[[], int], kept: Sequence[int], timeout: float) -> Ended:
    """Fork, call ``main`` in the child, wait for its end; the child's exit code is what ``main`` returns.

    ``kept`` are the descriptors that the child needs beside the standard three. It is killed after ``timeout`` seconds, when
    this process is told to stop, and when this process dies.
    """
    with _Stop() as stop:
        started = time.monotonic()
        pid = _fork(main, kept)
        descriptor = os.pidfd_open(pid)
        try:
            kill = stop.wait(descriptor, started + timeout, timeout)
            if kill is not None:
                kill_process(descriptor)
        finally:
            ending = reap(pid, started)
            os.close(descriptor)
    return Ended(ending.status, ending.usage, kill)


def _fork(main: Callable[[], int], kept: Sequence[int]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = BROKEN
        try:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(_ORPHANED)
            signal.set_wakeup_fd(-1)
            for number in STOPPING:
                signal.signal(number, signal.SIG_DFL)
            close_all_but((0, 1, 2, *kept))
            code = main()
        except BaseException:  # noqa: BLE001 - the edge of this process
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        finally:
            os._exit(code)
    return pid


class _Stop:
    """Notices signals without being interrupted by them."""

    def __init__(self) -> None:
        self._signals: list[int] = []

    def __enter__(self) -> _Stop:
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._handlers = [signal.signal(number, self._note) for number in STOPPING]
        return self

    def _note(self, number: int, frame: object) -> None:
        self._signals.append(number)

    def wait(self, descriptor: int, deadline: float, timeout: float) -> Kill | None:
        """Wait until the process is dead (None), or is to be killed."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._reading, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            ready = [number for number, _ in poll.poll(max(0, min(left, 86400.0)) * 1000)]
            if descriptor in ready:
                return None
            if self._signals:
                number = self._signals[0]
                return Kill(EndState.CANCELLED, f"signal {number} ({signal.strsignal(number)})")
            if left <= 0:
                return Kill(EndState.TIMED_OUT, f"the limit is {timeout:g} seconds")
            if self._reading in ready:
                os.read(self._reading, 4096)

    def __exit__(self, *exception: object) -> None:
        for number, handler in zip(STOPPING, self._handlers, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._reading)
        os.close(self._writing)
