"""The trace file of ``-T``: when each step of a session happened (executor contract, section 1)."""

from __future__ import annotations

import os
import time


class Tracer:
    """Appends lines to a file, or does nothing. Its descriptor may be shared with a forked child."""

    def __init__(self, path: str | None = None) -> None:
        """Open the file and write its header. Raises OSError."""
        self._start = self._last = time.monotonic()
        self.descriptors: tuple[int, ...] = ()
        if path is not None:
            self.descriptors = (os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666),)
            self._write(f"[{os.getpid()}] {0:.6f}\n")

    def event(self, text: str) -> None:
        """Note that something has happened: seconds since the start, since the last event, and what."""
        if self.descriptors:
            now = time.monotonic()
            self._write(f"{now - self._start:.6f} [{now - self._last:.6f}]: {text}\n")
            self._last = now

    def _write(self, line: str) -> None:
        for descriptor in self.descriptors:
            os.write(descriptor, line.encode("utf-8", "replace"))
