"""Hooks that are still to be run after a PUT: objects in an account of the cluster's own, which no client can reach.

Whoever could write one would have a zapp run with the rights of another account's owner; so they don't lie in that account.
A promise is being kept for as long as its object is renewed. One that has not been renewed for a while anybody may take over.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import simplejson

from zerocloud.sysmap import ListingError, SwiftPath

from ..errors import JobError
from ..listing import PipelineListing
from ..subrequests import Pipeline
from .hook import Event, Hook

ACCOUNT = ".zerocloud"
CONTAINERS = tuple(f"hooks-{number}" for number in range(4))
"""More than one, so that no single listing has to take the changes of all PUTs with hooks."""
MOST_ATTEMPTS = 5


@dataclass(frozen=True)
class Promise:
    """A hook that is to be run. ``path`` is its object; ``chain`` the hooks that led to it, and itself; ``user`` has PUT."""

    path: SwiftPath
    hook: Hook
    chain: tuple[str, ...]
    user: str = ""
    attempts: int = 0

    def to_json(self) -> bytes:
        """What its object holds."""
        names = ("account", "container", "object")
        zapp, target = ([getattr(path, name) for name in names] for path in (self.hook.zapp, self.hook.object))
        value = {"zapp": zapp, "object": target, "chain": list(self.chain), "user": self.user, "attempts": self.attempts}
        return bytes(simplejson.dumps(value).encode())

    @classmethod
    def from_json(cls, path: SwiftPath, text: bytes) -> Promise:
        """The promise that an object holds. Raises ValueError, KeyError, TypeError."""
        value = simplejson.loads(text)
        hook = Hook(Event.AFTER_PUT, SwiftPath(*value["zapp"]), SwiftPath(*value["object"]))
        return cls(path, hook, tuple(value["chain"]), str(value["user"]), int(value["attempts"]))


class Promises:
    """All of the cluster. ``pipeline`` makes a way to Swift for requests of the proxy's own."""

    def __init__(self, pipeline: Callable[[], Pipeline], patience: float) -> None:
        """``patience`` is how many seconds a promise may stay without a renewal."""
        self._pipeline = pipeline
        self._patience = patience

    def make(self, hook: Hook, chain: tuple[str, ...], user: str) -> Promise:
        """Write one down. Raises JobError if that can't be done: no PUT then."""
        promise = Promise(SwiftPath(ACCOUNT, secrets.choice(CONTAINERS), secrets.token_hex(16)), hook, chain, user)
        self.renew(promise)
        return promise

    def renew(self, promise: Promise) -> None:
        """Say that it is still being kept. Raises JobError."""
        text = promise.to_json()
        try:
            self._pipeline().store(promise.path, {"Content-Type": "application/json"}, iter((text,)), len(text))
        except JobError as error:
            raise JobError(503, f"The hook after this PUT can't be promised: {error.text}") from error

    def delay(self, promise: Promise) -> None:
        """Note an attempt that failed; it will be made again, after twice the time of the one before. Raises JobError."""
        self.renew(replace(promise, attempts=promise.attempts + 1))

    def strike(self, promise: Promise) -> None:
        """It is kept."""
        self._pipeline().delete(promise.path, {})

    def forsaken(self) -> Iterator[Promise]:
        """Those that nobody keeps, each renewed before it is given out. Raises ListingError, JobError."""
        for container in random.sample(CONTAINERS, len(CONTAINERS)):
            try:
                listed = list(PipelineListing(self._pipeline()).entries(SwiftPath(ACCOUNT, container)))
            except ListingError:
                continue  # mostly it is not there yet
            for entry in listed:
                if time.time() - _listed_at(entry) > self._patience:
                    yield from self._taken(SwiftPath(ACCOUNT, container, entry["name"]))

    def _taken(self, path: SwiftPath) -> Iterator[Promise]:
        """The promise of an object, if nobody has taken it since it was listed, and its time has come."""
        found = self._pipeline().get(path)
        text = b"".join(found.chunks())
        if found.status != HTTPStatus.OK:
            return
        try:
            promise = Promise.from_json(path, text)
        except (ValueError, KeyError, TypeError):
            self._pipeline().delete(path, {})
            return
        age = time.time() - parsedate_to_datetime(found.headers["last-modified"]).timestamp()
        if age > self._patience * 2**promise.attempts:
            self.renew(promise)
            yield promise


def _listed_at(entry: dict[str, Any]) -> float:
    """When an object was stored, as a listing tells it: Unix time."""
    return datetime.fromisoformat(entry["last_modified"]).replace(tzinfo=UTC).timestamp()


__all__ = ["ACCOUNT", "CONTAINERS", "MOST_ATTEMPTS", "Promise", "Promises"]
