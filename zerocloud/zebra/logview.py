"""Reading logs: their last lines, and what is added to them."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PAUSE_SECONDS = 0.2
_CHUNK = 65536


def last_lines(path: Path, count: int) -> list[str]:
    """The last ``count`` lines of a file; none if it can't be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except OSError:
        return []


@dataclass
class Tail:
    """One file that is followed, through the change to a new one under its name."""

    path: Path
    file: BinaryIO | None = None
    rest: bytes = b""

    def open(self, at_end: bool) -> None:
        """Open it if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self.file = self.path.open("rb")
            if at_end:
                self.file.seek(0, os.SEEK_END)

    def lines(self) -> Iterator[str]:
        """The lines that were added since the last call."""
        if self.file is None:
            self.open(at_end=False)
        if self.file is None:
            return
        while chunk := self.file.read(_CHUNK):
            *lines, self.rest = (self.rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
        if self._replaced():
            self.close()

    def close(self) -> None:
        """Close it, if it is open."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def _replaced(self) -> bool:
        assert self.file is not None
        try:
            return not os.path.samestat(os.fstat(self.file.fileno()), self.path.stat())
        except FileNotFoundError:
            return True


def follow(paths: Sequence[Path]) -> Generator[tuple[Path, str], None, None]:
    """Every line that is added to any of the files from now on, for ever."""
    tails = [Tail(path) for path in paths]
    for tail in tails:
        tail.open(at_end=True)
    return _added(tails)


def _added(tails: Sequence[Tail]) -> Generator[tuple[Path, str], None, None]:
    try:
        while True:
            quiet = True
            for tail in tails:
                for line in tail.lines():
                    quiet = False
                    yield tail.path, line
            if quiet:
                time.sleep(PAUSE_SECONDS)
    finally:
        for tail in tails:
            tail.close()
