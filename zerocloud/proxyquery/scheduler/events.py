"""What can happen to a job. ``session`` is a session's id, ``attempt`` the number of the attempt it happened to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Refusal(Enum):
    """Why a server did not take a session."""

    BUSY = "busy"  # no slot: ask again later
    SILENT = "silent"  # no answer within the patience: ask another, and later this one again
    ELSEWHERE = "elsewhere"  # not this server: ask another one
    NOT_LOCAL = "not local"  # this server has the object but not its bytes: bring them
    FINAL = "final"  # no server will take it


@dataclass(frozen=True)
class Started:
    """The job begins."""


@dataclass(frozen=True)
class Admitted:
    """A server has a slot for the session and waits for its body."""

    session: int
    attempt: int


@dataclass(frozen=True)
class Refused:
    """A server did not take the session. ``status`` and ``reason`` are what the client is told if no other does."""

    session: int
    attempt: int
    refusal: Refusal
    status: int
    reason: str


@dataclass(frozen=True)
class Lost:
    """The connection broke after the session had been admitted: its server's failure, not its guest's.

    ``push``: the server would take it if what was thought to lie there were sent along.
    """

    session: int
    attempt: int
    reason: str
    status: int = 503
    push: bool = False


@dataclass(frozen=True)
class Succeeded:
    """The guest ended well and its answer can be read. ``digest`` tells the outputs of copies apart."""

    session: int
    attempt: int
    digest: str = ""


@dataclass(frozen=True)
class Failed:
    """The guest, or what its user asked for, failed: another server would not help. ``status`` is for the client."""

    session: int
    attempt: int
    status: int
    reason: str


@dataclass(frozen=True)
class Published:
    """Everything the session wrote is where it belongs."""

    session: int
    attempt: int


@dataclass(frozen=True)
class Unpublished:
    """An output could not be stored."""

    session: int
    attempt: int
    status: int
    reason: str


@dataclass(frozen=True)
class Tick:
    """A time that was asked for by ``Wake`` has come."""


@dataclass(frozen=True)
class Cancelled:
    """The client left, or asked for the end of the job."""

    reason: str


SessionEvent = Admitted | Refused | Lost | Succeeded | Failed | Published | Unpublished
Event = Started | Tick | Cancelled | SessionEvent

__all__ = [
    "Refusal",
    "Started",
    "Admitted",
    "Refused",
    "Lost",
    "Succeeded",
    "Failed",
    "Published",
    "Unpublished",
    "Tick",
    "Cancelled",
    "SessionEvent",
    "Event",
]
