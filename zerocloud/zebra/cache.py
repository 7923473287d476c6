"""A cache for one proxy process, with memcached's semantics and without memcached: ``env['swift.cache']``.

Values take the way through JSON that Swift's memcached client takes: a tuple comes back as a list, nobody shares an object with
the cache. Times are memcached's: 0 is for ever, up to thirty days is from now, more is a date. The cache holds a bounded
number of bytes and forgets the values that were used longest ago. Two proxies would each have their own, and see each other's
changes late: a cluster uses memcached.

Paste::

    [filter:cache]
    paste.filter_factory = zerocloud.zebra.cache:filter_factory
    max_bytes = 67108864
"""

from __future__ import annotations

import time as clock
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import simplejson
from swift.common.memcached import MemcacheConnectionError

from zerocloud.configuration import Options

MAX_BYTES = 64 * 1024 * 1024
# What an entry costs beside its key and value: about what the objects around it take.
ENTRY_OVERHEAD = 256
LONGEST_RELATIVE = 30 * 24 * 3600
WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class _Entry:
    value: bytes
    is_json: bool
    deadline: float

    def weight(self, key: str) -> int:
        return len(key) + len(self.value) + ENTRY_OVERHEAD


class LocalCache:
    """The methods of Swift's ``MemcacheRing`` that middlewares call, on a dictionary. Parameters bear its names."""

    def __init__(self, max_bytes: int = MAX_BYTES, now: Callable[[], float] = clock.time) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0

    @property
    def bytes_used(self) -> int:
        """What the values, their keys and their book-keeping weigh."""
        return self._bytes

    def set(
        self,
        key: str,
        value: Any,
        serialize: bool = True,
        time: float = 0,
        min_compress_len: int = 0,
        raise_on_error: bool = False,
    ) -> None:
        """Keep ``value`` for ``time`` seconds. Raises TypeError for what JSON can't hold, if it is to ``serialize``."""
        if serialize:
            value = value.decode() if isinstance(value, bytes) else value
            raw = simplejson.dumps(value).encode()
        else:
            raw = value if isinstance(value, bytes) else str(value).encode()
        self._keep(key, _Entry(raw, serialize, self._deadline(time)))

    def get(self, key: str, raise_on_error: bool = False) -> Any:
        """The value, or None; bytes if it was not serialized."""
        entry = self._live(key)
        if entry is None:
            return None
        return simplejson.loads(entry.value) if entry.is_json else entry.value

    def incr(self, key: str, delta: float = 1, time: float = 0) -> int:
        """Add to a counter, which never falls below 0, and answer what it has become. A new counter ends after ``time``.

        Raises MemcacheConnectionError if the value is no number: what the real client makes of memcached's refusal.
        """
        entry = self._live(key)
        try:
            number = int(entry.value) if entry else 0
        except ValueError:
            raise MemcacheConnectionError(f"cannot increment {key}: not a number") from None
        number = max(0, number + int(delta))
        deadline = entry.deadline if entry else self._deadline(time)
        self._keep(key, _Entry(b"%d" % number, False, deadline))
        return number

    def decr(self, key: str, delta: float = 1, time: float = 0) -> int:
        """``incr`` downwards."""
        return self.incr(key, -int(delta), time)

    def delete(self, key: str, server_key: str | None = None) -> None:
        """Forget the value."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.weight(key)

    def set_multi(
        self,
        mapping: Mapping[str, Any],
        server_key: str,
        serialize: bool = True,
        time: float = 0,
        min_compress_len: int = 0,
    ) -> None:
        """``set`` for each."""
        for key, value in mapping.items():
            self.set(key, value, serialize, time)

    def get_multi(self, keys: Iterable[str], server_key: str) -> list[Any]:
        """``get`` for each."""
        return [self.get(key) for key in keys]

    def _deadline(self, time: float) -> float:
        seconds = float(time or 0)
        if seconds <= 0:
            return float("inf")
        return seconds if seconds > LONGEST_RELATIVE else self._now() + seconds

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.deadline <= self._now():
            self.delete(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def _keep(self, key: str, entry: _Entry) -> None:
        self.delete(key)
        self._entries[key] = entry
        self._bytes += entry.weight(key)
        while self._bytes > self._max_bytes:
            self.delete(next(iter(self._entries)))


class CacheFilter:
    """Puts one cache into the environment of every request."""

    def __init__(self, app: WSGIApplication, cache: LocalCache) -> None:
        self.app = app
        self.cache = cache

    def __call__(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """WSGI."""
        env["swift.cache"] = self.cache
        return self.app(env, start_response)


def filter_factory(global_conf: Mapping[str, str], **local_conf: str) -> Callable[[WSGIApplication], CacheFilter]:
    """Paste's entry. Raises ConfigurationError for a ``max_bytes`` that is no positive number."""
    cache = LocalCache(Options(local_conf).integer("max_bytes", MAX_BYTES, minimum=1))
    return lambda app: CacheFilter(app, cache)
