"""Sessions' processes before they have a task: asked for when one is needed, or ahead of need and rehearsed.

A spare has its fork, its first walls and a rehearsal behind it, which is most of what a small session costs. Spares are only
made while the service has nothing else to do and a processor is free, so they never cost a running session its time.
"""

from __future__ import annotations

import os
import socket
from collections import deque

from zerocloud.zerovm.service.family import Child, Family
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.loop import READABLE, Loop
from zerocloud.zerovm.service.process import kill
from zerocloud.zerovm.service.rehearsal import Rehearsal
from zerocloud.zerovm.service.zygote import Zygote

_CALM_SECONDS = 0.004
_BUSY_SECONDS = 0.05
_TROUBLE_SECONDS = 5.0


class Nursery:
    """Makes children, and keeps ``size`` of them ahead of need once there is a rehearsal for them."""

    def __init__(self, loop: Loop, log: Log, zygote: Zygote, family: Family, size: int) -> None:
        self._loop, self._log, self._zygote, self._family, self._size = loop, log, zygote, family, size
        self._ready = False
        self._rehearsing: deque[Child] = deque()
        self._spares: deque[Child] = deque()
        self._planned = False
        self._processors = len(os.sched_getaffinity(0))
        self.busy = 0

    def rehearse_with(self, rehearsal: Rehearsal) -> None:
        """Begin to keep spares."""
        self._zygote.rehearse_with(rehearsal)
        self._ready = True
        self._plan(0)

    def take(self) -> Child:
        """A child for a session, now the caller's to watch, and to hand to :meth:`gone` when it is dead. Raises OSError."""
        self._plan(_CALM_SECONDS)
        if self._spares:
            child = self._spares.popleft()
        elif self._rehearsing:  # it has a start on one that is forked now, and finds its task when it is through
            child = self._rehearsing.popleft()
            self._loop.forget(child.line.fileno())
        else:
            child = self._make(rehearsed=False)
        self._loop.forget(child.pidfd)
        self.busy += 1
        return child

    def gone(self) -> None:
        """One that was taken is dead."""
        self.busy -= 1

    def close(self) -> None:
        """No spares any more; those there are end."""
        self._size = 0
        for child in (*self._rehearsing, *self._spares):
            kill(child.pidfd)

    def _make(self, rehearsed: bool) -> Child:
        ours, theirs = socket.socketpair()
        try:
            pid = self._zygote.session(theirs, rehearsed)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        return self._family.welcome(pid, ours, theirs)

    # Spares

    def _plan(self, seconds: float) -> None:
        if not self._planned and self._ready and self._size:
            self._planned = True
            self._loop.after(seconds, lambda: self._loop.when_idle(self._grow, self), self)

    def _grow(self) -> None:
        self._planned = False
        there = len(self._spares) + len(self._rehearsing)
        if there >= self._size:
            return
        if self.busy + len(self._rehearsing) >= self._processors:
            self._plan(_BUSY_SECONDS)
            return
        child = self._make(rehearsed=True)
        child.rehearsing = True
        self._rehearsing.append(child)
        self._loop.watch(child.line.fileno(), READABLE, lambda _: self._rehearsed(child), self)
        self._loop.watch(child.pidfd, READABLE, lambda _: self._died(child), self)
        self._plan(_CALM_SECONDS)

    def _rehearsed(self, child: Child) -> None:
        self._loop.forget(child.line.fileno())
        if child.line.recv(1):
            child.rehearsing = False
            self._rehearsing.remove(child)
            self._spares.append(child)

    def _died(self, child: Child) -> None:
        """A spare is gone before its time."""
        self._loop.forget(child.pidfd)
        self._loop.forget(child.line.fileno())
        for children in (self._rehearsing, self._spares):
            if child in children:
                children.remove(child)
        ending = self._family.bury(child)
        if self._size:
            self._log.write(f"a spare process ended: {os.waitstatus_to_exitcode(ending.status)}")
            self._plan(_TROUBLE_SECONDS)

    def failed(self, error: Exception) -> None:
        """As an owner of callbacks: say what went wrong, and go on."""
        self._log.write(f"spare processes: {type(error).__name__}: {error}")
        self._plan(_TROUBLE_SECONDS)
