"""How fast sessions go through the executor service, beside ``/bin/true`` in the same run.

    python benchmarks/sessions.py [--sessions N] [--seconds S] [--in-a-row N] [--guest FILE] [-- options of the service]

- one caller, one warm session of a small C guest after the other, request to report, all walls up; yardstick:
  ``subprocess.run(["/bin/true"])``, taken in turn with the sessions
- four callers for some seconds: sessions a second, and CPU time per session; yardstick: ``/bin/true`` by two callers
- memory of the idle service, and what one small session takes in addition
- many sessions in a row (10,000 for the record): what grows in the service meanwhile
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zerocloud.zerovm.client import Connection, ServiceError

GUEST = Path(__file__).resolve().parent / "programs" / "greet.c"
ROUND = 20
MANIFEST = b"""Version=20130611
Program=fd:0
Timeout=30
Memory=33554432,0
Channel=fd:1,/dev/stdin,0,0,1000,1000000,0,0
Channel=fd:2,/dev/stdout,0,0,0,0,1000,1000000
Channel=fd:3,/dev/stderr,0,0,0,0,1000,1000000
"""


@dataclass(frozen=True)
class Service:
    """A service of this benchmark's own."""

    path: str
    pid: int

    def cpu(self) -> float:
        """CPU seconds that it and its dead children used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def memory(self, pid: int) -> dict[str, float]:
        """Resident, and private, MiB of one of its processes. Private is 0 where it can't be seen."""
        status = Path(f"/proc/{pid}/status").read_text()
        found = {"resident": int(status.split("VmRSS:")[1].split()[0]) / 1024, "private": 0.0}
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except PermissionError:
            return found
        private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
        return {**found, "private": private / 1024}


@contextmanager
def service(options: Sequence[str]) -> Iterator[Service]:
    """Start one, and end it."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o711)
        path = f"{directory}/socket"
        command = [sys.executable, "-m", "zerocloud.zerovm.service", path, "--cache", f"{directory}/cache"]
        log = open(f"{directory}/log", "wb")  # noqa: SIM115 - it lives as long as the process
        process = subprocess.Popen([*command, "--pools", "default = WaitPool(4,100)", *options], stderr=log)
        try:
            while not _answers(path):
                time.sleep(0.01)
                if process.poll() is not None:
                    sys.exit(Path(f"{directory}/log").read_text())
            print(Path(f"{directory}/log").read_text().splitlines()[0].partition("] ")[2])
            yield Service(path, process.pid)
        finally:
            process.terminate()
            process.wait()
            log.close()


def _answers(path: str) -> bool:
    try:
        with Connection.open(path) as connection:
            connection.ping()
    except ServiceError:
        return False
    return True


class Caller:
    """Runs one session after the other."""

    def __init__(self, path: str, guest: bytes) -> None:
        self._path = path
        self._program = _file(guest)
        self._input = _file(b"to be or not to be\n")
        self._null = os.open(os.devnull, os.O_RDWR)

    def session(self) -> None:
        """One session, from its connection to its report."""
        with Connection.open(self._path) as connection:
            report = connection.run(MANIFEST, [self._program, self._input, self._null, self._null])
        assert report.splitlines()[5].startswith(b"ok"), report


def _file(data: bytes) -> int:
    descriptor = os.memfd_create("benchmark")
    os.write(descriptor, data)
    return descriptor


def true() -> None:
    """The yardstick."""
    subprocess.run(["/bin/true"], check=True)


def time_each(action: Callable[[], None], count: int) -> list[float]:
    """Milliseconds of each call."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return times


def rate(make: Callable[[], Callable[[], None]], callers: int, seconds: float) -> float:
    """Calls a second of so many processes together."""
    reading, writing = os.pipe()
    pids = []
    start = time.monotonic() + 0.2
    for _ in range(callers):
        pid = os.fork()
        if pid == 0:
            action, count = make(), 0
            time.sleep(max(0.0, start - time.monotonic()))
            while time.monotonic() < start + seconds:
                action()
                count += 1
            os.write(writing, b"%8d" % count)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    total = sum(int(os.read(reading, 8)) for _ in pids)
    os.close(reading)
    os.close(writing)
    return total / seconds


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 99th."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[98]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--in-a-row", type=int, default=0, help="measure what grows in so many sessions")
    parser.add_argument("--pause", type=float, default=0, help="milliseconds between two sessions of one caller")
    parser.add_argument("--guest", type=Path, default=GUEST, help="a module, or a C file (default: programs/greet.c)")
    parser.add_argument("options", nargs="*", help="of the service, after --")
    read = parser.parse_args()
    guest = compiled(read.guest) if read.guest.suffix == ".c" else read.guest.read_bytes()
    with service(read.options) as running:
        caller = Caller(running.path, guest)
        time_each(caller.session, ROUND)
        measure_latency(caller, read.sessions, read.pause / 1000)
        measure_rate(running, guest, read.seconds)
        measure_memory(running, guest)
        if read.in_a_row:
            measure_growth(running, guest, read.in_a_row)


def compiled(source: Path) -> bytes:
    """A C file as a module."""
    with tempfile.TemporaryDirectory() as directory:
        target = f"{directory}/program.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O2", "-s", str(source), "-o", target]
        subprocess.run(command, check=True, env={**os.environ, "ZIG_LOCAL_CACHE_DIR": directory})
        return Path(target).read_bytes()


def measure_latency(caller: Caller, sessions: int, pause: float) -> None:
    """One caller, in turn with the yardstick."""

    def session() -> None:
        caller.session()

    ours, yardstick = [], []
    for _ in range(sessions // ROUND):
        for _ in range(ROUND):
            time.sleep(pause)
            ours += time_each(session, 1)
        yardstick += time_each(true, ROUND)
    (p50, p99), (true50, true99) = percentiles(ours), percentiles(yardstick)
    print(f"one caller:   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   ({len(ours)} sessions)")
    print(f"/bin/true:    p50 {true50:6.2f} ms   p99 {true99:6.2f} ms")
    print(f"ratio:        p50 {p50 / true50:6.2f} x    p99 {p99 / true99:6.2f} x")


def measure_rate(running: Service, guest: bytes, seconds: float) -> None:
    """Four callers, and two of the yardstick."""
    before = running.cpu()
    ours = rate(lambda: Caller(running.path, guest).session, 4, seconds)
    cpu = (running.cpu() - before) / (ours * seconds) * 1000
    yardstick = rate(lambda: true, 2, seconds)
    print(f"four callers: {ours:6.0f} sessions/s, {cpu:.2f} ms of CPU each")
    print(f"/bin/true:    {yardstick:6.0f}/s, two callers; ratio {ours / yardstick:.2f}")


def measure_memory(running: Service, guest: bytes) -> None:
    """The idle service, and a session that waits for its input."""
    idle = running.memory(running.pid)
    print(f"idle service: {idle['resident']:.1f} MiB resident, {idle['private']:.1f} MiB private")
    reading, writing = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    known = set(_children(running.pid))
    pid = os.fork()
    if pid == 0:
        with Connection.open(running.path) as connection:
            connection.run(MANIFEST, [_file(guest), reading, null, null])
        os._exit(0)
    time.sleep(0.5)
    for session in set(_children(running.pid)) - known:
        used = running.memory(session)
        print(f"one session:  {used['resident']:.1f} MiB resident, {used['private']:.1f} MiB private")
    os.close(writing)
    os.close(reading)
    os.waitpid(pid, 0)


def measure_growth(running: Service, guest: bytes, sessions: int) -> None:
    """Descriptors, memory, processes and files, before and after."""
    caller = Caller(running.path, guest)
    before = _holdings(running)
    for _ in range(sessions):
        caller.session()
    time.sleep(1)  # for the last processes to be collected, and spares to come
    after = _holdings(running)
    changes = ", ".join(f"{name} {before[name]} -> {after[name]}" for name in before)
    print(f"{sessions} in a row: {changes}")


def _holdings(running: Service) -> dict[str, int]:
    return {
        "descriptors": len(os.listdir(f"/proc/{running.pid}/fd")),
        "KiB resident": int(running.memory(running.pid)["resident"] * 1024),
        "processes": len(_children(running.pid)),
        "temporary files": len(os.listdir(tempfile.gettempdir())),
    }


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


if __name__ == "__main__":
    main()
