"""What a queue keeps in Swift, by requests of its own through the rest of the pipeline (their source is ``ZQ``).

They run with the queue's own rights, so whoever makes a :class:`Store` has asked the authorizer before (``access``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

import simplejson
from swift.common.swob import Request, str_to_wsgi, wsgi_to_str
from swift.common.utils import close_if_possible
from swift.common.wsgi import make_env, make_pre_authed_env

from .errors import Refused, StoreError
from .names import ENTRIES, MESSAGES, Entry

SOURCE = "ZQ"
LONGEST_REPLY = 64 << 20
"""Bytes of an answer that are taken into memory, at most; a listing's page is the largest that is needed."""

ENTRY_HEADER = "X-Object-Sysmeta-Zero-Queue-Entry"
EXPIRES_HEADER = "X-Object-Sysmeta-Zero-Queue-Expires"


@dataclass(frozen=True)
class Message:
    """A message as it is stored: its present entry, the second since 1970 at which it ends, its JSON text."""

    entry: Entry
    expires: int
    data: bytes


@dataclass(frozen=True)
class Reply:
    """A response that has been read. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Swift:
    """Requests to one account, on behalf of one client's request."""

    def __init__(self, application: Any, environ: Mapping[str, Any], account: str) -> None:
        self._application = application
        self._environ = environ
        self._account = account

    def as_caller(self, method: str, container: str, query: str = "", headers: Mapping[str, str] | None = None) -> Reply:
        """A request about the account or a container with the caller's own rights. Raises Refused if Swift refuses it."""
        environ = make_env(self._environ, method=method, path=self._path(container), query_string=query, swift_source=SOURCE)
        response = self._respond(environ, headers or {}, b"")
        if response.status_int in (401, 403):
            raise Refused(response)
        return _read(response, LONGEST_REPLY)

    def request(
        self,
        method: str,
        container: str,
        name: str = "",
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        longest: int = LONGEST_REPLY,
    ) -> Reply:
        """A request with the queue's own rights. Raises StoreError if its answer has more than ``longest`` bytes."""
        path = self._path(container, name)
        environ = make_pre_authed_env(self._environ, method=method, path=path, query_string=query, swift_source=SOURCE)
        return _read(self._respond(environ, headers or {}, body), longest)

    def _path(self, *parts: str) -> str:
        path: str = str_to_wsgi("/".join(("/v1", self._account, *(part for part in parts if part))))
        return path

    def _respond(self, environ: dict[str, Any], headers: Mapping[str, str], body: bytes) -> Any:
        request = Request(environ)
        request.body = body
        for name, value in headers.items():
            request.headers[name] = str_to_wsgi(value)
        return request.get_response(self._application)


def _read(response: Any, longest: int) -> Reply:
    parts, size = [], 0
    try:
        for piece in response.app_iter or ():
            parts.append(piece)
            size += len(piece)
            if size > longest:
                raise StoreError(503, f"Swift sent more than {longest} bytes")
    finally:
        close_if_possible(response.app_iter)
    headers = {name.lower(): wsgi_to_str(value) for name, value in response.headers.items()}
    return Reply(response.status_int, headers, b"".join(parts))


def unexpected(reply: Reply, what: str) -> StoreError:
    """The error for an answer that leaves a request undone: full and refused are told as they are, all else is 503."""
    if reply.status in (404, 413):
        return StoreError(reply.status, f"Swift answered {reply.status} to {what}")
    return StoreError(503, f"Swift answered {reply.status} to {what}; please try again")


class Store:
    """One queue: its entries, its messages, and the registers of the splitter beside them.

    Every write is a PUT of a whole object, which Swift acknowledges when most replicas have it; every read that something
    depends on asks all replicas for the newest (``X-Newest``, which goes by the time of the PUT, not of a later POST). So a
    read that begins after a write was acknowledged sees it, or something later, as long as most replicas can be reached.
    """

    def __init__(self, swift: Swift, queue: str, longest: int) -> None:
        """``longest`` is the number of bytes of a message that are read, at most."""
        self._swift = swift
        self._entries = ENTRIES + queue
        self._messages = MESSAGES + queue
        self._longest = longest

    def names(self, marker: str, end: str, limit: int) -> list[str]:
        """The names in the queue after ``marker`` and before ``end``: what a listing knows, which may be a bit late."""
        query = {"format": "json", "limit": str(limit), "marker": marker, "end_marker": end}
        reply = self._swift.request(
            "GET", self._entries, query=urlencode({key: value for key, value in query.items() if value})
        )
        if reply.status == 204:
            return []
        if reply.status != 200:
            raise unexpected(reply, "GET of a queue's listing")
        return [item["name"] for item in simplejson.loads(reply.body) if "name" in item]

    def message(self, id: str, newest: bool = True) -> Message | None:
        """The newest state of a message, or perhaps an older one; None if it was deleted or has expired. Raises StoreError."""
        headers = {"X-Newest": "true"} if newest else None
        reply = self._swift.request("GET", self._messages, f"m/{id}", headers=headers, longest=self._longest)
        if reply.status == 404:
            return None
        entry = Entry.parse(unquote(reply.headers.get(ENTRY_HEADER.lower(), "")))
        expires = reply.headers.get(EXPIRES_HEADER.lower(), "")
        if reply.status != 200 or entry is None or not expires.isdigit():
            raise unexpected(reply, "GET of a message")
        return Message(entry, int(expires), reply.body)

    def write_message(self, message: Message) -> bool:
        """Store a message's state; False if something later was stored meanwhile. Raises StoreError."""
        headers = {
            "Content-Type": "application/json",
            "X-Delete-At": str(message.expires),
            ENTRY_HEADER: quote(str(message.entry)),
            EXPIRES_HEADER: str(message.expires),
        }
        reply = self._swift.request("PUT", self._messages, f"m/{message.entry.id}", headers=headers, body=message.data)
        if reply.status not in (201, 202):
            raise unexpected(reply, "PUT of a message")
        return reply.status == 201

    def delete_message(self, id: str) -> None:
        """Delete a message. Raises StoreError."""
        self._delete(self._messages, f"m/{id}")

    def write_entry(self, message: Message) -> None:
        """Put a message's entry into the queue. Raises StoreError."""
        headers = {"Content-Type": "application/x-zerocloud-message", "X-Delete-At": str(message.expires)}
        reply = self._swift.request("PUT", self._entries, str(message.entry), headers=headers)
        if reply.status not in (201, 202):
            raise unexpected(reply, "PUT of a queue's entry")

    def delete_entry(self, entry: Entry) -> None:
        """Take an entry out of the queue. Raises StoreError."""
        self._delete(self._entries, str(entry))

    def write_register(self, name: str, value: str, lifetime: int) -> bool:
        """Write a register, for ``lifetime`` seconds; False if something later was written meanwhile. Raises StoreError."""
        return self._write_register(name, value, lifetime, {}) == 201

    def close_register(self, name: str, lifetime: int) -> bool:
        """Write a register unless any replica has it; False if one has. Raises StoreError."""
        return self._write_register(name, "closed", lifetime, {"If-None-Match": "*"}) == 201

    def _write_register(self, name: str, value: str, lifetime: int, condition: Mapping[str, str]) -> int:
        headers = {"Content-Type": "text/plain", "X-Delete-After": str(lifetime), **condition}
        reply = self._swift.request("PUT", self._messages, name, headers=headers, body=value.encode())
        if reply.status not in (201, 202, 412):
            raise unexpected(reply, "PUT of a register")
        return reply.status

    def read_register(self, name: str) -> str | None:
        """The newest value of a register; None if it has none. Raises StoreError."""
        reply = self._swift.request("GET", self._messages, name, headers={"X-Newest": "true"}, longest=self._longest)
        if reply.status not in (200, 404):
            raise unexpected(reply, "GET of a register")
        return reply.body.decode("utf-8", "replace") if reply.status == 200 else None

    def delete_register(self, name: str) -> None:
        """Forget a register. Raises StoreError."""
        self._delete(self._messages, name)

    def _delete(self, container: str, name: str) -> None:
        reply = self._swift.request("DELETE", container, name)
        if reply.status not in (204, 404):
            raise unexpected(reply, "DELETE of an object")


def pages(swift: Swift, container: str) -> Iterator[list[str]]:
    """The names of all objects of a container, page by page; nothing if it does not exist."""
    marker = ""
    while True:
        reply = swift.request("GET", container, query=urlencode({"format": "json", "marker": marker}))
        names = [item["name"] for item in simplejson.loads(reply.body)] if reply.status == 200 else []
        if not names:
            return
        yield names
        marker = names[-1]
