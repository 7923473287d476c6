"""A session's process as the service sees it: started, perhaps killed, reaped, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import wasmtime

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.report import PASSED, SKIPPED
from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.service.child import UNLOADABLE, RunGuest, SessionTask, run_child
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.loop import READABLE, Loop, Owner
from zerocloud.zerovm.service.modules import Compiled, Modules
from zerocloud.zerovm.service.outcome import Kill, Outcome, conclude
from zerocloud.zerovm.service.page import create_page, read_counters, read_report
from zerocloud.zerovm.service.process import BROKEN, fork_child, kill, reap
from zerocloud.zerovm.service.requests import SessionRequest
from zerocloud.zerovm.service.walls import Walls
from zerocloud.zerovm.states import EndState


@dataclass(frozen=True)
class Workshop:
    """What all sessions are made with."""

    loop: Loop
    log: Log
    cache: Cache
    modules: Modules
    engines: dict[bool, wasmtime.Engine]
    run: RunGuest
    walls: Walls
    null: int
    nice: int
    reserved: list[object]


class SessionProcess:
    """One session under way. ``ended`` is called once, on the owner's account, when its process is dead and reaped."""

    def __init__(
        self, workshop: Workshop, request: SessionRequest, compiled: Compiled, ended: Callable[[Outcome], None], owner: Owner
    ) -> None:
        self._workshop, self._request, self._compiled, self._ended = workshop, request, compiled, ended
        self._kill: Kill | None = None
        self._page = create_page()
        self._started = time.monotonic()
        self._pid = 0
        self._pidfd = -1
        self._owner = owner
        self.dead = False

    def start(self, descriptors: list[int]) -> None:
        """Fork it. The descriptors stay the caller's, to close. Raises OSError, and is over then."""
        workshop, manifest = self._workshop, self._request.manifest
        task = SessionTask(
            manifest,
            (*descriptors, workshop.null) if self._request.null else tuple(descriptors),
            self._compiled.descriptor,
            workshop.cache.file_name(self._compiled.name),
            workshop.cache.directory,
            self._page,
            workshop.nice,
        )
        engine = workshop.engines[manifest.fuel is not None]
        try:
            self._pid = fork_child(workshop.null, task.kept, lambda: run_child(task, engine, workshop.walls, workshop.run))
            self._pidfd = os.pidfd_open(self._pid)
        except OSError:
            os.close(self._page)
            raise
        finally:
            os.close(self._compiled.descriptor)
        workshop.loop.watch(self._pidfd, READABLE, lambda _: self._reap(), self._owner)
        text = f"its limit of {manifest.timeout} seconds was reached"
        self._timer = workshop.loop.after(manifest.timeout, lambda: self.kill(Kill(EndState.TIMED_OUT, text)), self._owner)

    def kill(self, why: Kill) -> None:
        """End it now; ``ended`` follows when it is dead. Only the first reason counts."""
        if not self.dead:
            self._kill = self._kill or why
            kill(self._pidfd)

    def _reap(self) -> None:
        self._workshop.loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._timer.cancel()
        ending = reap(self._pid, self._started)
        self.dead = True
        try:
            words, counters = read_report(self._page), read_counters(self._page)
        finally:
            os.close(self._page)
        validator = SKIPPED if self._compiled.cached else PASSED
        outcome = conclude(words, ending.status, self._kill, Counters(counters).accounting(), ending.usage, validator)
        self._ended(outcome)
        self._tell(os.waitstatus_to_exitcode(ending.status), words)

    def _tell(self, code: int, words: bytes) -> None:
        workshop = self._workshop
        if code == BROKEN:
            workshop.log.write(f"session process {self._pid} failed: {words.decode('utf-8', 'replace')}")
        if code == UNLOADABLE:
            workshop.log.write(f"compiled module {self._compiled.name} can't be loaded and is dropped")
            workshop.modules.discard(self._compiled)
