"""The service's children, each known by its id from birth to burial.

A process that is not to be trusted tells the id of another (a session that froze its guest, a frozen guest that forked): it is
believed only if that is a child of this service that nobody knows yet.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

from zerocloud.zerovm.service.process import Ending, reap


class StrangerError(Exception):
    """An id that is no new child's."""


@dataclass(eq=False)
class Child:
    """A process with a line to it; ``started`` is in monotonic seconds. ``rehearsing``: it has yet to say that it is ready.

    ``far`` is the line's other end, where this process keeps it too: what the child has not taken can be taken back there.
    """

    pid: int
    pidfd: int
    line: socket.socket
    started: float
    far: socket.socket | None = None
    rehearsing: bool = False

    def cpu(self) -> float:
        """CPU seconds it used so far, by the kernel's clock for it; it must not have been buried."""
        return time.clock_gettime((~self.pid << 3) | 2)


class Family:
    """All children that are alive, or dead and not yet buried."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def adopt(self, pid: int) -> int:
        """Take note of a new child; a descriptor of it. Raises StrangerError, OSError."""
        if pid <= 0 or pid in self._known:
            raise StrangerError(f"process {pid} is none that is new here")
        pidfd = os.pidfd_open(pid)
        try:
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            os.close(pidfd)
            raise StrangerError(f"process {pid} is not a child of this service") from None
        self._known.add(pid)
        return pidfd

    def welcome(self, pid: int, line: socket.socket, far: socket.socket | None = None) -> Child:
        """A new child with a line to it. Raises StrangerError, OSError, and has closed the line then."""
        try:
            return Child(pid, self.adopt(pid), line, time.monotonic(), far)
        except BaseException:
            _hang_up(line, far)
            raise

    def bury(self, child: Child) -> Ending:
        """Collect a child that is dead or about to die."""
        _hang_up(child.line, child.far)
        return self.collect(child.pid, child.pidfd, child.started)

    def collect(self, pid: int, pidfd: int, started: float) -> Ending:
        """The same for one without a line."""
        os.close(pidfd)
        self._known.discard(pid)
        return reap(pid, started)


def _hang_up(line: socket.socket, far: socket.socket | None) -> None:
    line.close()
    if far is not None:
        far.close()
