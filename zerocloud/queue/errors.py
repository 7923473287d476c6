"""What ends a request to a queue before its answer.

QueueError        the request ends with a status and a sentence
  Refused         the caller's authorizer said no, or Swift answered in our place; that response is the answer
  StoreError      Swift did not do what it was asked for
"""

from __future__ import annotations

from typing import Any

__all__ = ["QueueError", "Refused", "StoreError"]


class QueueError(Exception):
    """A request that can't be served; ``status`` and ``text`` become the answer (HTTP API, section 17)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Refused(QueueError):
    """``response`` is the answer as it stands: the authorizer's, or Swift's own to the same request of the caller."""

    def __init__(self, response: Any) -> None:
        super().__init__(response.status_int, response.status)
        self.response = response


class StoreError(QueueError):
    """Swift answered a request of the queue's own with something unexpected. Whether it took effect is not known."""
