"""The guest's debug channel: what its world could not show it, and at the highest verbosity every call that it makes."""

from __future__ import annotations

from .abi import Errno
from .appender import Appender
from .channel import Channel

ALIAS = "/dev/debug"
NOTES, CALLS = 1, 4
"""The least verbosity of each."""


class DebugLog:
    """Lines into a channel, up to a verbosity. A channel that takes no more ends the log, not the guest."""

    def __init__(self, channel: Channel | None, verbosity: int) -> None:
        usable = channel is not None and channel.writable
        self._appender = Appender(channel) if channel is not None and usable else None
        self.verbosity = verbosity if usable else 0

    def note(self, text: str) -> None:
        """Something that the guest's owner will want to know."""
        if self.verbosity >= NOTES:
            self._write(text)

    def call(self, name: str, arguments: tuple[int, ...], errno: int | None, nanoseconds: int) -> None:
        """A call that the guest made."""
        if self.verbosity >= CALLS:
            answer = "does not return" if errno is None else Errno(errno).name
            self._write(f"{name}({', '.join(map(str, arguments))}): {answer}, {nanoseconds / 1000:.1f} us")

    def _write(self, line: str) -> None:
        if self._appender is not None:
            try:
                self._appender.write(line.encode(errors="backslashreplace") + b"\n")
                self._appender.flush()
            except OSError:
                self._appender = None
