"""The service's own log: one line a time, to a file or to standard error, and never a wait for whoever reads it.

The service can't open another file once it is walled in, so a file that has grown to its limit is shortened in place: its last
part stays. What rotates logs by copying and truncating works as well.
"""

from __future__ import annotations

import os
import re
import select
import stat
import time

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_BYTES = 4000
"""Less than a pipe takes at once, or not at all."""
_KEPT_PART = 4


class Log:
    """Appends lines to a descriptor that it does not own. What a slow reader of a pipe can't take is dropped and counted."""

    def __init__(self, descriptor: int, limit: int = 0) -> None:
        """``limit`` is how many bytes the file may have; 0 for no limit, as for what is no file that can be read."""
        self.descriptor = descriptor
        self._limit = limit
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
            if self._limit and os.fstat(self.descriptor).st_size > self._limit:
                self._shorten()
        except OSError:
            self._dropped += 1

    def _shorten(self) -> None:
        """Keep the last whole lines only."""
        size = os.fstat(self.descriptor).st_size
        kept = os.pread(self.descriptor, self._limit // _KEPT_PART, size - self._limit // _KEPT_PART).partition(b"\n")[2]
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, kept)

    def _ready(self) -> bool:
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        return bool(poll.poll(0))


def open_log(path: str | None, limit: int = 0) -> Log:
    """The log file, made 0640 and appended to, up to ``limit`` bytes; standard error where ``path`` is None. Raises OSError."""
    if path is None:
        return Log(2)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    return Log(descriptor, limit if stat.S_ISREG(os.fstat(descriptor).st_mode) else 0)
