"""From a program's descriptor to its compiled module: its digest, then the cache, else a compile."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import wasmtime

from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.service.compiler import Compiler, Unusable, Wanted
from zerocloud.zerovm.service.digests import Digesting, Digests
from zerocloud.zerovm.service.kernel import MACHINE
from zerocloud.zerovm.service.loop import Loop, Owner, guarded

_SETTINGS = "1"
"""Raised whenever the engine's configuration changes."""


@dataclass(frozen=True)
class Compiled:
    """A compiled module: an open descriptor, now the receiver's, and its name in the cache. ``cached``: not made just now."""

    descriptor: int
    name: str
    cached: bool


Found = Callable[[Compiled | Unusable], None]


def engine_key(fuel: bool) -> str:
    """What native code depends on beside the program: wasmtime's version, the engine's settings, this kind of processor."""
    information = Path("/proc/cpuinfo").read_text().splitlines()
    features = next((line for line in information if line.startswith(("flags", "Features"))), "")
    facts = (_SETTINGS, _wasmtime_version(), MACHINE, features, str(fuel))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _wasmtime_version() -> str:
    """The version that stands in the name of the installed distribution's directory, or else the library's size and age.

    ``importlib.metadata`` would bring in modules that have work to do in each fork.
    """
    package = Path(wasmtime.__file__).parent
    found = [entry.name for entry in package.parent.glob("wasmtime-*.dist-info")]
    libraries = sorted(package.glob("*/_libwasmtime.so"))
    return " ".join(found or [f"{status.st_size} {status.st_mtime_ns}" for status in map(os.stat, libraries)])


class Modules:
    """Answers what the compiled form of a program is."""

    def __init__(self, loop: Loop, cache: Cache, compiler: Compiler) -> None:
        self._loop, self._cache, self._compiler = loop, cache, compiler
        self._digests = Digests()
        self._keys = {fuel: engine_key(fuel) for fuel in (False, True)}

    def find(self, wanted: Wanted, found: Found, owner: Owner) -> Query:
        """Call ``found`` once, now or later, with the module of the program, whose file must stay open until then."""
        query = Query(found, owner)
        problem = self._check(wanted)
        digest = self._digests.find(wanted.program)
        if problem is not None:
            query.answer(problem)
        elif digest is not None:
            self._look_up(query, wanted, digest)
        else:
            self._digest(query, self._digests.begin(wanted.program), wanted)
        return query

    def _check(self, wanted: Wanted) -> Unusable | None:
        status = os.fstat(wanted.program)
        limit = self._compiler.limits(wanted.trusted).program
        if not stat.S_ISREG(status.st_mode):
            return Unusable("the program is not a regular file")
        if status.st_size == 0:
            return Unusable("the program is empty")
        if status.st_size > limit:
            return Unusable(f"the program has {status.st_size} bytes, the limit is {limit}", errno.EFBIG)
        return None

    def _digest(self, query: Query, digesting: Digesting, wanted: Wanted) -> None:
        digest = digesting.step()
        if digest is not None:
            self._look_up(query, wanted, digest)
        else:
            timer = self._loop.after(0, lambda: self._digest(query, digesting, wanted), query.owner)
            query.withdraw_by(timer.cancel)

    def _look_up(self, query: Query, wanted: Wanted, digest: str) -> None:
        name = f"{digest}-{self._keys[wanted.fuel]}"
        descriptor = self._cache.open(name)
        if descriptor is not None:
            if wanted.trusted:
                self._cache.keep(descriptor)
            query.answer(Compiled(descriptor, name, cached=True))
            return

        def done(problem: Unusable | None) -> None:
            query.answer(problem or self._fresh(name))

        query.withdraw_by(self._compiler.compile(name, digest, wanted, done))

    def _fresh(self, name: str) -> Compiled | Unusable:
        descriptor = self._cache.open(name)
        if descriptor is None:
            return Unusable("its native code left the cache at once: the cache is too small", errno.ENOSPC)
        return Compiled(descriptor, name, cached=False)

    def discard(self, compiled: Compiled) -> None:
        """Drop a module that could not be loaded; the next to ask has it compiled anew."""
        self._cache.remove(compiled.name)


class Query:
    """One question for a module, until it is answered or withdrawn."""

    def __init__(self, found: Found, owner: Owner) -> None:
        self._found: Found | None = found
        self._withdraw: Callable[[], None] | None = None
        self.owner = owner

    def withdraw_by(self, withdraw: Callable[[], None]) -> None:
        """How to take it back from where it waits now."""
        self._withdraw = withdraw

    def answer(self, answer: Compiled | Unusable) -> None:
        """Tell who asked; what goes wrong there stays there."""
        found, self._found = self._found, None
        if found is not None:
            guarded(self.owner, lambda: found(answer))
        elif isinstance(answer, Compiled):
            os.close(answer.descriptor)

    def withdraw(self) -> None:
        """Whoever asked is gone: no answer any more."""
        self._found = None
        if self._withdraw is not None:
            self._withdraw()
