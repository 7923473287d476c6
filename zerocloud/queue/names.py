"""The names of queues, clients and messages, and what they say. Pure.

A queue is a container; an *entry* in it is the name ``<due>/<id>/<creator>/<owner>`` of an object without a body. ``due``
is when the message can be had: the time at which it was posted, or the end of the claim that ``owner`` has on it. So
entries sort by the order in which messages become due, and a listing that ends at the present time has all that are free
and no others.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Self

from .errors import QueueError

ENTRIES = ".queue_"
"""Beginning of the name of the container that holds a queue's entries."""

MESSAGES = ".messages_"
"""Beginning of the name of the container beside it, which holds the messages themselves."""

LONGEST_CONTAINER = 256
LONGEST_QUEUE = LONGEST_CONTAINER - len(MESSAGES)
LONGEST_CLIENT = 100
LATEST = 9999999999
"""The last second that an entry can be due at: times are ten digits, so that they sort."""

NOBODY = "-"
"""The owner of a message that nobody has claimed."""

_ENTRY = re.compile(r"([0-9]{10}\.[0-9]{5})/([0-9a-f]{16})/([^/]+)/([^/]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def moment(seconds: float) -> str:
    """A time since 1970 as entries have it, to ten microseconds."""
    return f"{min(seconds, LATEST):016.5f}"


@dataclass(frozen=True)
class Entry:
    """One state of a message: where it stands in its queue, and who has it. ``due`` is a :func:`moment`.

    The text of an entry is what the API calls a claim id. It is never used again once the message has moved on.
    """

    due: str
    id: str
    creator: str
    owner: str = NOBODY

    @classmethod
    def new(cls, due: float, creator: str) -> Self:
        """The first entry of a new message."""
        return cls(moment(due), secrets.token_hex(8), creator)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read an entry's name; None if it is none."""
        match = _ENTRY.fullmatch(text)
        if match is None or not (is_client(match[3]) and (match[4] == NOBODY or is_client(match[4]))):
            return None
        return cls(*match.groups())

    def __str__(self) -> str:
        return f"{self.due}/{self.id}/{self.creator}/{self.owner}"

    def at(self, due: float, owner: str) -> Entry:
        """The same message, in another place and other hands."""
        return replace(self, due=moment(due), owner=owner)


def is_client(text: str) -> bool:
    """Whether a text can be a client's id: it becomes one part of a path, in names, URLs and headers."""
    fits = 0 < len(text.encode("utf-8", "surrogateescape")) <= LONGEST_CLIENT
    return fits and text not in (NOBODY, ".", "..") and "/" not in text and not _CONTROL.search(text) and text == text.strip()


def check_queue(name: str) -> str:
    """The name of a queue, if it can be one. Raises QueueError (400)."""
    if not 0 < len(name.encode("utf-8", "surrogateescape")) <= LONGEST_QUEUE:
        raise QueueError(400, f"The name of a queue has at most {LONGEST_QUEUE} bytes")
    if _CONTROL.search(name) or name in (".", ".."):
        raise QueueError(400, "The name of a queue has no control characters, and is not '.' or '..'")
    return name


def check_client(text: str | None) -> str:
    """The ``Client-Id`` of a request. Raises QueueError (412 where there is none, 400)."""
    if not text:
        raise QueueError(412, "Client-Id header missing")
    if not is_client(text):
        raise QueueError(
            400, f"Client-Id: expected at most {LONGEST_CLIENT} bytes of UTF-8 without control characters and '/', and not '-'"
        )
    return text
