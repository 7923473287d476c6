"""The queues of an account: list them, make one, delete one.

These are requests about containers, made with the caller's own rights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import simplejson

from .errors import QueueError
from .messages import READERS, Messages, each
from .names import ENTRIES, MESSAGES
from .settings import Settings
from .store import Reply, Swift, pages, unexpected

PAGE = 1000

ACCESS_HEADERS = ("X-Container-Read", "X-Container-Write")
"""Headers of a request for a new queue that are passed on to its container."""


class Queues:
    """The queues of one account."""

    def __init__(self, swift: Swift, settings: Settings, policy: str) -> None:
        """``policy`` is the storage policy of new queues."""
        self._swift = swift
        self._settings = settings
        self._policy = policy

    def counts(self) -> Iterator[tuple[str, int]]:
        """Every queue, with the number of its messages as the account's listing has it. Raises QueueError."""
        marker = ""
        while entries := self._page(marker):
            yield from ((entry["name"].removeprefix(ENTRIES), int(entry["count"])) for entry in entries if "name" in entry)
            if len(entries) < PAGE:
                return
            marker = entries[-1]["name"]

    def make(self, name: str, headers: Mapping[str, str]) -> int:
        """Make a queue, or give an existing one the access lists in ``headers``: the status of Swift. Raises QueueError."""
        given = {key: headers[key] for key in ACCESS_HEADERS if key in headers}
        # The first request asks for the caller's right to make containers; the second is made with the queue's own.
        reply = self._put(lambda policy: self._swift.as_caller("PUT", ENTRIES + name, headers={**given, **policy}))
        beside = reply
        if _done(reply):
            beside = self._put(lambda policy: self._swift.request("PUT", MESSAGES + name, headers=policy))
        if not _done(beside):
            raise _failed("make", name, beside)
        return reply.status

    def delete(self, name: str, messages: Messages) -> int:
        """Delete an empty queue: the status of Swift. Raises QueueError (409 if it is not empty)."""
        reply = self._swift.as_caller("DELETE", ENTRIES + name)
        if reply.status == 409:  # perhaps only because of messages that have expired
            messages.sweep()
            reply = self._swift.as_caller("DELETE", ENTRIES + name)
        if not _done(reply):
            raise _failed("delete", name, reply)
        self._clear(name)
        return reply.status

    def _put(self, put: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """Make a container with the policy; one that there is already may have another."""
        reply = put({"X-Storage-Policy": self._policy})
        return put({}) if reply.status == 409 else reply

    def _page(self, marker: str) -> list[dict[str, Any]]:
        query = urlencode({"format": "json", "prefix": ENTRIES, "limit": str(PAGE), "marker": marker})
        reply = self._swift.as_caller("GET", "", query)
        if reply.status == 204:
            return []
        if reply.status != 200:
            raise unexpected(reply, "GET of the account")
        page: list[dict[str, Any]] = simplejson.loads(reply.body)
        return page

    def _clear(self, name: str) -> None:
        """Delete what is beside a deleted queue: registers and messages that nobody can find any more."""
        deadline = time.monotonic() + self._settings.patience
        for names in pages(self._swift, MESSAGES + name):
            for start in range(0, len(names), READERS):
                if time.monotonic() > deadline:
                    return  # the rest expires; a queue of this name can be made again
                each(lambda item: self._swift.request("DELETE", MESSAGES + name, item), names[start : start + READERS])
        self._swift.request("DELETE", MESSAGES + name)


def _done(reply: Reply) -> bool:
    return 200 <= reply.status < 300


def _failed(verb: str, name: str, reply: Reply) -> QueueError:
    detail = reply.body.decode("utf-8", "replace").strip()
    known = reply.status < 500 and detail and not detail.startswith("<")
    return QueueError(reply.status, f"Failed to {verb} queue {name}" + (f": {detail}" if known else ""))
