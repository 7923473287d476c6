"""The guest's random bytes: the host's, or the same in every run."""

from __future__ import annotations

import hashlib
import os
from typing import Protocol

CHUNK = 1 << 20


class Entropy(Protocol):
    """A source of random bytes."""

    def fill(self, view: memoryview) -> None:
        """Overwrite the view."""


class HostEntropy:
    """The operating system's."""

    def fill(self, view: memoryview) -> None:
        """Overwrite the view with unpredictable bytes."""
        for start in range(0, len(view), CHUNK):
            piece = view[start : start + CHUNK]
            piece[:] = os.urandom(len(piece))


class SeededEntropy:
    """SHA-512 over the seed and a counter, both 64 bits little-endian: repeatable, on every machine and version."""

    def __init__(self, seed: int) -> None:
        self._seed = seed.to_bytes(8, "little")
        self._counter = 0
        self._left = b""

    def fill(self, view: memoryview) -> None:
        """Overwrite the view with the next bytes of the sequence."""
        start = 0
        while start < len(view):
            if not self._left:
                self._left = hashlib.sha512(self._seed + self._counter.to_bytes(8, "little")).digest()
                self._counter += 1
            piece = self._left[: len(view) - start]
            view[start : start + len(piece)] = piece
            self._left = self._left[len(piece) :]
            start += len(piece)
