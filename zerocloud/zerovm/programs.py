"""From the program that a manifest names to native code, for a session of the command line.

A program is compiled in a child with limits (a small hostile module can cost gigabytes and minutes), and its native code kept
in a cache of this user's, by content, wasmtime's version and the engine's settings. Where there can be no cache, it is
compiled anew.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from errno import EINTR, EIO, ENOEXEC

from zerocloud.zerovm.errors import CancelledError, ManifestError, ProgramError
from zerocloud.zerovm.manifest import Manifest
from zerocloud.zerovm.privileges import drop_privileges
from zerocloud.zerovm.report import PASSED, SKIPPED
from zerocloud.zerovm.service.cache import Cache, CacheError
from zerocloud.zerovm.service.compiling import CompileLimits, CompileTask, address_space, explain, run_compile
from zerocloud.zerovm.service.modules import engine_key
from zerocloud.zerovm.service.options import default_cache
from zerocloud.zerovm.service.walls import Walls
from zerocloud.zerovm.sources import DescriptorSource
from zerocloud.zerovm.states import EndState
from zerocloud.zerovm.supervisor import run_in_child

LIMITS = CompileLimits(seconds=600, memory=16 << 30)
"""Wider than the service's: who calls from a command line spends their own time."""
CACHE_BYTES = 4 << 30
_PIECE = 1 << 20


@dataclass(frozen=True)
class Program:
    """Native code: an open file, and the validator status that its making deserves."""

    descriptor: int
    validator: int


def compile_program(manifest: Manifest, cache_path: str | None, skip_validation: bool, stack: ExitStack) -> Program:
    """The native code of the manifest's program; ``stack`` closes it. Raises ManifestError, ProgramError.

    ``cache_path`` None is the user's own cache, empty none. ``skip_validation`` (``-s``) only ever spares what the cache holds
    already as valid, or what compiling finds out anyway.
    """
    source = open_program(manifest)
    stack.callback(os.close, source)
    digest = _digest(source)
    fuel = manifest.fuel is not None
    cache = _open_cache(cache_path)
    if cache is None:
        output = os.memfd_create("program", os.MFD_CLOEXEC)
        stack.callback(os.close, output)
        _compile(CompileTask(source, output, digest, fuel, LIMITS))
        return Program(output, SKIPPED if skip_validation else PASSED)
    stack.callback(cache.close)
    name = f"{digest}-{engine_key(fuel)}"
    found = cache.open(name)
    validator = SKIPPED if skip_validation or found is not None else PASSED
    if found is None:
        output = cache.create()
        stack.callback(os.close, output)
        _compile(CompileTask(source, output, digest, fuel, LIMITS))
        cache.store(output, name)
        found = os.open(f"/proc/self/fd/{output}", os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, found)
    return Program(found, validator)


def open_program(manifest: Manifest) -> int:
    """Open the program's file. Raises ManifestError: ENOENT and the like, or EIO for what can't be a program."""
    source, line = manifest.program, manifest.program_line
    if isinstance(source, DescriptorSource):
        raise ManifestError(line, "Program: fd: is for sessions of the service", EIO)
    try:
        descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise ManifestError(line, f"Program: {source.path}: {error.strerror}", error.errno or EIO) from error
    status = os.fstat(descriptor)
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "is not a regular file"
    elif status.st_size > LIMITS.program:
        problem = f"has {status.st_size} bytes, the limit is {LIMITS.program}"
    if problem:
        os.close(descriptor)
        raise ManifestError(line, f"Program: {source.path} {problem}", EIO)
    return descriptor


def _digest(source: int) -> str:
    digest = hashlib.sha256()
    offset = 0
    while piece := os.pread(source, _PIECE, offset):
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()


def _open_cache(path: str | None) -> Cache | None:
    if path is None:
        path = default_cache() + ("-command" if os.geteuid() == 0 else "")  # root's service gives its own to another user
    try:
        return Cache(path, CACHE_BYTES) if path else None
    except (CacheError, OSError):
        return None


def _compile(task: CompileTask) -> None:
    walls = Walls()

    def compiling() -> int:
        occupied = address_space()
        drop_privileges()
        walls.around_compiler()
        return run_compile(task, occupied)

    ended = run_in_child(compiling, (task.program, task.output), LIMITS.wall)
    if ended.kill is not None and ended.kill.end is EndState.CANCELLED:
        raise CancelledError(f"{EndState.CANCELLED.value}: {ended.kill.detail}", EINTR)
    sentence = explain(task, ended.status)
    if sentence is not None:
        raise ProgramError(f"{EndState.REFUSED.value}: {sentence}", ENOEXEC)
