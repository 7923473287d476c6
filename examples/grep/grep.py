"""Finds lines in objects: ``grep.py PATTERN swift://~/logs/*.log``."""

from __future__ import annotations

import re
import sys
from typing import IO

from zerocloud.client import connect


def main(pattern: str, objects: str) -> None:
    """Print the lines that have the pattern."""

    def matching(file: IO[bytes]) -> list[str]:
        wanted = re.compile(pattern.encode())
        return [line.decode("utf-8", "replace").rstrip("\n") for line in file if wanted.search(line)]

    with connect() as cloud:
        for lines in cloud.map(matching, objects):
            print(*lines, sep="\n", end="\n" if lines else "")


if __name__ == "__main__":
    main(*sys.argv[1:])
