"""What a system call costs a guest: our WASI layer beside wasmtime's own, in turns in one run.

Each measurement runs in a process of its own, since wasmtime's WASI starts threads. Absolute times mean little on a shared
machine; the ratio of two columns of one row does. Run: ``python benchmarks/wasi_calls.py``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import wasmtime

from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.engine import Guest, make_engine
from zerocloud.zrt.world import World

BLOCK = 65536


@dataclass(frozen=True)
class Case:
    """One call, made ``count`` times. ``arguments`` is wat; ``moved`` the bytes that one call moves."""

    name: str
    function: str
    parameters: str
    arguments: str
    count: int
    moved: int = 0


CASES = (
    Case("sched_yield", "sched_yield", "", "", 200_000),
    Case("clock_time_get", "clock_time_get", "i32 i64 i32", "(i32.const 1) (i64.const 1) (i32.const 64)", 100_000),
    Case("fd_fdstat_get", "fd_fdstat_get", "i32 i32", "(i32.const 1) (i32.const 64)", 50_000),
    Case(
        "fd_write, 1 byte to /dev/null",
        "fd_write",
        "i32 i32 i32 i32",
        "(i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)",
        50_000,
    ),
    Case(
        "fd_write, 64 KiB to /dev/null",
        "fd_write",
        "i32 i32 i32 i32",
        "(i32.const 1) (i32.const 8) (i32.const 1) (i32.const 64)",
        20_000,
        BLOCK,
    ),
    Case(
        "fd_read, 64 KiB from a cached file",
        "fd_read",
        "i32 i32 i32 i32",
        "(i32.const 0) (i32.const 8) (i32.const 1) (i32.const 64)",
        4_000,
        BLOCK,
    ),
)


def guest(case: Case) -> str:
    """A module that makes the calls. At 0 an iovec of one byte, at 8 one of 64 KiB."""
    return f"""(module
      (import "wasi_snapshot_preview1" "{case.function}" (func $call (param {case.parameters}) (result i32)))
      (memory (export "memory") 3)
      (data (i32.const 0) "\\00\\04\\00\\00\\01\\00\\00\\00\\00\\00\\01\\00\\00\\00\\01\\00")
      (func (export "_start") (local $left i32)
        (local.set $left (i32.const {case.count}))
        (loop $on
          (if (call $call {case.arguments}) (then unreachable))
          (br_if $on (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"""


def ours(engine: wasmtime.Engine, module: wasmtime.Module, source: str) -> Callable[[], None]:
    """The guest in our world."""
    channels = {
        "/dev/stdin": PlainChannel(os.open(source, os.O_RDONLY), readable=True),
        "/dev/stdout": PlainChannel(os.open(os.devnull, os.O_WRONLY), writable=True),
    }
    ready = Guest(engine, module, World(channels=channels))

    def run() -> None:
        ready.run()

    return run


def theirs(engine: wasmtime.Engine, module: wasmtime.Module, source: str) -> Callable[[], None]:
    """The guest in wasmtime's."""
    store, linker, config = wasmtime.Store(engine), wasmtime.Linker(engine), wasmtime.WasiConfig()
    config.stdin_file, config.stdout_file = source, os.devnull
    store.set_wasi(config)
    linker.define_wasi()
    start = linker.instantiate(store, module).exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    return lambda: start(store)


def in_child(make: Callable[[wasmtime.Engine, wasmtime.Module, str], Callable[[], None]], case: Case, source: str) -> float:
    """Seconds for all the calls of a case, made in a process of its own."""
    inside, outside = os.pipe()
    child = os.fork()
    if not child:
        engine = make_engine()
        run = make(engine, wasmtime.Module(engine, guest(case)), source)
        start = time.perf_counter()
        run()
        os.write(outside, repr(time.perf_counter() - start).encode())
        os._exit(0)
    os.close(outside)
    text = os.read(inside, 100)
    os.close(inside)
    os.waitpid(child, 0)
    return float(text)


def main() -> None:
    """Print a row for each call: microseconds here and there, best of the rounds, and ours as a multiple of theirs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"{'call':36} {'ours us':>9} {'theirs us':>10} {'ours/theirs':>12}  MB/s ours, theirs")
    with tempfile.NamedTemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as file:
        file.truncate(max(case.count for case in CASES if case.function == "fd_read") * BLOCK)
        for case in CASES:
            pairs = [(in_child(ours, case, file.name), in_child(theirs, case, file.name)) for _ in range(rounds)]
            here, there = (min(column) / case.count * 1e6 for column in zip(*pairs, strict=True))
            ratio = statistics.median(mine / other for mine, other in pairs)
            speed = f"  {case.moved / here:.0f}, {case.moved / there:.0f}" if case.moved else ""
            print(f"{case.name:36} {here:9.2f} {there:10.2f} {ratio:12.2f}{speed}")


if __name__ == "__main__":
    main()
