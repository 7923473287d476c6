"""Appending to a channel, of whatever type, in pieces worth a call."""

from __future__ import annotations

import errno

from .channel import Channel

CHUNK = 1 << 16


class Appender:
    """A channel as something to append to, from its beginning."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._held, self._offset = channel, bytearray(), 0

    def write(self, data: bytes | memoryview) -> None:
        """Append; what is small is held back for a while. Raises OSError."""
        self._held += data
        if len(self._held) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Pass on what is held back. Raises OSError."""
        held, self._held = self._held, bytearray()
        rest = memoryview(held)
        while rest:
            put = self._channel.pwrite([rest], self._offset) if self._channel.random_write else self._channel.write([rest])
            if put <= 0:
                raise OSError(errno.ENOSPC, "the channel takes no more")
            self._offset += put
            rest = rest[put:]
