"""Messages and queues as JSON (HTTP API, section 17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Self

import simplejson
from swift.common.swob import Response

from .errors import QueueError
from .store import Message

JSON_TYPE = "application/json"


def message_json(message: Message) -> bytes:
    """A message as clients see it. Its data stands there as it was sent."""
    head = {
        "claim_id": str(message.entry),
        "msg_id": message.entry.id,
        "client_id": message.entry.creator,
        "expires": message.expires,
    }
    return simplejson.dumps(head).encode()[:-1] + b', "data": ' + message.data + b"}"  # type: ignore[no-any-return]


def message_response(message: Message, status: int) -> Any:
    """The response that is one message."""
    return Response(status=status, body=message_json(message), content_type=JSON_TYPE)


def messages_response(messages: Iterable[Message]) -> Any:
    """The response that is a list of messages, sent while they are read."""
    return _streamed(b"[", map(message_json, messages), b"]")


def queues_response(counts: Iterable[tuple[str, int]]) -> Any:
    """The response that is an object of queues and their counts, sent while they are read."""
    pairs = (simplejson.dumps({name: {"message_count": count}}).encode()[1:-1] for name, count in counts)
    return _streamed(b"{", pairs, b"}")


def empty_response(status: int) -> Any:
    """The response that is only a status."""
    return Response(status=status, body=b"", content_type="text/plain")


def error_response(error: QueueError) -> Any:
    """The response of a request that failed, with a sentence."""
    response = Response(status=error.status, body=error.text.encode("utf-8", "replace"), content_type="text/plain")
    response.charset = "utf-8"
    return response


def _streamed(opening: bytes, items: Iterator[bytes], closing: bytes) -> Any:
    """The first item is made at once, so that what stops it is an answer of its own."""
    first = next(items, None)
    if first is None:
        return Response(body=opening + closing, content_type=JSON_TYPE)
    return Response(app_iter=_Joined(opening, first, items, closing), content_type=JSON_TYPE)


class _Joined:
    """Items with commas between them."""

    def __init__(self, opening: bytes, first: bytes, items: Iterator[bytes], closing: bytes) -> None:
        self._pieces = chain([opening + first], (b",\n" + item for item in items), [closing])

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)
