"""What jobs and nodes are called while they live and afterwards. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from ..scheduler import Phase


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"  # no node has started
    RUNNING = "running"
    PUBLISHING = "publishing"  # every node has come to its end, and outputs are being stored
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # the proxy process that ran it is gone

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self not in ACTIVE


ACTIVE = frozenset((JobState.QUEUED, JobState.RUNNING, JobState.PUBLISHING))

NODE_STATES: Mapping[Phase, str] = {
    Phase.RESERVED: "queued",
    Phase.QUEUED: "queued",
    Phase.CONNECTING: "queued",
    Phase.ADMITTED: "starting",
    Phase.RUNNING: "running",
    Phase.ANSWERED: "publishing",
    Phase.PUBLISHING: "publishing",
    Phase.PUBLISHED: "succeeded",
    Phase.SPARE: "spare",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
}
"""The users' words for the scheduler's phases."""

_BEFORE = frozenset((Phase.RESERVED, Phase.QUEUED, Phase.CONNECTING, Phase.ADMITTED))


def state_under_way(phases: Collection[Phase]) -> JobState:
    """The state of a job that has not ended, by the phases of its sessions."""
    if all(phase in _BEFORE for phase in phases):
        return JobState.QUEUED
    if any(phase in _BEFORE or phase is Phase.RUNNING for phase in phases):
        return JobState.RUNNING
    return JobState.PUBLISHING
