"""How fast bytes move through channels, beside the yardstick in the same run.

    python benchmarks/channels.py [--size MiB] [--rounds N] [--directory DIR]

- a guest copies a file from stdin to stdout with 64 KiB reads; yardstick: ``cat``
- a guest counts words with fread; yardstick: the same C source, compiled natively; both by the same compiler, with vectors of
  128 bits (which any x86-64 has, and WebAssembly with ``-msimd128``)
- a guest writes to a network channel, another reads it; yardstick: a Python loop of ``sendall`` and ``recv_into``

Each is done in a process of its own, in turn with its yardstick; the figure is the median of the rounds. The directory should
be on tmpfs. Guests are already compiled: what is timed is a session, from its channels' opening to its report.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import wasmtime

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.manifest import ChannelLine, Manifest
from zerocloud.zerovm.session import run_session
from zerocloud.zerovm.sources import PathSource
from zerocloud.zrt.engine import make_engine

PIECE = 64 << 10
LIMIT = 1 << 40
ENGINE = make_engine()

COUNT = """
#include <ctype.h>
#include <stdio.h>
static char buffer[1 << 16];
int main(void) {
    unsigned long words = 0; int inside = 0; size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        for (size_t at = 0; at < got; at++) {
            if (isspace((unsigned char)buffer[at])) inside = 0;
            else if (!inside) { inside = 1; words++; }
        }
    printf("%lu\\n", words);
    return 0;
}
"""

COPY = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (loop $next
      (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
      (if (i32.eqz (i32.load (i32.const 8))) (then (return)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
      (br $next))))"""

SINK = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (loop $next
      (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
      (br_if $next (i32.load (i32.const 8))))))"""

SOURCE = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $left i32)
    (local.set $left (i32.const {count}))
    (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))
    (loop $next
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"""


@dataclass(frozen=True)
class Bench:
    """Something to be timed beside its yardstick. ``reach`` is the part of the yardstick's speed that is promised."""

    name: str
    subject: Callable[[], None]
    yardstick_name: str
    yardstick: Callable[[], None]
    reach: float


def in_child(work: Callable[[], object]) -> int:
    """Fork a process that does the work and exits; its process id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def wait(*pids: int) -> None:
    """Wait for processes; all must have done well."""
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        if status:
            raise SystemExit(f"a benchmark process ended with status {status}")


def session(module: wasmtime.Module, stdin: str, stdout: str, descriptors: Sequence[int] = ()) -> None:
    """Run one session in this process; it must go well."""
    lines = (
        f"{stdin},/dev/stdin,0,0,{LIMIT},{LIMIT},0,0",
        f"{stdout},/dev/stdout,0,0,0,0,{LIMIT},{LIMIT}",
        f"/dev/null,/dev/stderr,0,0,0,0,{LIMIT},{LIMIT}",
    )
    manifest = Manifest(PathSource("/program"), 60, 1 << 30, tuple(map(ChannelLine.parse, lines)))
    report = run_session(manifest, descriptors, ENGINE, lambda: module, Counters())
    if report.state != "ok" or report.retcode:
        raise SystemExit(f"the session ended so: {report}")


def compile_text(text: str) -> wasmtime.Module:
    """A module from its text."""
    return wasmtime.Module(ENGINE, wasmtime.wat2wasm(text))


def compile_c(directory: Path, source: str, *options: str) -> Path:
    """Compile C with zig."""
    file, target = directory / "source.c", directory / f"program{options[-1]}"
    file.write_text(source)
    environment = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(directory)}
    command = [sys.executable, "-m", "ziglang", "cc", "-O2", *options, str(file), "-o", str(target)]
    subprocess.run(command, check=True, env=environment)
    return target


def copying(directory: Path, size: int) -> Bench:
    """stdin to stdout."""
    module = compile_text(COPY)
    source, target = directory / "in", directory / "out"

    def cat() -> None:
        with source.open("rb") as stdin, target.open("wb") as stdout:
            subprocess.run(["cat"], stdin=stdin, stdout=stdout, check=True)

    return Bench(
        "copy stdin to stdout", lambda: wait(in_child(lambda: session(module, str(source), str(target)))), "cat", cat, 0.6
    )


def counting(directory: Path) -> Bench:
    """fread and a little work."""
    native = compile_c(directory, COUNT, "-mcpu=baseline")
    module = wasmtime.Module(ENGINE, compile_c(directory, COUNT, "-msimd128", "-target", "wasm32-wasi").read_bytes())
    source = directory / "in"

    def count() -> None:
        with source.open("rb") as stdin:
            subprocess.run([str(native)], stdin=stdin, stdout=subprocess.DEVNULL, check=True)

    return Bench(
        "count words (fread)", lambda: wait(in_child(lambda: session(module, str(source), "/dev/null"))), "native", count, 0.65
    )


def connected() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP stream over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        writer = socket.create_connection(listener.getsockname())
        reader, _ = listener.accept()
    return writer, reader


def streaming(size: int) -> Bench:
    """One network channel between two guests."""
    source, sink = compile_text(SOURCE.replace("{count}", str(size // PIECE))), compile_text(SINK)

    def guests() -> None:
        writer, reader = connected()
        with writer, reader:
            writes = in_child(lambda: session(source, "/dev/null", "fd:0", [writer.fileno()]))
            wait(in_child(lambda: session(sink, "fd:0", "/dev/null", [reader.fileno()])), writes)

    def loop() -> None:
        writer, reader = connected()

        def send() -> None:
            piece = bytes(PIECE)
            for _ in range(size // PIECE):
                writer.sendall(piece)

        def receive() -> None:
            window = memoryview(bytearray(PIECE))
            left = size
            while left:
                left -= reader.recv_into(window)

        with writer, reader:
            wait(in_child(receive), in_child(send))

    return Bench("network channel", guests, "sendall/recv_into", loop, 0.5)


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(bench: Bench, rounds: int, size: int) -> None:
    """Time it beside its yardstick, and print a line."""
    pairs = [(timed(bench.subject), timed(bench.yardstick)) for _ in range(rounds)]
    subject, yardstick = (statistics.median(times) for times in zip(*pairs, strict=True))
    speeds = [size / (1 << 20) / seconds for seconds in (subject, yardstick)]
    ratio = statistics.median(other / own for own, other in pairs)
    print(
        f"{bench.name:22} {speeds[0]:7.0f} MiB/s   {bench.yardstick_name:18} {speeds[1]:7.0f} MiB/s   "
        f"{ratio:5.0%} (reach {bench.reach:.0%})"
    )


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="MiB that are moved (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often (default: %(default)s)")
    parser.add_argument("--directory", default="/dev/shm", help="where the files are (default: %(default)s)")
    options = parser.parse_args()
    size = options.size << 20
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        directory = Path(name)
        words = random.Random(1).choices([b"stone ", b"of ", b"the\n", b"cathedral "], k=1 << 16)
        text = b"".join(words)
        with (directory / "in").open("wb") as file:
            for _ in range(size // len(text) + 1):
                file.write(text)
            file.truncate(size)
        for bench in (copying(directory, size), counting(directory), streaming(size)):
            measure(bench, options.rounds, size)


if __name__ == "__main__":
    main()
