"""Guests that were frozen, by name: processes that are asked for sessions which go on from there.

Executor contract, section 6. How they come about: :mod:`zerocloud.zerovm.service.freezing`.

A daemon is not trusted any more than a session: what it answers is checked, and one that answers nonsense, or not in time, is
killed. Its sessions' processes are children of the service like all others.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from zerocloud.zerovm.frames import send_frame
from zerocloud.zerovm.service.family import Child, Family, StrangerError
from zerocloud.zerovm.service.freezing import FORK, REPLY
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.loop import READABLE, Loop, Owner, Timer, guarded
from zerocloud.zerovm.service.process import kill

_PATIENCE_SECONDS = 10.0


class DaemonLost(Exception):
    """No daemon has that name, or it can't be asked. The text is a sentence."""


Born = Callable[[Child | DaemonLost], None]


@dataclass(eq=False)
class Birth:
    """A process asked for, until it is there or not wanted any more."""

    line: socket.socket
    born: Born | None
    owner: Owner

    def withdraw(self) -> None:
        """Whoever asked is gone."""
        self.born = None

    def end(self, answer: Child | DaemonLost) -> bool:
        """Tell who asked; whether somebody did."""
        born, self.born = self.born, None
        if born is not None:
            guarded(self.owner, lambda: born(answer))
        return born is not None


@dataclass(eq=False)
class _Daemon:
    name: str
    child: Child
    births: deque[Birth] = field(default_factory=deque)
    timer: Timer | None = None
    used: float = field(default_factory=time.monotonic)


class Daemons:
    """At most ``limit`` of them; the one unused for longest goes, and any that is unused for ``idle`` seconds."""

    def __init__(self, loop: Loop, log: Log, family: Family, limit: int, idle: float) -> None:
        self._loop, self._log, self._family, self._limit, self._idle = loop, log, family, limit, idle
        self._named: dict[str, _Daemon] = {}

    def register(self, name: str, child: Child) -> None:
        """A guest was frozen; one of the same name is replaced."""
        if name in self._named:
            self._remove(self._named[name], "replaced")
        while len(self._named) >= self._limit:
            self._remove(min(self._named.values(), key=lambda daemon: daemon.used), f"the limit is {self._limit}")
        daemon = self._named[name] = _Daemon(name, child)
        self._loop.watch(child.line.fileno(), READABLE, lambda _: self._answered(daemon), self)
        self._loop.watch(child.pidfd, READABLE, lambda _: self._died(daemon), self)
        self._expect(daemon)
        self._log.write(f"daemon {name}: process {child.pid} is frozen and waits")

    def has(self, name: str) -> bool:
        """Whether there is one of that name."""
        return name in self._named

    def fork(self, name: str, born: Born, owner: Owner) -> Birth | None:
        """Ask for a process of that daemon, for ``born`` to be called with, later. None: there is no such. Raises OSError."""
        daemon = self._named.get(name)
        if daemon is None:
            return None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                send_frame(daemon.child.line, FORK, [theirs.fileno()])
            except OSError:
                ours.close()
                self._remove(daemon, "it can't be asked")
                return None
        birth = Birth(ours, born, owner)
        daemon.births.append(birth)
        daemon.used = time.monotonic()
        self._expect(daemon)
        return birth

    def dismiss(self, child: Child) -> None:
        """Bury a process that nobody wants, when it is dead."""
        kill(child.pidfd)
        self._loop.watch(child.pidfd, READABLE, lambda _: self._bury(child), self)

    def close(self) -> None:
        """End them all."""
        for daemon in tuple(self._named.values()):
            self._remove(daemon, "the service ends")

    def _expect(self, daemon: _Daemon) -> None:
        """An answer soon where one is due, else a request within the idle time."""
        if daemon.timer is not None:
            daemon.timer.cancel()
        seconds, why = (_PATIENCE_SECONDS, "it does not answer") if daemon.births else (self._idle, "it was not used")
        daemon.timer = self._loop.after(seconds, lambda: self._remove(daemon, why), self)

    def _answered(self, daemon: _Daemon) -> None:
        try:
            reply = daemon.child.line.recv(REPLY.size, socket.MSG_DONTWAIT)
        except OSError:
            reply = b""
        if len(reply) != REPLY.size or not daemon.births:
            self._remove(daemon, "it answers nonsense" if reply else "it closed its line")
            return
        birth = daemon.births.popleft()
        self._expect(daemon)
        pid, error = REPLY.unpack(reply)
        if error:
            birth.line.close()
            birth.end(DaemonLost(f"daemon {daemon.name}: {os.strerror(error)}"))
            return
        try:
            child = self._family.welcome(pid, birth.line)
        except (StrangerError, OSError) as trouble:
            birth.end(DaemonLost(f"daemon {daemon.name}: its answer can't be believed"))
            self._remove(daemon, str(trouble))
            return
        if not birth.end(child):
            self.dismiss(child)

    def _remove(self, daemon: _Daemon, why: str) -> None:
        """It is no daemon any more, and dies."""
        if self._named.get(daemon.name) is daemon:
            del self._named[daemon.name]
            self._log.write(f"daemon {daemon.name}: process {daemon.child.pid} ends: {why}")
        if daemon.timer is not None:
            daemon.timer.cancel()
        self._loop.forget(daemon.child.line.fileno())
        self._loop.forget(daemon.child.pidfd)
        self.dismiss(daemon.child)
        while daemon.births:
            birth = daemon.births.popleft()
            birth.line.close()
            birth.end(DaemonLost(f"daemon {daemon.name} ended: {why}"))

    def _died(self, daemon: _Daemon) -> None:
        self._remove(daemon, "it died")

    def _bury(self, child: Child) -> None:
        self._loop.forget(child.pidfd)
        self._family.bury(child)

    def failed(self, error: Exception) -> None:
        """As an owner of callbacks: say what went wrong, and go on."""
        self._log.write(f"daemons: {type(error).__name__}: {error}")
