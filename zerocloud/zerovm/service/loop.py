"""The event loop: descriptors and timers, one thread, and no callback that can end it.

A callback that raises hurts only its own owner: the loop hands the exception to the owner's ``failed`` and goes on.
"""

from __future__ import annotations

import functools
import heapq
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
HUNG_UP = select.EPOLLRDHUP
_REBUILD_AT = 1024


class Owner(Protocol):
    """Whoever a callback works for."""

    def failed(self, error: Exception) -> None:
        """A callback of this owner raised ``error``. Must not raise itself."""


def guarded(owner: Owner, call: Callable[[], object]) -> None:
    """Call on behalf of ``owner``: what is raised is the owner's trouble and nobody else's."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the edge between one session and the service
        owner.failed(error)


class Timer:
    """A callback at a moment, once. Made by :meth:`Loop.after`."""

    __slots__ = ("_call", "owner")

    def __init__(self, call: Callable[[], None], owner: Owner) -> None:
        self._call: Callable[[], None] | None = call
        self.owner = owner

    @property
    def pending(self) -> bool:
        """Whether it will still be called."""
        return self._call is not None

    def cancel(self) -> None:
        """Never call it; a second time does nothing."""
        self._call = None

    def fire(self) -> None:
        """Call it, unless it was cancelled."""
        call, self._call = self._call, None
        if call is not None:
            call()


class Loop:
    """epoll and a heap of timers."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._watched: dict[int, tuple[Callable[[int], None], Owner]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._idle: deque[tuple[Callable[[], None], Owner]] = deque()
        self._count = 0
        self._stopped = False

    def watch(self, descriptor: int, events: int, call: Callable[[int], None], owner: Owner) -> None:
        """Call ``call(events)`` while one of ``events`` is there (an error or a full hang-up always counts)."""
        if descriptor in self._watched:
            self._poll.modify(descriptor, events)
        else:
            self._poll.register(descriptor, events)
        self._watched[descriptor] = (call, owner)

    def forget(self, descriptor: int) -> None:
        """Stop watching; must come before the descriptor is closed. A second time does nothing."""
        if self._watched.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def after(self, seconds: float, call: Callable[[], None], owner: Owner) -> Timer:
        """Call ``call()`` once, ``seconds`` from now, unless the timer is cancelled."""
        timer = Timer(call, owner)
        self._count += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._count, timer))
        if len(self._timers) > _REBUILD_AT and self._count % _REBUILD_AT == 0:
            self._timers = [entry for entry in self._timers if entry[2].pending]
            heapq.heapify(self._timers)
        return timer

    def when_idle(self, call: Callable[[], None], owner: Owner) -> None:
        """Call ``call()`` once, when nothing else is there to do."""
        self._idle.append((call, owner))

    def stop(self) -> None:
        """End :meth:`run` after the callback that calls this."""
        self._stopped = True

    def run(self) -> None:
        """Work until :meth:`stop`."""
        while not self._stopped:
            busy = self.turn(0 if self._idle else self._patience())
            if self._idle and not busy:
                call, owner = self._idle.popleft()
                guarded(owner, call)

    def turn(self, patience: float) -> bool:
        """One round: wait at most ``patience`` seconds (negative: for ever), call what is due; whether any descriptor was."""
        ready = self._poll.poll(patience)
        for descriptor, events in ready:
            watched = self._watched.get(descriptor)  # an earlier callback of this round may have forgotten it
            if watched is not None:
                call, owner = watched
                guarded(owner, functools.partial(call, events))
        self._fire_due()
        return bool(ready)

    def _fire_due(self) -> None:
        now = time.monotonic()
        while self._timers and (self._timers[0][0] <= now or not self._timers[0][2].pending):
            timer = heapq.heappop(self._timers)[2]
            guarded(timer.owner, timer.fire)

    def _patience(self) -> float:
        while self._timers and not self._timers[0][2].pending:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else -1

    def close(self) -> None:
        """Give the epoll descriptor back."""
        self._poll.close()
