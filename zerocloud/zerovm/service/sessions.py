"""One session as the service sees it: given to a process, perhaps killed, reported, and its process buried.

The report is given out as soon as the process says that it is there; what the process still does is to die. A process that dies
without saying so is reported then.
"""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import dataclass, replace
from typing import Protocol

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.frames import send_frame
from zerocloud.zerovm.report import PASSED, SKIPPED, Report
from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.service.child import REPORTED, UNLOADABLE
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.loop import READABLE, Loop, Owner
from zerocloud.zerovm.service.modules import Compiled, Modules
from zerocloud.zerovm.service.nursery import Child, Nursery
from zerocloud.zerovm.service.outcome import Kill, Usage, conclude
from zerocloud.zerovm.service.page import create_page, read_counters, read_report, write_task
from zerocloud.zerovm.service.process import BROKEN, kill
from zerocloud.zerovm.service.requests import SessionRequest
from zerocloud.zerovm.service.zygote import Zygote
from zerocloud.zerovm.states import EndState

_DYING_SECONDS = 2.0
_ATTEMPTS = 3


@dataclass(frozen=True)
class Workshop:
    """What all sessions are made with."""

    loop: Loop
    log: Log
    cache: Cache
    modules: Modules
    zygote: Zygote
    nursery: Nursery


class Watcher(Owner, Protocol):
    """Who wants to know of a session; both are called once, in this order, on its account."""

    def reported(self, report: Report) -> None:
        """The session is over."""

    def buried(self, usage: Usage) -> None:
        """Its process is dead; what it used in all."""


class SessionProcess:
    """One session under way."""

    def __init__(self, workshop: Workshop, request: SessionRequest, compiled: Compiled, watcher: Watcher) -> None:
        self._workshop, self._request, self._compiled, self._watcher = workshop, request, compiled, watcher
        self._kill: Kill | None = None
        self._reported = False
        self.dead = False

    def start(self, descriptors: list[int]) -> None:
        """Give it to a process. The descriptors stay the caller's, to close. Raises OSError, and is over then."""
        workshop, timeout = self._workshop, self._request.manifest.timeout
        self._page = create_page()
        try:
            # Its own service it can trust; the other way there is only text.
            write_task(self._page, pickle.dumps(self._request))
            self._child = self._hand_over([self._page, self._compiled.descriptor, *descriptors])
        except BaseException:
            os.close(self._page)
            raise
        finally:
            os.close(self._compiled.descriptor)
        limit = Kill(EndState.TIMED_OUT, f"its limit of {timeout} seconds was reached")
        workshop.loop.watch(self._child.line.fileno(), READABLE, lambda _: self._spoke(), self._watcher)
        workshop.loop.watch(self._child.pidfd, READABLE, lambda _: self._died(), self._watcher)
        self._timer = workshop.loop.after(timeout, lambda: self.kill(limit), self._watcher)

    def _hand_over(self, descriptors: list[int]) -> Child:
        """A child that has the task; a spare that died meanwhile is made up for by another."""
        workshop = self._workshop
        name = workshop.cache.file_name(self._compiled.name).encode()
        for attempt in range(_ATTEMPTS):
            child = workshop.nursery.take()
            self._before, self._begun = child.cpu(), time.monotonic()
            try:
                send_frame(child.line, name, descriptors)
            except OSError as error:
                kill(child.pidfd)
                child.bury()
                workshop.nursery.gone()
                if not isinstance(error, ConnectionError) or attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
        return child

    def kill(self, why: Kill) -> None:
        """End it now. Only the first reason counts."""
        if not self.dead:
            self._kill = self._kill or why
            kill(self._child.pidfd)

    def _spoke(self) -> None:
        """The process says something: that its report is there, or, by closing the line, nothing."""
        self._workshop.loop.forget(self._child.line.fileno())
        if self._child.line.recv(1) != REPORTED or self._kill is not None:
            return
        self._timer.cancel()
        self._timer = self._workshop.loop.after(_DYING_SECONDS, lambda: kill(self._child.pidfd), self._watcher)
        words = read_report(self._page)
        usage = Usage(0.0, self._child.cpu() - self._before, time.monotonic() - self._begun, 0, divided=False)
        self._report(words, 0, usage)

    def _died(self) -> None:
        workshop, child = self._workshop, self._child
        workshop.loop.forget(child.pidfd)
        workshop.loop.forget(child.line.fileno())
        self._timer.cancel()
        ending = child.bury()
        self.dead = True
        workshop.nursery.gone()
        usage = replace(ending.usage.less(self._before), wall=time.monotonic() - self._begun)
        try:
            if not self._reported:
                words = read_report(self._page)
                self._report(words, ending.status, usage)
                self._tell(os.waitstatus_to_exitcode(ending.status), words)
        finally:
            os.close(self._page)
            self._watcher.buried(usage)

    def _report(self, words: bytes, status: int, usage: Usage) -> None:
        self._reported = True
        counted = Counters(read_counters(self._page)).accounting()
        validator = SKIPPED if self._compiled.cached else PASSED
        self._watcher.reported(conclude(words, status, self._kill, counted, usage, validator).report)

    def _tell(self, code: int, words: bytes) -> None:
        workshop = self._workshop
        if code == BROKEN:
            workshop.log.write(f"session process {self._child.pid} failed: {words.decode('utf-8', 'replace')}")
        if code == UNLOADABLE:
            workshop.log.write(f"compiled module {self._compiled.name} can't be loaded and is dropped")
            workshop.modules.discard(self._compiled)
