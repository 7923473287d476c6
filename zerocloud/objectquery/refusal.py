"""Why a storage server did not run a session, as an exception that knows its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """The session is refused before anything of it ran. Raised anywhere in this package; only the filter catches it.

    ``status`` is the HTTP status, ``text`` the answer's body, ``headers`` go with it.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})


class ExecutorLost(Exception):
    """The executor service ended, or answered nonsense, while a session ran: nothing is known of the session's end."""
