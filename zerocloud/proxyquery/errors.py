"""What ends a job request before or instead of its answer.

JobError                 the request ends with a status and a sentence
  Refused                the caller's authorizer said no; its own response is the answer
  SourceError            something a node needs can't be had
  MapError               the system map has mistakes
ClientGone               nobody is there any more to answer
"""

from __future__ import annotations

from http.client import responses
from typing import Any

from zerocloud.sysmap import SwiftPath, SystemMapError

__all__ = ["ClientGone", "JobError", "MapError", "Refused", "SourceError"]


class JobError(Exception):
    """A job that can't be run; ``status`` and ``text`` become the answer (HTTP API, section 8)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Refused(JobError):
    """Access was denied; ``response`` is the authorizer's own (HTTP API, section 12)."""

    def __init__(self, response: Any) -> None:
        super().__init__(response.status_int, response.status)
        self.response = response


class SourceError(JobError):
    """An executable or input that could not be read through the pipeline; the text names it."""

    @classmethod
    def refused(cls, status: int, path: SwiftPath) -> SourceError:
        """The pipeline answered with another status than was hoped for (HTTP API, section 8)."""
        return cls(status, f"Error {status} {responses.get(status, '')} while fetching {path.path}")


class MapError(JobError):
    """A system map that can't be planned; ``mistakes`` are told one by one to clients that accept JSON."""

    def __init__(self, status: int, mistakes: SystemMapError) -> None:
        super().__init__(status, str(mistakes))
        self.mistakes = mistakes


class ClientGone(Exception):
    """The client closed its connection before it had an answer: its job is to be cancelled."""
