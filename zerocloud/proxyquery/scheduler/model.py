"""The scheduler's data: what is to be run, where it could run, and what has become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

STORY_LINES = 30
"""Lines of a session's story that are kept, the last ones: a session may wait for a slot for hours."""


class Tier(IntEnum):
    """How much a server is wanted; lower is better."""

    PRIMARY = 0
    HANDOFF = 1
    LIMITED = 2  # it has failed lately


@dataclass(frozen=True)
class Server:
    """One device of one storage server. ``name`` tells devices apart, ``host`` the machines that slots belong to."""

    name: str
    host: str
    tier: Tier = Tier.PRIMARY


def no_spares() -> tuple[Server, ...]:
    """For sessions that have only their primaries."""
    return ()


@dataclass(frozen=True)
class Session:
    """One copy of a node, to be run once.

    ``servers`` are asked first, in order where their load is equal; ``spares`` is called when all of those are used up.
    Sessions with the same ``gang`` run together, those with the same ``unit`` publish together, those with the same
    non-empty ``location`` prefer the same server. ``networked`` gangs need a name service. ``push`` starts with the attached
    object's bytes sent along. ``group`` are nodes of the same kind, whose durations can be compared; a ``reserve`` runs only if
    the node's other session is a straggler among them.
    """

    id: int
    node: int
    name: str
    gang: int
    unit: int
    servers: tuple[Server, ...]
    spares: Callable[[], tuple[Server, ...]] = no_spares
    networked: bool = False
    push: bool = False
    retries: int = 0
    keep_going: bool = False
    location: str = ""
    group: str = ""
    reserve: bool = False


@dataclass(frozen=True)
class Limits:
    """The limits of one job. ``deadline`` is a time, ``patience`` the seconds to wait for a server's first word.

    ``timeout`` is what the user was promised, for the text of errors. ``report_time`` is how many seconds beyond the deadline
    a running session has for its own limit to take effect on its server and to be reported.
    """

    deadline: float
    timeout: float
    window: int = 64
    patience: float = 10.0
    report_time: float = 3.0


class Phase(Enum):
    """Where a session is."""

    RESERVED = "reserved"  # a second copy that nobody needs yet
    QUEUED = "queued"
    CONNECTING = "connecting"  # a server has been asked
    ADMITTED = "admitted"  # it has a slot; the rest of its gang has not
    RUNNING = "running"
    ANSWERED = "answered"  # it succeeded; its unit has not yet
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    SPARE = "spare"  # it succeeded, but another copy had been first
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more can happen to it."""
        return self in (Phase.PUBLISHED, Phase.SPARE, Phase.FAILED, Phase.CANCELLED)

    @property
    def under_way(self) -> bool:
        """Whether it occupies a place in the window."""
        return self in (Phase.CONNECTING, Phase.ADMITTED, Phase.RUNNING)

    @property
    def succeeded(self) -> bool:
        """Whether its guest has ended well."""
        return self in (Phase.ANSWERED, Phase.PUBLISHING, Phase.PUBLISHED, Phase.SPARE)


@dataclass
class Record:
    """What the scheduler remembers of a session. Written only by the scheduler."""

    session: Session
    phase: Phase = Phase.QUEUED
    attempt: int = 0
    server: Server | None = None
    push: bool = False
    patience: float = 0.0
    excluded: dict[str, tuple[int, str]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    asked: int = 0
    lost: int = 0
    status: int = 0
    reason: str = ""
    digest: str = ""
    spares: tuple[Server, ...] | None = None
    story: list[tuple[float, str]] = field(default_factory=list)
    forgotten: int = 0
    times: dict[Phase, float] = field(default_factory=dict)

    def tell(self, at: float, line: str) -> None:
        """Go on with its story."""
        self.story.append((at, line))
        if len(self.story) > STORY_LINES:
            self._forget(1)

    def end_well(self) -> None:
        """Keep only the last line: stories are for failures, and most sessions succeed."""
        self._forget(len(self.story) - 1)

    def _forget(self, lines: int) -> None:
        del self.story[:lines]
        self.forgotten += lines

    @property
    def started(self) -> float:
        """When its guest began to run."""
        return self.times[Phase.RUNNING]

    @property
    def took(self) -> float:
        """Seconds that it took to succeed."""
        return self.times[Phase.ANSWERED] - self.times[Phase.RUNNING]


@dataclass(frozen=True)
class Outcome:
    """How a session ended or stands. ``status`` is 200 for success; ``story`` has a line for each thing that happened to it.

    Before the lines of the story were others that are ``forgotten``; there are at most :data:`STORY_LINES`, of a session that
    was published one. ``times`` says when it came into each phase that it has been in since it was last queued.
    """

    session: Session
    phase: Phase
    status: int
    reason: str
    server: Server | None
    attempts: int
    story: tuple[tuple[float, str], ...]
    forgotten: int = 0
    times: Mapping[Phase, float] = field(default_factory=dict)
