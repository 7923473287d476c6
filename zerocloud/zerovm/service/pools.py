"""Admission: how many sessions may run and wait at once (executing server, section 9). Pure; nothing here waits or runs.

``WaitPool(size, queue)`` runs ``size`` sessions, lets ``queue`` more wait, and refuses the rest. ``PriorityPool(low, high)``
takes a new job only while fewer than ``low`` sessions run, but has room for ``high``, so that a job once begun can bring in its
other nodes. In both, a session whose job id is not above the largest admitted one always gets in, waiting when there is no
room: ids grow with time (compared as text), so these are nodes of jobs already begun. Those who wait are served in the order of
their job ids, and within a job as they came; a session without a job id counts with the newest job admitted so far.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

DEFAULT_POOLS = "default = WaitPool(10,3); cluster = PriorityPool(10,100);"
_DEFINITION = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*(WaitPool|PriorityPool)\s*\(\s*(\d{1,6})\s*,\s*(\d{1,6})\s*\)\s*\Z")


class PoolFull(Exception):
    """The session is not admitted now. The text is a sentence for the caller."""


@dataclass(frozen=True)
class Sizes:
    """``slots`` sessions may run. A new job is admitted while fewer than ``open_below`` run, or fewer than ``queue`` wait."""

    slots: int
    open_below: int
    queue: int


def parse_pools(text: str) -> dict[str, Sizes]:
    """The pools of a specification such as :data:`DEFAULT_POOLS`. Raises ValueError, whose text names the definition."""
    pools: dict[str, Sizes] = {}
    for definition in filter(str.strip, text.split(";")):
        match = _DEFINITION.match(definition)
        if match is None:
            raise ValueError(f"pool {definition.strip()!r}: expected name = WaitPool(size, queue) or PriorityPool(low, high)")
        name, kind, first, second = match.group(1).lower(), match.group(2), int(match.group(3)), int(match.group(4))
        if name in pools:
            raise ValueError(f"pool {name}: defined twice")
        if first < 1 or (kind == "PriorityPool" and second < first):
            raise ValueError(f"pool {definition.strip()!r}: at least 1 slot, and low not above high")
        pools[name] = Sizes(first, first, second) if kind == "WaitPool" else Sizes(second, first, 0)
    if "default" not in pools:
        raise ValueError(f"pools {text!r}: one must be named default")
    return pools


@dataclass
class Pool:
    """The sessions of one pool. A ticket is whatever stands for a session."""

    name: str
    sizes: Sizes
    running: set[Hashable] = field(default_factory=set)
    ending: set[Hashable] = field(default_factory=set)
    _waiting: list[tuple[str, int, Hashable]] = field(default_factory=list)
    _largest: str | None = None
    _arrivals: int = 0

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiting)

    def enter(self, ticket: Hashable, job_id: str = "") -> bool:
        """Admit ``ticket``: True, it runs now; False, it waits until :meth:`leave` returns it. Raises PoolFull."""
        begun = bool(job_id) and self._largest is not None and job_id <= self._largest
        free = len(self.running) < self.sizes.slots and not self._waiting
        lasting = len(self.running) - len(self.ending)
        if not begun and lasting + self.waiting >= self.sizes.open_below + self.sizes.queue:
            raise PoolFull(
                f"Slot not available: pool {self.name} has {len(self.running)} sessions running and {self.waiting} waiting"
            )
        if job_id and not begun:
            self._largest = job_id
        if free:
            self.running.add(ticket)
        else:
            self._arrivals += 1
            entry = (job_id or self._largest or "", self._arrivals, ticket)
            bisect.insort(self._waiting, entry, key=lambda entry: entry[:2])
        return free

    def end(self, ticket: Hashable) -> None:
        """The session is over but for its process's death: whoever comes now may wait for that."""
        if ticket in self.running:
            self.ending.add(ticket)

    def leave(self, ticket: Hashable) -> list[Hashable]:
        """Give the slot or the place in the queue back; returns the tickets that run from now on."""
        self.running.discard(ticket)
        self.ending.discard(ticket)
        self._waiting = [entry for entry in self._waiting if entry[2] != ticket]
        starting = [entry[2] for entry in self._waiting[: self.sizes.slots - len(self.running)]]
        del self._waiting[: len(starting)]
        self.running.update(starting)
        return starting


def make_pools(sizes: Mapping[str, Sizes]) -> dict[str, Pool]:
    """Empty pools by name."""
    return {name: Pool(name, size) for name, size in sizes.items()}
