"""Counts the words of objects with a C program: ``word_count_c.py swift://~/books/*.txt``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from zerocloud.client import connect

SHOWN = 20


def compiled(source: Path) -> bytes:
    """A C program as a module."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "program.wasm"
        command = [sys.executable, "-m", "zerocloud.cli", "cc", "-O2", str(source), "-o", str(target)]
        subprocess.run(command, check=True)
        return target.read_bytes()


def main(objects: str) -> None:
    """Print the most frequent words."""
    container = objects.removeprefix("swift://~/").partition("/")[0]
    program = f"swift://~/{container}/.count.wasm"
    groups = [
        {"name": "count", "exec": {"path": program}, "devices": [{"name": "stdin", "path": objects}], "connect": ["add"]},
        {
            "name": "add",
            "exec": {"path": program, "args": "up"},
            "count": 2,
            "devices": [{"name": "stdout", "content_type": "text/plain"}],
        },
    ]
    with connect() as cloud:
        cloud.request("PUT", f"/{container}/.count.wasm", data=compiled(Path(__file__).parent / "count.c"))
        lines = [line.split(maxsplit=1) for line in cloud.run(groups).text.splitlines()]
    for number, word in sorted(((int(number), word) for number, word in lines), key=lambda pair: (-pair[0], pair[1]))[:SHOWN]:
        print(f"{number:8} {word}")


if __name__ == "__main__":
    main(*sys.argv[1:])
