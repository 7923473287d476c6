"""One session as the service sees it: given to a process, perhaps killed, reported, and its process buried.

The report is given out as soon as the process says that it is there; what the process still does is to die. A process that dies
without saying so is reported then.
"""

from __future__ import annotations

import os
import pickle
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.frames import drop_descriptors, send_frame
from zerocloud.zerovm.report import PASSED, SKIPPED, Report
from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.service.child import READY, REPORTED, UNLOADABLE
from zerocloud.zerovm.service.daemons import Daemons
from zerocloud.zerovm.service.family import Child, Family, StrangerError
from zerocloud.zerovm.service.freezing import FROZEN, TWIN
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.loop import READABLE, Loop, Owner
from zerocloud.zerovm.service.modules import Compiled, Modules
from zerocloud.zerovm.service.nursery import Nursery
from zerocloud.zerovm.service.outcome import Kill, Usage, conclude
from zerocloud.zerovm.service.page import create_page, read_counters, read_report, write_task
from zerocloud.zerovm.service.process import BROKEN, kill
from zerocloud.zerovm.service.requests import SessionRequest
from zerocloud.zerovm.service.tasks import untaken
from zerocloud.zerovm.service.zygote import Zygote
from zerocloud.zerovm.states import EndState

_DYING_SECONDS = 2.0
_ATTEMPTS = 3
"""So many processes may die before they take a session; the death of the last one is its end."""
_LAST_WORDS = 8
"""More than a session ever says; its twin, on the same line, has nothing to say yet."""


@dataclass(frozen=True)
class Workshop:
    """What all sessions are made with."""

    loop: Loop
    log: Log
    cache: Cache
    modules: Modules
    zygote: Zygote
    nursery: Nursery
    daemons: Daemons
    family: Family
    null: int


class Watcher(Owner, Protocol):
    """Who wants to know of a session; both are called once, in this order, on its account."""

    def reported(self, report: Report) -> None:
        """The session is over."""

    def buried(self, usage: Usage, fuel: int) -> None:
        """Its process is dead; what it used in all, and the instructions that were counted."""


class SessionProcess:
    """One session under way: of a compiled module, or going on from a daemon, whose child it is given then."""

    def __init__(self, workshop: Workshop, request: SessionRequest, source: Compiled | Child, watcher: Watcher) -> None:
        self._workshop, self._request, self._source, self._watcher = workshop, request, source, watcher
        self._kill: Kill | None = None
        self._twin: Child | None = None
        self._attempts = 0
        self._reported = False
        self.dead = False

    def start(self, descriptors: list[int]) -> None:
        """Give it to a process. The descriptors stay the caller's, to close. Raises OSError, and is over then."""
        timeout = self._request.manifest.timeout
        self._page = create_page()
        try:
            # Its own service it can trust; the other way there is only text.
            write_task(self._page, pickle.dumps(self._request))
            self._hand_over(descriptors)
        except BaseException:
            os.close(self._page)
            raise
        limit = Kill(EndState.TIMED_OUT, f"its limit of {timeout} seconds was reached")
        self._timer = self._workshop.loop.after(timeout, lambda: self.kill(limit), self._watcher)

    def _hand_over(self, descriptors: list[int]) -> None:
        if isinstance(self._source, Child):
            self._send(self._source, "", [self._page, self._workshop.null, *descriptors])
            return
        name = self._workshop.cache.file_name(self._source.name)
        try:
            self._hand_over_to_any(name, [self._page, self._source.descriptor, *descriptors])
        finally:
            os.close(self._source.descriptor)

    def _hand_over_to_any(self, name: str, descriptors: Sequence[int]) -> None:
        child = self._workshop.nursery.take()
        try:
            self._send(child, name, descriptors)
        except OSError:
            self._workshop.nursery.gone()
            raise

    def _send(self, child: Child, name: str, descriptors: Sequence[int]) -> None:
        workshop = self._workshop
        before, begun = child.cpu(), time.monotonic()
        try:
            send_frame(child.line, name.encode(), descriptors)
        except OSError:
            workshop.daemons.dismiss(child)
            raise
        self._child, self._before, self._begun = child, before, begun
        workshop.loop.watch(child.line.fileno(), READABLE, lambda _: self._spoke(), self._watcher)
        workshop.loop.watch(child.pidfd, READABLE, lambda _: self._died(), self._watcher)

    def _passed_on(self) -> bool:
        """Give the task that a dead child never took to another child; whether that was done. Nothing of it had begun."""
        workshop, dead = self._workshop, self._child
        begun = self._reported or self._twin is not None  # what is on the line then may be for its twin
        left = untaken(dead.far) if dead.far is not None and self._kill is None and not begun else None
        if left is None:
            return False
        name, descriptors = left
        self._attempts += 1
        try:
            if self._attempts == _ATTEMPTS:
                raise ChildProcessError(f"{_ATTEMPTS} processes died before they took it")
            self._hand_over_to_any(name, descriptors)
        except OSError as error:
            drop_descriptors(descriptors)
            workshop.log.write(f"a session that process {dead.pid} had not taken is lost: {error}")
            return False
        for descriptor in descriptors:  # not dropped: sockets are the other's now
            os.close(descriptor)
        workshop.family.bury(dead)
        workshop.nursery.gone()
        workshop.log.write(f"process {dead.pid} died before it took its session; process {self._child.pid} has it now")
        return True

    def kill(self, why: Kill) -> None:
        """End it now. Only the first reason counts."""
        if not self.dead:
            self._kill = self._kill or why
            kill(self._child.pidfd)

    def _spoke(self) -> None:
        """The process says something: that it has a twin, that its report is there, or, by closing the line, nothing."""
        line = self._child.line
        word = line.recv(1)
        if word == READY and self._child.rehearsing:  # it was given its task meanwhile, which begins only now
            self._child.rehearsing = False
            self._before = self._child.cpu()
            return
        if word == FROZEN and self._request.freezable and self._twin is None:
            self._welcome_twin(line)
            return
        self._workshop.loop.forget(line.fileno())
        if word != REPORTED or self._kill is not None:
            return
        self._timer.cancel()
        self._timer = self._workshop.loop.after(_DYING_SECONDS, lambda: kill(self._child.pidfd), self._watcher)
        words = read_report(self._page)
        usage = Usage(0.0, self._child.cpu() - self._before, time.monotonic() - self._begun, 0, divided=False)
        self._report(words, 0, usage)

    def _hear_out(self) -> None:
        """What it said just before it died; left on the line, it would be taken for a word of its twin."""
        line = self._child.line
        try:
            for _ in range(_LAST_WORDS):
                if line.recv(1, socket.MSG_DONTWAIT) == FROZEN and self._twin is None:
                    self._welcome_twin(line)
        except BlockingIOError:
            return
        except (StrangerError, OSError) as error:
            self._workshop.log.write(f"session process {self._child.pid} died with nonsense on its lips: {error}")

    def _died(self) -> None:
        workshop, child = self._workshop, self._child
        workshop.loop.forget(child.pidfd)
        workshop.loop.forget(child.line.fileno())
        if self._passed_on():
            return
        self._timer.cancel()
        if self._request.freezable and not self._reported:
            self._hear_out()
        ending = workshop.family.bury(child)
        self.dead = True
        if not isinstance(self._source, Child):
            workshop.nursery.gone()
        usage = replace(ending.usage.less(self._before), wall=time.monotonic() - self._begun)
        fuel = Counters(read_counters(self._page)).fuel
        try:
            if not self._reported:
                words = read_report(self._page)
                self._report(words, ending.status, usage)
                self._tell(os.waitstatus_to_exitcode(ending.status), words)
        finally:
            os.close(self._page)
            self._settle_twin(frozen=False)  # one that nobody was told of
            self._watcher.buried(usage, fuel)

    def _report(self, words: bytes, status: int, usage: Usage) -> None:
        self._reported = True
        counted = Counters(read_counters(self._page)).accounting()
        fresh = isinstance(self._source, Compiled) and not self._source.cached
        validator = PASSED if fresh else SKIPPED
        report = conclude(words, status, self._kill, counted, usage, validator).report
        # Before the caller is told of it, who may ask for it at once.
        self._settle_twin(report.daemon > 0 and report.end is EndState.EXITED)
        self._watcher.reported(report)

    def _welcome_twin(self, line: socket.socket) -> None:
        """The guest was frozen: a second process, on the same line, once this one is through with it."""
        word = line.recv(TWIN.size, socket.MSG_WAITALL | socket.MSG_DONTWAIT)
        if len(word) != TWIN.size:
            raise StrangerError("half a process's id")
        self._twin = self._workshop.family.welcome(TWIN.unpack(word)[0], socket.socket(fileno=os.dup(line.fileno())))

    def _settle_twin(self, frozen: bool) -> None:
        """The twin becomes the daemon, if the session that froze it ended well; else it goes too."""
        twin, self._twin, name = self._twin, None, self._request.manifest.job
        if twin is not None and name is not None and frozen:
            self._workshop.daemons.register(name, twin)
        elif twin is not None:
            self._workshop.daemons.dismiss(twin)

    def _tell(self, code: int, words: bytes) -> None:
        workshop = self._workshop
        if code == BROKEN:
            workshop.log.write(f"session process {self._child.pid} failed: {words.decode('utf-8', 'replace')}")
        if code == UNLOADABLE and isinstance(self._source, Compiled):
            workshop.log.write(f"compiled module {self._source.name} can't be loaded and is dropped")
            workshop.modules.discard(self._source)
