"""What can go wrong between a program and a ZeroCloud.

ClientError              all of these
  LoginError             who the user is can't be found out, or is not believed
  NotReachable           the cluster does not answer, or its answer breaks off
  WorkError              what is to be run can't be read, or is no job
  NotFinished            a result was asked for with a timeout, and the job still runs; also a TimeoutError
  Refused                the cluster answers that it will not: ``status`` and what it said; ``problems`` of a system map
    JobFailed            the job was run, and failed: ``answer`` has the story and what is known of its nodes
      JobCancelled       it was cancelled on request
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .results import Answer

__all__ = ["ClientError", "JobCancelled", "JobFailed", "LoginError", "NotFinished", "NotReachable", "Refused", "WorkError"]


class ClientError(Exception):
    """Anything that this package raises. The text is a sentence for people."""


class LoginError(ClientError):
    """Credentials are missing or wrong; the text says which."""


class NotReachable(ClientError):
    """There is no connection, or it broke."""


class WorkError(ClientError):
    """A job that can't be sent: its file is missing, or it is none of the forms of a job."""


class NotFinished(ClientError, TimeoutError):
    """The time that the caller would wait is over before the job is."""


class Refused(ClientError):
    """An answer that is an error. ``problems`` are the mistakes of a system map: pointer, reason and cure of each."""

    def __init__(self, status: int, text: str, problems: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(text.strip() or f"status {status}")
        self.status = status
        self.problems = tuple(problems)


class JobFailed(Refused):
    """A job that was run and failed. The text is its story (HTTP API, section 7)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.text)
        self.answer = answer


class JobCancelled(JobFailed):
    """A job that somebody cancelled."""
