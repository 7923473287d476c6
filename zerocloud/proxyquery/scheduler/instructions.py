"""What the scheduler asks for. Whoever executes an instruction reports its result as an event with the same numbers."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Server


@dataclass(frozen=True)
class OpenNetwork:
    """Before the sessions of a connected gang start: a name service and a secret of its own, for these sessions."""

    gang: int
    sessions: frozenset[int]


@dataclass(frozen=True)
class CloseNetwork:
    """The gang's network is needed no more."""

    gang: int


@dataclass(frozen=True)
class Connect:
    """Ask the server to admit the session; answer within ``patience`` seconds with Admitted or Refused.

    ``queue`` is how many of these the server may keep the session in its queue before it calls itself busy.
    ``push`` means that the attached object's bytes are to be sent along, since no server has them as a file.
    """

    session: int
    attempt: int
    server: Server
    push: bool
    patience: float
    queue: float


@dataclass(frozen=True)
class Send:
    """Send the admitted session what it needs, and wait for its end: Succeeded, Failed or Lost."""

    session: int
    attempt: int


@dataclass(frozen=True)
class Hold:
    """Take the answer of the session off its server, and keep it."""

    session: int
    attempt: int


@dataclass(frozen=True)
class Publish:
    """Store the session's outputs and keep its part of the client's answer: Published or Unpublished."""

    session: int
    attempt: int


@dataclass(frozen=True)
class Withdraw:
    """Remove what the session has stored, unless somebody has overwritten it since. Nothing is reported back."""

    session: int


@dataclass(frozen=True)
class Drop:
    """Close the attempt's connection, which ends whatever it does on its server."""

    session: int
    attempt: int


@dataclass(frozen=True)
class Wake:
    """Send a Tick at this time."""

    at: float


@dataclass(frozen=True)
class Finish:
    """The job has come to its end; :meth:`Scheduler.outcomes` says how."""


Instruction = OpenNetwork | CloseNetwork | Connect | Send | Hold | Publish | Withdraw | Drop | Wake | Finish
