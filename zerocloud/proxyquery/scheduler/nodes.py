"""What has become of the nodes of a job: which copy of each counts, and which have not come to their end.

Written only by the scheduler.
"""

from __future__ import annotations

from collections.abc import Iterable

from .model import Phase, Record

GONE = (Phase.FAILED, Phase.CANCELLED, Phase.SPARE, Phase.RESERVED)
"""Phases of sessions that do not stand for their node (any more)."""


class Nodes:
    """All nodes of a job, each with its copies; its *winner* is the copy that succeeded first."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._copies: dict[int, list[Record]] = {}
        self._units: dict[int, set[int]] = {}
        for record in records:
            self._copies.setdefault(record.session.node, []).append(record)
            self._units.setdefault(record.session.unit, set()).add(record.session.node)
        self._open = set(self._copies)
        self._winners: dict[int, Record] = {}
        self._compared: dict[int, float] = {}

    @property
    def open(self) -> tuple[int, ...]:
        """Those that have not come to their end."""
        return tuple(self._open)

    @property
    def over(self) -> bool:
        """Whether all have come to their end."""
        return not self._open

    def is_open(self, record: Record) -> bool:
        """Whether the session's node has not come to its end."""
        return record.session.node in self._open

    def copies(self, node: int) -> list[Record]:
        """The sessions of a node."""
        return self._copies[node]

    def others(self, record: Record) -> list[Record]:
        """The other copies of a session's node."""
        return [copy for copy in self._copies[record.session.node] if copy is not record]

    def has_other(self, record: Record) -> bool:
        """Whether another copy still stands for the session's node."""
        return any(copy.phase not in GONE for copy in self.others(record))

    def winner(self, node: int) -> Record | None:
        """The copy whose outputs are the node's."""
        return self._winners.get(node)

    def first(self, record: Record) -> Record:
        """The session has succeeded; the winner of its node, which it is if no other was before."""
        return self._winners.setdefault(record.session.node, record)

    def lose(self, record: Record) -> None:
        """The session does not count any more, if it did."""
        if self._winners.get(record.session.node) is record:
            del self._winners[record.session.node]

    def winners_of_unit(self, record: Record) -> list[Record]:
        """The winners of all nodes that publish together with the session's, in their order; none as long as one is missing."""
        unit = self._units[record.session.unit]
        return [self._winners[node] for node in sorted(unit)] if unit <= self._winners.keys() else []

    def compare(self, node: int, until: float) -> None:
        """The node's winner is published; its other copies may end until then, to be compared with it."""
        self._compared[node] = until

    def is_compared(self, record: Record) -> bool:
        """Whether the session runs on only to be compared."""
        return record.session.node in self._compared

    def compared(self, now: float) -> list[int]:
        """The nodes whose time for that is over."""
        return [node for node, until in self._compared.items() if until <= now]

    @property
    def next_time(self) -> float | None:
        """When it is for the next one."""
        return min(self._compared.values(), default=None)

    def has_ended(self, node: int, now: float) -> bool:
        """Whether nothing more is expected of the node: its winner is published, or failed in it, or none is left to win."""
        winner, copies = self._winners.get(node), self._copies[node]
        if winner is None:
            return all(copy.phase.ended or copy.phase is Phase.RESERVED for copy in copies)
        if any(copy.phase is Phase.RUNNING for copy in copies) and self._compared.get(node, now) > now:
            return False
        return winner.phase.ended

    def close(self, node: int) -> None:
        """The node has come to its end."""
        self._compared.pop(node, None)
        self._open.discard(node)
