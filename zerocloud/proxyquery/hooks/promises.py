"""Hooks that are still to be run after a PUT: objects in the account, ``.zvm/hooks/<time>-<random>``."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import simplejson

from zerocloud.sysmap import SwiftPath

from ..errors import JobError
from ..jobs.store import CONTAINER
from ..subrequests import Pipeline
from .hook import Event, Hook

PREFIX = "hooks/"
OLD_SECONDS = 600
"""A promise this old is not being kept by anybody: taken over."""
MOST_ATTEMPTS = 5
MOST_SWEPT = 100
DIGITS = 12


@dataclass(frozen=True)
class Promise:
    """A hook that is to be run. ``name`` is its object's; ``chain`` the hooks that led to it, and itself."""

    name: str
    hook: Hook
    chain: tuple[str, ...]
    attempts: int = 0

    def to_json(self) -> bytes:
        """What its object holds."""
        names = ("account", "container", "object")
        zapp, target = ([getattr(path, name) for name in names] for path in (self.hook.zapp, self.hook.object))
        value = {"zapp": zapp, "object": target, "chain": list(self.chain), "attempts": self.attempts}
        return bytes(simplejson.dumps(value).encode())

    @classmethod
    def from_json(cls, name: str, text: bytes) -> Promise:
        """The promise that an object holds. Raises ValueError, KeyError, TypeError."""
        value = simplejson.loads(text)
        hook = Hook(Event.AFTER_PUT, SwiftPath(*value["zapp"]), SwiftPath(*value["object"]))
        return cls(name, hook, tuple(value["chain"]), int(value["attempts"]))


class Promises:
    """Those of one account. ``pipeline`` writes what is the proxy's own, whoever the client is."""

    def __init__(self, pipeline: Pipeline, account: str) -> None:
        self._pipeline = pipeline
        self.account = account

    def make(self, hook: Hook, chain: tuple[str, ...], attempts: int = 0) -> Promise:
        """Write one down, of which so many attempts have failed. Raises JobError if that can't be done: no PUT then."""
        name = f"{PREFIX}{int(time.time()):0{DIGITS}d}-{secrets.token_hex(8)}"
        promise = Promise(name, hook, chain, attempts)
        self._write(promise)
        return promise

    def delay(self, promise: Promise) -> None:
        """Note an attempt that failed; it will be made again. Raises JobError."""
        self._write(Promise(promise.name, promise.hook, promise.chain, promise.attempts + 1))

    def strike(self, promise: Promise) -> None:
        """It is kept."""
        self._pipeline.delete(self._path(promise.name), {})

    def old(self) -> Iterator[Promise]:
        """Those that nobody seems to keep, taken over by giving them a new age. Raises JobError."""
        query = {"format": "json", "prefix": PREFIX, "limit": str(MOST_SWEPT)}
        query["end_marker"] = f"{PREFIX}{int(time.time()) - OLD_SECONDS:0{DIGITS}d}"
        for entry in self._listed(urlencode(query)):
            found = self._pipeline.get(self._path(entry["name"]))
            if found.status != HTTPStatus.OK:
                continue
            try:
                promise = Promise.from_json(entry["name"], b"".join(found.chunks()))
            except (ValueError, KeyError, TypeError):
                self._pipeline.delete(self._path(entry["name"]), {})
                continue
            again = self.make(promise.hook, promise.chain, promise.attempts)
            self.strike(promise)
            yield again

    def _listed(self, query: str) -> list[dict[str, Any]]:
        fetched = self._pipeline.get(SwiftPath(self.account, CONTAINER), query)
        if fetched.status != HTTPStatus.OK:
            fetched.close()
            return []
        entries: list[dict[str, Any]] = simplejson.loads(b"".join(fetched.chunks()))
        return entries

    def _write(self, promise: Promise) -> None:
        text = promise.to_json()
        try:
            self._pipeline.store(self._path(promise.name), {"Content-Type": "application/json"}, iter((text,)), len(text))
        except JobError as error:
            raise JobError(503, f"The hook after this PUT can't be promised: {error.text}") from error

    def _path(self, name: str) -> SwiftPath:
        return SwiftPath(self.account, CONTAINER, name)
