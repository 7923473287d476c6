"""A job that has come to its end: what there is to tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .exchange import Records
from .results import NodeBody
from .scheduler import Outcome, Phase


@dataclass(frozen=True)
class Ended:
    """A job that has come to its end. ``outcomes`` are in the order of the nodes; ``winners`` are sessions by node."""

    job: str
    started: float
    outcomes: Sequence[Outcome]
    winners: Mapping[int, int | None]
    records: Records
    addresses: Mapping[str, str]
    show_servers: bool = True

    def nodes(self) -> dict[int, list[Outcome]]:
        """The sessions of each node."""
        found: dict[int, list[Outcome]] = {}
        for outcome in self.outcomes:
            found.setdefault(outcome.session.node, []).append(outcome)
        return found

    def failed(self) -> list[Outcome]:
        """For each node that failed by itself, the session that says why. Nodes that were cancelled did not fail."""
        causes = []
        for node, sessions in self.nodes().items():
            winner = self.winners.get(node)
            failures = [outcome for outcome in sessions if outcome.phase is Phase.FAILED]
            if winner is not None:
                failures = [outcome for outcome in failures if outcome.session.id == winner]
            if failures:
                causes.append(max(failures, key=lambda outcome: outcome.status))
        return causes

    def cancelled(self) -> str:
        """Why nodes were not run to their end although none had failed; empty if all were, or a node failed."""
        if self.failed():
            return ""
        missing = [sessions for node, sessions in self.nodes().items() if self.winners.get(node) is None]
        return next((outcome.reason for sessions in missing for outcome in sessions), "")

    def bodies(self) -> list[NodeBody]:
        """What the nodes that succeeded, or failed by themselves, answered."""
        found = [body for _, body in self.answers() if body is not None and body.delivered]
        return [body for body in found if body.content.size or body.guest_status] or found[:1]

    def answers(self) -> Iterator[tuple[Outcome, NodeBody | None]]:
        """For each node, in their order, the session that counts, and what it answered."""
        chosen = {outcome.session.node: outcome.session.id for outcome in self.failed()}
        chosen |= {node: session for node, session in self.winners.items() if session is not None and node not in chosen}
        for node, sessions in self.nodes().items():
            outcome = next((one for one in sessions if one.session.id == chosen.get(node)), sessions[0])
            yield outcome, self.records.bodies.get(chosen.get(node, -1))
