"""Counts the words of objects: ``word_count.py swift://~/books/*.txt``."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import IO

from zerocloud.client import connect

WORD = r"[^\W\d_]+"
SHOWN = 20


def count(file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """The words of one object and how often it has them."""
    counts: Counter[str] = Counter()
    for line in file:
        counts.update(re.findall(WORD, line.decode("utf-8", "replace").lower()))
    yield from counts.items()


def add(word: str, counts: list[int]) -> int:
    """All objects' counts of a word."""
    return sum(counts)


def main(objects: str) -> None:
    """Print the most frequent words."""
    with connect() as cloud:
        found = cloud.map_reduce(count, add, objects, reducers=2)
    for word, number in sorted(found, key=lambda pair: (-pair[1], pair[0]))[:SHOWN]:
        print(f"{number:8} {word}")


if __name__ == "__main__":
    main(*sys.argv[1:])
