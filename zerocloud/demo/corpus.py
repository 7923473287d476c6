"""The demo's input: the source text of this machine's Python standard library, in parts of about the same size."""

from __future__ import annotations

import re
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

LARGEST = 64 << 20  # bytes: enough to see the storage nodes work, little enough for a minute's demo
WORD = re.compile(rb"[a-z]{1,255}")  # what zerocloud/demo/guests/wordmap.c takes for a word


def source_files() -> list[tuple[Path, int]]:
    """The library's modules with their sizes in bytes, largest first, up to LARGEST bytes in total."""
    library = Path(sysconfig.get_paths()["stdlib"])
    sizes = [(path, path.stat().st_size) for path in library.rglob("*.py") if "site-packages" not in path.parts]
    chosen, total = [], 0
    for path, size in sorted(sizes, key=lambda item: (-item[1], item[0])):
        if total + size <= LARGEST:
            chosen.append((path, size))
            total += size
    return chosen


def deal(files: Iterable[tuple[Path, int]], parts: int) -> list[list[Path]]:
    """Share files out so that the parts' sizes are close: each file, largest first, to the part that is smallest so far."""
    sizes, shares = [0] * parts, [[] for _ in range(parts)]  # type: tuple[list[int], list[list[Path]]]
    for path, size in files:
        smallest = sizes.index(min(sizes))
        sizes[smallest] += size
        shares[smallest].append(path)
    return shares


def read(paths: Sequence[Path]) -> Iterator[bytes]:
    """The files' bytes, one after the other, each ended by a newline so that no word spans two of them."""
    for path in paths:
        yield path.read_bytes() + b"\n"


def count(chunks: Iterable[bytes]) -> Counter[bytes]:
    """What the job must answer, counted here."""
    words: Counter[bytes] = Counter()
    for chunk in chunks:
        words.update(WORD.findall(chunk.lower()))
    return words


def top(words: Counter[bytes], most: int) -> list[tuple[str, int]]:
    """The most frequent words, equally frequent ones in byte order, as the job prints them."""
    ordered = sorted(words.items(), key=lambda item: (-item[1], item[0]))
    return [(word.decode(), number) for word, number in ordered[:most]]
