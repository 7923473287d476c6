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
from zerocloud.zerovm.service.compiling import TRUSTED_LIMITS, CompileLimits, CompileTask, explain
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


_Key = tuple[str, bool]
Compiled = Callable[[Unusable | None], None]
"""Told once that the module is in the cache, or why not. Must not raise."""


@dataclass(frozen=True)
class Wanted:
    """A program to be compiled: its descriptor, whether its instructions are counted, whether it is the operator's own."""

    program: int
    fuel: bool = False
    trusted: bool = False


@dataclass(eq=False)
class _Compile:
    name: str
    task: CompileTask
    waiting: list[Compiled] = field(default_factory=list)
    pid: int = 0
    pidfd: int = -1
    started: float = 0.0
    timers: list[Timer] = field(default_factory=list)

    @property
    def key(self) -> _Key:
        return self.name, self.task.trusted

    @property
    def story(self) -> str:
        return f"{self.task.digest[:12]} ({os.fstat(self.task.program).st_size} bytes)"


class Compiler:
    """Has limited processes compile into the cache."""

    def __init__(self, loop: Loop, log: Log, cache: Cache, limits: CompileLimits, zygote: Zygote, family: Family) -> None:
        self._loop, self._log, self._cache, self._zygote, self._family = loop, log, cache, zygote, family
        self._limits = limits
        self._compiles: dict[_Key, _Compile] = {}
        self._queue: deque[_Compile] = deque()
        self._failures: OrderedDict[_Key, tuple[float, Unusable]] = OrderedDict()

    def limits(self, trusted: bool) -> CompileLimits:
        """What a compile may take."""
        return TRUSTED_LIMITS if trusted else self._limits

    def compile(self, name: str, digest: str, wanted: Wanted, done: Compiled) -> Callable[[], None]:
        """Have the program compiled as ``name``, then call ``done``; returns how to withdraw that call.

        A compile that has begun goes on when all have withdrawn: the next to ask will find its result. One that still waits for
        its turn leaves the queue with the last who wanted it. Raises OSError.
        """
        # What fails within the narrow limits may succeed within the wide ones: whoever can waits for that.
        key = (name, wanted.trusted or (name, True) in self._compiles)
        until, failure = self._failures.get(key, (0.0, None))
        if failure is not None and time.monotonic() < until:
            done(failure)
            return lambda: None
        compile_ = self._compiles.get(key)
        if compile_ is None:
            compile_ = self._new(name, digest, wanted)
        compile_.waiting.append(done)
        self._start_waiting()
        return lambda: self._withdraw(compile_, done)

    def _withdraw(self, compile_: _Compile, done: Compiled) -> None:
        if done in compile_.waiting:
            compile_.waiting.remove(done)
        if not compile_.waiting and compile_ in self._queue:
            self._queue.remove(compile_)
            self._forget(compile_)

    def _new(self, name: str, digest: str, wanted: Wanted) -> _Compile:
        output = self._cache.create()
        limits = self.limits(wanted.trusted)
        try:
            task = CompileTask(os.dup(wanted.program), output, digest, wanted.fuel, limits, wanted.trusted)
        except OSError:
            os.close(output)
            raise
        compile_ = _Compile(name, task)
        self._compiles[compile_.key] = compile_
        self._queue.append(compile_)
        return compile_

    def _start_waiting(self) -> None:
        while self._queue and len(self._compiles) - len(self._queue) < self._limits.parallel:
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
        compile_.timers = [self._loop.after(compile_.task.limits.wall, lambda: kill(compile_.pidfd), self)]
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
            self._remember(compile_.key, problem)
        else:
            try:
                self._cache.store(compile_.task.output, compile_.name, compile_.task.trusted)
            except OSError as error:
                problem = Unusable(f"its native code can't be stored: {error.strerror}", error.errno or errno.EIO)
        used = ending.usage
        self._log.write(
            f"compiled {compile_.story}: {problem.sentence if problem else 'ok'}; "
            f"wall={used.wall:.3f} cpu={used.user + used.system:.3f} peak={used.peak >> 20}MiB"
        )
        self._finish(compile_, problem)
        self._start_waiting()

    def _forget(self, compile_: _Compile) -> None:
        del self._compiles[compile_.key]
        os.close(compile_.task.output)
        drop_descriptors([compile_.task.program])

    def _finish(self, compile_: _Compile, problem: Unusable | None) -> None:
        self._forget(compile_)
        for done in tuple(compile_.waiting):
            done(problem)

    def _remember(self, key: _Key, problem: Unusable) -> None:
        self._failures[key] = (time.monotonic() + _REMEMBER_SECONDS, problem)
        self._failures.move_to_end(key)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def failed(self, error: Exception) -> None:
        """As an owner of callbacks: say what went wrong, and go on."""
        self._log.write(f"compiler: {type(error).__name__}: {error}")
