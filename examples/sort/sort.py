"""Sorts records of 100 bytes over many objects: ``sort.py records sorted 4``, two containers that exist."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from zerocloud.client import connect

HERE = Path(__file__).parent


def compiled(name: str) -> bytes:
    """A C program of this folder as a module."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "program.wasm"
        command = [sys.executable, "-m", "zerocloud.cli", "cc", "-O2", str(HERE / f"{name}.c"), "-o", str(target)]
        subprocess.run(command, check=True)
        return target.read_bytes()


def main(records: str, ordered: str, parts: str) -> None:
    """Sort a container's objects into so many of another."""
    with connect() as cloud:
        for name in ("scatter", "order"):
            cloud.request("PUT", f"/{ordered}/.{name}.wasm", data=compiled(name))
        groups = [
            {
                "name": "scatter",
                "exec": {"path": f"swift://~/{ordered}/.scatter.wasm"},
                "devices": [{"name": "stdin", "path": f"swift://~/{records}/*"}],
                "connect": ["order"],
            },
            {
                "name": "order",
                "exec": {"path": f"swift://~/{ordered}/.order.wasm"},
                "count": int(parts),
                "devices": [{"name": "stdout", "path": f"swift://~/{ordered}/part-*", "content_type": "text/plain"}],
            },
        ]
        answer = cloud.run(groups)
        print(f"{len(answer.nodes)} nodes sorted {records} in {answer.seconds:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
