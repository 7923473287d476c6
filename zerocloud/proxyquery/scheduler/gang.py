"""Gangs: sessions that run together. Written only by the scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .model import Phase, Record

FIRST_DELAY = 0.05
LONGEST_DELAY = 2.0


class Death(Enum):
    """Why a session failed."""

    REFUSED = "no server took it"
    LOST = "its server was lost"
    GUEST = "its guest failed"


@dataclass
class Gang:
    """One gang.

    ``rounds`` counts how often it found no slot in a row, ``started`` says that its guests may run, ``settle_at`` is when its
    failure is judged, ``dead`` are the members that have failed and not yet been judged.
    """

    id: int
    members: list[Record]
    networked: bool
    retries: int
    keep_going: bool
    rounds: int = 0
    started: bool = False
    settle_at: float | None = None
    network_open: bool = False
    dead: list[tuple[Record, Death]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many places of the window it needs."""
        return len(self.members)

    @property
    def complete(self) -> bool:
        """Whether every member has a slot, so that all may be sent what they need."""
        return all(record.phase is Phase.ADMITTED for record in self.members)

    @property
    def running(self) -> bool:
        """Whether a guest of this gang may still end."""
        return any(record.phase is Phase.RUNNING for record in self.members)

    def delay(self, jitter: float) -> float:
        """Seconds to wait before the next round; ``jitter`` from 0 to 1 keeps jobs from meeting again and again."""
        whole: float = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(self.rounds - 1, 10))
        return whole * (0.5 + 0.5 * jitter)


def gangs_of(records: list[Record]) -> list[Gang]:
    """The gangs, in the order of their first sessions."""
    members: dict[int, list[Record]] = {}
    for record in records:
        members.setdefault(record.session.gang, []).append(record)
    return [
        Gang(
            id=gang,
            members=group,
            networked=any(record.session.networked for record in group),
            retries=max(record.session.retries for record in group),
            keep_going=all(record.session.keep_going for record in group),
        )
        for gang, group in members.items()
    ]
