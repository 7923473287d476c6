"""Compiles under way: one for each module however many ask for it, a few at a time, and failures remembered for a minute."""

from __future__ import annotations

import errno
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from zerocloud.zerovm.frames import drop_descriptors
from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.service.compiling import CompileLimits, CompileTask, explain
from zerocloud.zerovm.service.family import Family
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.loop import READABLE, Loop, Timer
from zerocloud.zerovm.service.process import kill
from zerocloud.zerovm.service.zygote import Zygote

_REMEMBER_SECONDS = 60.0
_REMEMBERED = 1000
_PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Unusable:
    """A program that can't be run: a sentence, and an errno."""

    sentence: str
    errno: int = errno.ENOEXEC


Compiled = Callable[[Unusable | None], None]
"""Told once that the module is in the cache, or why not. Must not raise."""


@dataclass
class _Compile:
    name: str
    task: CompileTask
    waiting: list[Compiled] = field(default_factory=list)
    pid: int = 0
    pidfd: int = -1
    started: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    @property
    def story(self) -> str:
        return f"{self.task.digest[:12]} ({os.fstat(self.task.program).st_size} bytes)"


class Compiler:
    """Has limited processes compile into the cache."""

    def __init__(self, loop: Loop, log: Log, cache: Cache, limits: CompileLimits, zygote: Zygote, family: Family) -> None:
        self._loop, self._log, self._cache, self._zygote, self._family = loop, log, cache, zygote, family
        self.limits = limits
        self._compiles: dict[str, _Compile] = {}
        self._queue: deque[_Compile] = deque()
        self._failures: OrderedDict[str, tuple[float, Unusable]] = OrderedDict()

    def compile(self, name: str, digest: str, fuel: bool, program: int, done: Compiled) -> Callable[[], None]:
        """Have the file ``program`` compiled as ``name``, then call ``done``; returns how to withdraw that call.

        The compile goes on when all have withdrawn: the next to ask will find its result. Raises OSError.
        """
        until, failure = self._failures.get(name, (0.0, None))
        if failure is not None and time.monotonic() < until:
            done(failure)
            return lambda: None
        compile_ = self._compiles.get(name)
        if compile_ is None:
            compile_ = self._new(name, digest, fuel, program)
        compile_.waiting.append(done)
        self._start_waiting()
        waiting = compile_.waiting
        return lambda: waiting.remove(done) if done in waiting else None

    def _new(self, name: str, digest: str, fuel: bool, program: int) -> _Compile:
        output = self._cache.create()
        try:
            task = CompileTask(os.dup(program), output, digest, fuel, self.limits)
        except OSError:
            os.close(output)
            raise
        compile_ = self._compiles[name] = _Compile(name, task)
        self._queue.append(compile_)
        return compile_

    def _start_waiting(self) -> None:
        while self._queue and len(self._compiles) - len(self._queue) < self.limits.parallel:
            compile_ = self._queue.popleft()
            try:
                self._start(compile_)
            except OSError as error:
                self._finish(
                    compile_, Unusable(f"the compiler can't be started: {error.strerror}", error.errno or errno.EAGAIN)
                )

    def _start(self, compile_: _Compile) -> None:
        compile_.started = time.monotonic()
        compile_.pid = self._zygote.compiler(compile_.task)
        compile_.pidfd = self._family.adopt(compile_.pid)
        self._loop.watch(compile_.pidfd, READABLE, lambda _: self._ended(compile_), self)
        compile_.timers = [self._loop.after(self.limits.wall, lambda: kill(compile_.pidfd), self)]
        self._report_progress_later(compile_)

    def _report_progress_later(self, compile_: _Compile) -> None:
        def report() -> None:
            passed = time.monotonic() - compile_.started
            limit = compile_.task.limits.seconds
            self._log.write(f"compiling {compile_.story} for {passed:.0f} s; the limit is {limit} s of CPU time")
            compile_.timers.pop()
            self._report_progress_later(compile_)

        compile_.timers.append(self._loop.after(_PROGRESS_SECONDS, report, self))

    def _ended(self, compile_: _Compile) -> None:
        self._loop.forget(compile_.pidfd)
        for timer in compile_.timers:
            timer.cancel()
        ending = self._family.collect(compile_.pid, compile_.pidfd, compile_.started)
        problem: Unusable | None = None
        sentence = explain(compile_.task, ending.status)
        if sentence is not None:
            problem = Unusable(sentence)
            self._remember(compile_.name, problem)
        else:
            try:
                self._cache.store(compile_.task.output, compile_.name)
            except OSError as error:
                problem = Unusable(f"its native code can't be stored: {error.strerror}", error.errno or errno.EIO)
        used = ending.usage
        self._log.write(
            f"compiled {compile_.story}: {problem.sentence if problem else 'ok'}; "
            f"wall={used.wall:.3f} cpu={used.user + used.system:.3f} peak={used.peak >> 20}MiB"
        )
        self._finish(compile_, problem)
        self._start_waiting()

    def _finish(self, compile_: _Compile, problem: Unusable | None) -> None:
        del self._compiles[compile_.name]
        os.close(compile_.task.output)
        drop_descriptors([compile_.task.program])
        for done in tuple(compile_.waiting):
            done(problem)

    def _remember(self, name: str, problem: Unusable) -> None:
        self._failures[name] = (time.monotonic() + _REMEMBER_SECONDS, problem)
        self._failures.move_to_end(name)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def failed(self, error: Exception) -> None:
        """As an owner of callbacks: say what went wrong, and go on."""
        self._log.write(f"compiler: {type(error).__name__}: {error}")
