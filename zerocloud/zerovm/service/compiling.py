"""Compile one module in a child process with limits of its own, since a small hostile module can cost gigabytes and minutes.

The child reads the program, checks that its digest is still the announced one, and writes native code into an unnamed file of
the cache. Only when it has ended well does the service give that file a name. How it ended otherwise becomes a sentence.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
from dataclasses import dataclass

import wasmtime

from zerocloud.zrt.engine import make_engine

_CHANGED, _INVALID, _TOO_LARGE, _OUT_OF_MEMORY = 2, 3, 4, 5
_PIECE_BYTES = 1 << 20
_REASON_BYTES = 1000
_WALL_FACTOR = 8
_NICE = 10


@dataclass(frozen=True)
class CompileLimits:
    """CPU seconds, bytes of address space, bytes of the program and of its native code, and compiles at a time."""

    seconds: int = 30
    memory: int = 2 << 30
    program: int = 256 << 20
    output: int = 2 << 30
    parallel: int = 2

    @property
    def wall(self) -> float:
        """Seconds by the clock after which a compile is killed: enough for its CPU time on a busy host."""
        return float(self.seconds * _WALL_FACTOR)


TRUSTED_LIMITS = CompileLimits(seconds=3600, memory=32 << 30, program=1 << 30, output=8 << 30)
"""For the operator's own programs: a stop for what runs wild, no more."""


@dataclass(frozen=True)
class CompileTask:
    """What a compile needs: the program, the file to write, the digest it was announced under, and for which engine.

    ``trusted``: the program is the operator's own, so all processors may work on it.
    """

    program: int
    output: int
    digest: str
    fuel: bool
    limits: CompileLimits
    trusted: bool = False


def run_compile(task: CompileTask, occupied: int = 0) -> int:
    """Compile in this process, which is a child made for it; the exit code that :func:`explain` understands.

    ``occupied`` is what it has of address space already (:func:`address_space`), beside the limit.
    """
    try:
        _limit(task, occupied)
        return _compile(task)
    except MemoryError:
        return _OUT_OF_MEMORY


def explain(task: CompileTask, status: int) -> str | None:
    """None where the child with this wait status compiled the module, else the sentence of the refusal."""
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return None
    if code == _INVALID:
        return f"not a valid WebAssembly module: {_reason(task.output)}"
    limits = task.limits
    memory = f"compiling it needs more than the limit of {limits.memory >> 20} MiB of memory"
    sentences = {
        _CHANGED: "the program changed while it was read",
        _TOO_LARGE: f"its native code exceeds the limit of {limits.output} bytes",
        _OUT_OF_MEMORY: memory,
        -signal.SIGABRT: memory,  # how the compiler ends when an allocation fails
        -signal.SIGXCPU: f"compiling it takes more than the limit of {limits.seconds} seconds of CPU time",
        -signal.SIGKILL: f"compiling it takes more than the limit of {limits.wall:.0f} seconds by the clock",
    }
    return sentences.get(code, f"compiling it ended the compiler (end code {code})")


def _reason(output: int) -> str:
    text = os.pread(output, _REASON_BYTES, 0).decode("utf-8", "replace")
    return " ".join(text.split()) or "no reason given"


def _limit(task: CompileTask, occupied: int) -> None:
    limits = task.limits
    memory = limits.memory + occupied
    for number, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, limits.seconds, limits.seconds + 1),
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_FSIZE, limits.output, limits.output),
        *(() if task.trusted else ((resource.RLIMIT_NPROC, 0, 0),)),
    ):
        resource.setrlimit(number, (soft, hard))
    os.nice(_NICE)


def address_space() -> int:
    """What this process has mapped, in bytes. Raises OSError behind walls."""
    return _pages(0)


def private_data() -> int:
    """What of it is its own to write: what RLIMIT_DATA counts. Raises OSError behind walls."""
    return _pages(5)


def _pages(field: int) -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[field]) * resource.getpagesize()


def _compile(task: CompileTask) -> int:
    program = _read(task)
    if hashlib.sha256(program).hexdigest() != task.digest:
        return _CHANGED
    try:
        native = wasmtime.Module(make_engine(fuel=task.fuel, parallel=task.trusted), program).serialize()
    except wasmtime.WasmtimeError as error:
        os.write(task.output, str(error).encode()[:_REASON_BYTES])
        return _INVALID
    if len(native) > task.limits.output:
        return _TOO_LARGE
    view = memoryview(native)
    while view:
        view = view[os.write(task.output, view) :]
    os.fsync(task.output)
    return 0


def _read(task: CompileTask) -> bytes:
    pieces, offset = [], 0
    while offset <= task.limits.program and (piece := os.pread(task.program, _PIECE_BYTES, offset)):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)
