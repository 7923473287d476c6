"""What wasmtime raises, in our words: traps with the guest's functions, and refusals."""

from __future__ import annotations

import re

import wasmtime

from .errors import GuestRefused, GuestTrap, OutOfFuel, OutOfMemory, ZrtError, printable

MAX_BACKTRACE = 64
MAX_FUNCTION_NAME = 200
MAX_OFFSET = 1 << 32
"""What wasmtime gives for a frame that had not begun is beyond this."""

_NUMBERED = re.compile(r"\A\d+: ")


def _cause(error: Exception) -> str:
    """wasmtime's own words for what happened, without the backtrace before them, whose names are the guest's."""
    head, _, tail = str(error).rpartition("Caused by:")
    lines = [] if head.startswith("error while executing") else head.splitlines()
    told = [_NUMBERED.sub("", line.strip()).removeprefix("wasm trap: ") for line in (*lines, *tail.splitlines())]
    return "; ".join(filter(None, told))


def ended(trap: wasmtime.Trap | wasmtime.WasmtimeError) -> ZrtError:
    """What wasmtime raised, as one of our errors."""
    cause = _cause(trap)
    if cause.startswith("GC heap out of memory"):  # where thrown exceptions are kept
        return OutOfMemory(f"the program's exceptions take more than the session's memory limit: {cause}")
    if isinstance(trap, wasmtime.WasmtimeError):
        return GuestRefused(f"the program can't be run: {cause}")
    try:
        code = trap.trap_code
    except ValueError:
        code = None
    backtrace = tuple(map(_frame, trap.frames[:MAX_BACKTRACE]))
    if code is wasmtime.TrapCode.OUT_OF_FUEL:
        return OutOfFuel("out_of_fuel", "the program has used up its instructions", backtrace)
    name = code.name.lower() if code else "uncaught_exception" if cause == "thrown Wasm exception" else "unknown"
    return GuestTrap(name, cause, backtrace)


def _frame(frame: wasmtime.Frame) -> str:
    """A function of the guest for a backtrace. Its name is the guest's own choice: kept to one short printable line."""
    name = frame.func_name or f"function {frame.func_index}"
    shown = printable(name, MAX_FUNCTION_NAME)
    return f"{shown} +{frame.func_offset:#x}" if frame.func_offset < MAX_OFFSET else shown
