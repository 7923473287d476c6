"""The service's own log: one line a time, to a file or to standard error, and never a wait for whoever reads it."""

from __future__ import annotations

import os
import re
import select
import stat
import time

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_BYTES = 4000
"""Less than a pipe takes at once, or not at all."""


class Log:
    """Appends lines to a descriptor that it does not own. What a slow reader of a pipe can't take is dropped and counted."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._patient = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._dropped = 0

    def write(self, text: str) -> None:
        """One line with the time and this process's id. No line can be forged: its control characters are escaped."""
        if not self._patient and not self._ready():
            self._dropped += 1
            return
        if self._dropped:
            text, self._dropped = f"{text} ({self._dropped} lines before this one were dropped)", 0
        clean = _UNPRINTABLE.sub(lambda match: f"\\x{ord(match.group()):02x}", text.strip().replace("\n", " | "))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{stamp} zerovm[{os.getpid()}] {clean}".encode()[:_LINE_BYTES].decode("utf-8", "ignore")
        try:
            os.write(self.descriptor, f"{line}\n".encode())
        except OSError:
            self._dropped += 1

    def _ready(self) -> bool:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        return bool(poll.poll(0))


def open_log(path: str | None) -> Log:
    """The log file, created 0640 and appended to; standard error where ``path`` is None. Raises OSError."""
    if path is None:
        return Log(2)
    return Log(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640))
