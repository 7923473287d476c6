"""Which sessions have fallen behind so far that a second copy of them is worth its slot: principle 9 of the scheduler. Pure."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from .model import Phase, Record

FALLEN_BEHIND = 2.0
"""How many times longer than the median of its group a session has to run."""

WORTH_IT = 1.0
"""Seconds that a session has to run at least."""


@dataclass
class _Group:
    """The sessions of a group of nodes. ``took`` are the durations of those that succeeded, sorted, in seconds."""

    size: int = 0
    took: list[float] = field(default_factory=list)

    @property
    def patience(self) -> float | None:
        """Seconds after which one of them is a straggler; None as long as fewer than half have succeeded."""
        if 2 * len(self.took) < self.size or not self.took:
            return None
        return max(WORTH_IT, FALLEN_BEHIND * self.took[len(self.took) // 2])


class Stragglers:
    """The sessions of a job that have a reserve: a second copy, which runs only if the first is a straggler."""

    def __init__(self, records: Iterable[Record]) -> None:
        known = list(records)
        self._reserves = {record.session.node: record for record in known if record.session.reserve}
        self._groups: dict[str, _Group] = {}
        self._running: dict[int, Record] = {}
        for record in known:
            if self._has_reserve(record):
                self._group_of(record).size += 1

    def moved(self, record: Record) -> None:
        """A session has come into another phase."""
        if not self._has_reserve(record):
            return
        if record.phase is Phase.RUNNING:
            self._running[record.session.id] = record
            return
        self._running.pop(record.session.id, None)
        if record.phase is Phase.ANSWERED:
            insort(self._group_of(record).took, record.took)

    def reserve_of(self, record: Record) -> Record | None:
        """The other copy that a session may be given."""
        return self._reserves.get(record.session.node) if self._has_reserve(record) else None

    def due(self, now: float) -> list[Record]:
        """The reserves to be started now, those of the slowest sessions first."""
        late = [(at, record.session.node) for record, at in self._times() if at <= now]
        return [self._reserves[node] for _, node in sorted(late)]

    def next_time(self, now: float) -> float | None:
        """When the next session will be a straggler, as it looks now."""
        return min((at for _, at in self._times() if at > now), default=None)

    def _times(self) -> Iterable[tuple[Record, float]]:
        for record in self._running.values():
            patience = self._group_of(record).patience
            if patience is not None and self._reserves[record.session.node].phase is Phase.RESERVED:
                yield record, record.started + patience

    def _has_reserve(self, record: Record) -> bool:
        return record.session.node in self._reserves and not record.session.reserve

    def _group_of(self, record: Record) -> _Group:
        return self._groups.setdefault(record.session.group, _Group())
