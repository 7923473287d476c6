"""The trace file of ``-T``: when each step of a session and each call of its guest happened (executor contract, section 1)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from zerocloud.zrt.abi import Errno

_CALL = re.compile(r"(\d+\.\d{6}) \[\d+\.\d{6}\]: (\w+)\(([-\d, ]*)\) = (\w+) in (\d+\.\d{3}) us\n?")
_NO_ANSWER = "none"


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

    def call(self, name: str, arguments: tuple[int, ...], errno: int | None, nanoseconds: int) -> None:
        """Note a call of the guest, after it: its arguments as numbers, the name of its errno, microseconds."""
        answer = _NO_ANSWER if errno is None else Errno(errno).name.lower() if errno in _ERRORS else str(errno)
        self.event(f"{name}({', '.join(map(str, arguments))}) = {answer} in {nanoseconds / 1000:.3f} us")

    def _write(self, line: str) -> None:
        for descriptor in self.descriptors:
            os.write(descriptor, line.encode("utf-8", "replace"))


@dataclass(frozen=True)
class Call:
    """One call of a guest, read from a trace: seconds since the start at its end, and how many seconds it took."""

    end: float
    name: str
    arguments: tuple[int, ...]
    answer: str
    seconds: float


def read_calls(lines: Iterator[str]) -> Iterator[Call]:
    """The calls among the lines of a trace file."""
    for line in lines:
        match = _CALL.fullmatch(line)
        if match:
            end, name, arguments, answer, microseconds = match.groups()
            numbers = tuple(int(argument) for argument in arguments.split(", ") if argument)
            yield Call(float(end), name, numbers, answer, float(microseconds) / 1e6)


_ERRORS = frozenset(Errno)
