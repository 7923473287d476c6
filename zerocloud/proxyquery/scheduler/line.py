"""The gangs of a job that wait for their turn, and the window: how many sessions may be under way (principle 3)."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from itertools import count

from .gang import Gang


class Line:
    """Who starts next. Gangs are in the order of the map, but for those that have been tried before: they go first.

    The window shrinks to what the cluster took when a session finds no slot, and grows by one with every success.
    """

    def __init__(self, gangs: Iterable[Gang], window: int) -> None:
        self._ready = deque(gangs)
        self._delayed: list[tuple[float, int, Gang]] = []
        self._sequence = count()
        self._widest = self._window = window
        self._under_way = 0

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._ready or self._delayed)

    @property
    def room(self) -> int:
        """Sessions that may start now."""
        return max(0, self._window - self._under_way)

    @property
    def next_time(self) -> float | None:
        """When the next of those that back off is ready."""
        return self._delayed[0][0] if self._delayed else None

    def take(self, now: float) -> Gang | None:
        """The gang that starts now, if it has room. One that is larger than the window starts when nothing else runs."""
        while self._delayed and self._delayed[0][0] <= now:
            self._hurry()
        if self._ready and (self._ready[0].size <= self._window - self._under_way or not self._under_way):
            return self._ready.popleft()
        return None

    def put_first(self, gang: Gang) -> None:
        """The gang is to start as soon as there is room."""
        self._ready.appendleft(gang)

    def put_off(self, gang: Gang, until: float) -> None:
        """The gang has found no slot, and tries again then. A gang of several says nothing of what others find."""
        heapq.heappush(self._delayed, (until, next(self._sequence), gang))
        if gang.size == 1:
            self._window = max(1, self._under_way)

    def slot_came_free(self) -> None:
        """Whoever would try again first need not wait on."""
        if self._delayed:
            self._hurry()

    def widen(self) -> None:
        """A session has succeeded."""
        self._window = min(self._widest, self._window + 1)

    def count(self, change: int) -> None:
        """So many sessions more, or fewer, are under way."""
        self._under_way += change

    def clear(self) -> None:
        """Nobody starts any more."""
        self._ready.clear()
        self._delayed.clear()

    def _hurry(self) -> None:
        self._ready.appendleft(heapq.heappop(self._delayed)[2])
