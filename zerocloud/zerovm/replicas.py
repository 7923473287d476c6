"""How a reader makes one stream of several that should be equal: majority of two, byte by byte. Pure.

The writer of a channel may run in several copies; each sends the whole stream. A stretch of bytes is taken once two sources
agree on it; a source that says otherwise is dropped. Where only one source is left, or there was one from the start, it is
believed. The end of the stream is agreed upon like a byte. A source may lag behind by :data:`WINDOW` bytes; beyond that it is
still listened to, so that it can finish, but has no say any more.
"""

from __future__ import annotations

from itertools import combinations

WINDOW = 256 << 10


class NoSourceLeft(Exception):
    """Every source has failed, or no two agree."""


class Replica:
    """What one source has said."""

    def __init__(self) -> None:
        self.pending = bytearray()
        self.behind = 0
        self.ended = False
        self.failed = False
        self.late = False

    @property
    def votes(self) -> bool:
        """Whether it has a say."""
        return not self.failed and not self.late

    @property
    def silent(self) -> bool:
        """Whether it has yet to say what comes next."""
        return not self.pending and not self.ended


class Agreement:
    """The state of all sources. Feed it with :meth:`take` and :meth:`end`, then ask :meth:`agreed`."""

    def __init__(self, sources: int) -> None:
        self.replicas = [Replica() for _ in range(sources)]
        self._history = bytearray()
        self.ended = False

    def take(self, source: int, data: bytes | memoryview) -> None:
        """A source has sent bytes."""
        replica = self.replicas[source]
        if not replica.votes:
            return
        overdue = bytes(data[: replica.behind])
        if overdue:
            start = len(self._history) - replica.behind
            if self._history[start : start + len(overdue)] != overdue:
                self.fail(source)
                return
            replica.behind -= len(overdue)
        replica.pending += data[len(overdue) :]

    def end(self, source: int) -> None:
        """A source has ended in good order."""
        replica = self.replicas[source]
        replica.ended = True
        if replica.behind:
            self.fail(source)

    def fail(self, source: int) -> None:
        """A source is not to be believed any more."""
        self.replicas[source].failed = True
        self.replicas[source].pending.clear()

    def agreed(self, limit: int) -> bytes:
        """The next bytes that are certain, at most ``limit``; nothing if there are none yet, or ``ended`` is true.

        Raises NoSourceLeft.
        """
        voters = [replica for replica in self.replicas if replica.votes]
        if not voters:
            raise NoSourceLeft
        if len(voters) == 1:
            chunk = bytes(voters[0].pending[:limit])
            self.ended = not chunk and voters[0].ended
        else:
            chunk = max((_common(a.pending, b.pending, limit) for a, b in combinations(voters, 2)), key=len)
            self.ended = not chunk and sum(replica.ended and not replica.pending for replica in voters) > 1
        if chunk or self.ended:
            self._settle(voters, chunk)
        elif not any(replica.silent for replica in voters):
            raise NoSourceLeft  # all have spoken, and no two of them agree
        return chunk

    def _settle(self, voters: list[Replica], chunk: bytes) -> None:
        if len(self.replicas) > 1:
            self._history += chunk
            del self._history[:-WINDOW]
        for replica in voters:
            said = replica.pending[: len(chunk)]
            short = len(chunk) - len(said)
            if not chunk.startswith(said) or (short and replica.ended) or (self.ended and replica.pending):
                replica.failed = True
            del replica.pending[: len(chunk)]
            replica.behind += short
            replica.late = replica.behind > WINDOW


def _common(one: bytearray, other: bytearray, limit: int) -> bytes:
    """The longest beginning that both have."""
    size = min(len(one), len(other), limit)
    if one[:size] == other[:size]:
        return bytes(one[:size])
    low, high = 0, size
    while high - low > 1:  # equal up to low, different within high
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return bytes(one[:low])
