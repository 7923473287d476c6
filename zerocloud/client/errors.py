"""What can go wrong between a program and a ZeroCloud.

ClientError              all of these
  LoginError             who the user is can't be found out, or is not believed
  NotReachable           the cluster does not answer, or its answer breaks off
  Refused                the cluster answers that it will not, or could not: ``status`` and what it said
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ClientError", "LoginError", "NotReachable", "Refused"]


class ClientError(Exception):
    """Anything that this package raises. The text is a sentence for people."""


class LoginError(ClientError):
    """Credentials are missing or wrong; the text says which."""


class NotReachable(ClientError):
    """There is no connection, or it broke."""


class Refused(ClientError):
    """An answer that is an error. ``problems`` are the mistakes of a system map: pointer, reason and cure of each."""

    def __init__(self, status: int, text: str, problems: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(text.strip() or f"status {status}")
        self.status = status
        self.problems = tuple(problems)
