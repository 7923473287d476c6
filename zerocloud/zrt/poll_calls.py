"""WASI: waiting, for channels and for time."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass

from .abi import EVENT, SUBSCRIPTION, U32, Errno, WasiError
from .calls import Calls
from .files import Open

MAX_SUBSCRIPTIONS = 4096
CLOCK, READ, WRITE = 0, 1, 2
ABSOLUTE = 1
HANGUP = 1
_MILLISECOND = 1_000_000
_LONGEST = 3_600_000
"""Milliseconds of one poll(2); longer waits take several."""


@dataclass(frozen=True)
class _Event:
    user: int
    kind: int
    errno: int = 0
    bytes: int = 0
    flags: int = 0


@dataclass(frozen=True)
class _Wait:
    """One descriptor that is not known to be ready."""

    user: int
    kind: int
    descriptor: int


class PollCalls(Calls):
    """poll_oneoff."""

    def poll_oneoff(self, subscriptions: int, events: int, count: int, out: int) -> None:
        """Wait until at least one of the subscriptions has something to tell.

        Under a stepped clock nothing sleeps: a wait for time alone moves the clock on.
        """
        if not 0 < count <= MAX_SUBSCRIPTIONS:
            raise WasiError(Errno.INVAL)
        asked = self.memory.take(subscriptions, SUBSCRIPTION.size * count)
        self.memory.check(events, EVENT.size * count)
        self.memory.check(out, U32.size)
        ready: list[_Event] = []
        waits: list[_Wait] = []
        timers: list[tuple[int, int]] = []
        for user, kind, source, timeout, _, flags in SUBSCRIPTION.iter_unpack(asked):
            if kind == CLOCK:
                timers.append((self.clock.remaining(source, timeout, bool(flags & ABSOLUTE)), user))
            elif kind in (READ, WRITE):
                event = self._subscribe(user, kind, source)
                if isinstance(event, _Event):
                    ready.append(event)
                else:
                    waits.append(event)
            else:
                raise WasiError(Errno.INVAL)
        ready.extend(self._wait(waits, timers, bool(ready)))
        for number, event in enumerate(ready):
            at = events + EVENT.size * number
            self.memory.put(EVENT, at, event.user, event.errno, event.kind, event.bytes, event.flags)
        self.memory.put_u32(out, len(ready))

    def _subscribe(self, user: int, kind: int, fd: int) -> _Event | _Wait:
        file: Open | None = self.table.files.get(fd)
        if file is None:
            return _Event(user, kind, Errno.BADF)
        descriptor = file.poll_descriptor(kind == WRITE)
        if descriptor is None:
            return _Event(user, kind, 0, file.ready_bytes(kind == WRITE))
        return _Wait(user, kind, descriptor)

    def _wait(self, waits: list[_Wait], timers: list[tuple[int, int]], ready: bool) -> list[_Event]:
        """Wait for the channels until the first timer; the channels that are ready, and the timers that are over."""
        limit = 0 if ready else min(timers)[0] if timers else None
        events: list[_Event] = []
        passed = limit or 0
        if waits or (limit and not self.clock.skip(limit)):
            events, over = _poll(waits, limit)
            if not over:
                passed = 0
            elif waits:
                self.clock.skip(passed)
        return events + [_Event(user, CLOCK) for left, user in timers if left <= passed]


def _poll(waits: list[_Wait], limit: int | None) -> tuple[list[_Event], bool]:
    """Ask the host, for ``limit`` nanoseconds at most; what is ready, and whether the time was over first."""
    masks: dict[int, int] = {}
    for wait in waits:
        masks[wait.descriptor] = masks.get(wait.descriptor, 0) | (select.POLLIN if wait.kind == READ else select.POLLOUT)
    poll = select.poll()
    for descriptor, mask in masks.items():
        poll.register(descriptor, mask)
    start = time.monotonic_ns()
    while True:
        left = None if limit is None else max(0, limit - (time.monotonic_ns() - start))
        found = dict(poll.poll(_LONGEST if left is None else min(_LONGEST, -(-left // _MILLISECOND))))
        if found or left == 0:
            break
    events = [event for wait in waits if (event := _answer(wait, found.get(wait.descriptor, 0)))]
    return events, not found


def _answer(wait: _Wait, bits: int) -> _Event | None:
    """What poll(2) says, for one subscription."""
    wanted = select.POLLIN if wait.kind == READ else select.POLLOUT
    if bits & select.POLLNVAL:
        return _Event(wait.user, wait.kind, Errno.BADF)
    if not bits & (wanted | select.POLLHUP | select.POLLERR):
        return None
    return _Event(wait.user, wait.kind, 0, 1, HANGUP if bits & select.POLLHUP else 0)
