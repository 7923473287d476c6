"""Reads what a client asks of a queue: the path, the numbers, the message (HTTP API, section 17). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs

import simplejson

from .errors import QueueError
from .names import check_queue

VERSION = "queue"


class Shape(Enum):
    """The paths that mean something."""

    ACCOUNT = "/queue/<account>"
    QUEUE = "/queue/<account>/<queue>"
    MESSAGES = "/queue/<account>/<queue>/message"
    MESSAGE = "/queue/<account>/<queue>/message/<claim id>"
    CLAIMS = "/queue/<account>/<queue>/claim"
    CLAIM = "/queue/<account>/<queue>/claim/<claim id>"


@dataclass(frozen=True)
class Target:
    """What a request is about. All texts are native strings, unquoted; empty where the shape has none."""

    shape: Shape
    account: str
    queue: str = ""
    claim: str = ""


def is_queue_path(path: str) -> bool:
    """Whether the path belongs to this API."""
    return path == f"/{VERSION}" or path.startswith(f"/{VERSION}/")


def parse_path(path: str) -> Target:
    """The target of a path. Raises QueueError (412 without an account, 400 for an impossible name, 422 for another shape)."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise QueueError(412, "Invalid UTF8") from None
    _, _, account, queue, verb, claim = (path.split("/", 5) + [""] * 4)[:6]
    if not account:
        raise QueueError(412, "Bad URL: expected /queue/<account>")
    if not queue and not verb:
        return Target(Shape.ACCOUNT, account)
    check_queue(queue)
    if not verb and not claim:
        return Target(Shape.QUEUE, account, queue)
    if verb == "message":
        return Target(Shape.MESSAGE if claim else Shape.MESSAGES, account, queue, claim)
    if verb == "claim":
        return Target(Shape.CLAIM if claim else Shape.CLAIMS, account, queue, claim)
    raise QueueError(422, f"Bad URL: expected one of {', '.join(shape.value for shape in Shape)}")


@dataclass(frozen=True)
class Parameters:
    """The query of a request."""

    values: Mapping[str, str]

    @classmethod
    def parse(cls, query: str) -> Parameters:
        """Read a query string; of a name that is given twice, the last value counts. Raises QueueError (400)."""
        try:
            found = parse_qs(query, keep_blank_values=True, errors="strict", max_num_fields=100)
        except ValueError:
            raise QueueError(400, "The query is not UTF-8, or has more than 100 parameters") from None
        return cls({name: values[-1] for name, values in found.items()})

    def number(self, name: str, default: int, maximum: int) -> int:
        """A whole number from 1 on; what is above ``maximum`` counts as ``maximum``. Raises QueueError (400)."""
        text = self.values.get(name, str(default))
        if not (text.isascii() and text.isdigit() and text.strip("0")):
            raise QueueError(
                400, f"{name} = {text[:40]!r}: expected a whole number from 1 on; more than {maximum} counts as {maximum}"
            )
        digits = text.lstrip("0")
        return maximum if len(digits) > len(str(maximum)) else min(int(digits), maximum)

    def flag(self, name: str) -> bool:
        """``true`` or ``false``, in any case; false where it is not given. Raises QueueError (400)."""
        text = self.values.get(name, "false")
        if text.lower() not in ("true", "false"):
            raise QueueError(400, f"{name} = {text[:40]!r}: expected true or false")
        return text.lower() == "true"


def check_json(body: bytes) -> bytes:
    """A message's data: one JSON value (RFC 8259) in UTF-8, kept as it was written. Raises QueueError (422)."""
    try:
        simplejson.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise QueueError(422, "Could not load message content as JSON") from None
    return body.strip(b" \t\r\n")


def _no_constant(name: str) -> None:
    """Python's readers take NaN and Infinity, which JSON does not have."""
    raise ValueError(name)
