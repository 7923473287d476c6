"""A listing that is plain data: for ``explain`` without a cluster, for local runs and for tests."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

from .context import ObjectEntry
from .problems import ListingError

Store = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Accounts, their containers, their objects, the objects' sizes in bytes."""


class StoredListing:
    """Implements ``Listing`` over a store in memory. What is not there raises ListingError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sorted: dict[tuple[str, str], list[tuple[bytes, int]]] = {}

    @classmethod
    def from_value(cls, value: object) -> StoredListing:
        """From a JSON value: ``{"account": {"container": {"object": bytes}}}``. Raises ListingError."""
        for containers in _values(value, "a listing"):
            for objects in _values(containers, "an account"):
                for size in _values(objects, "a container"):
                    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                        raise ListingError(f"The size of an object is a whole number of bytes, not {size!r:.80}")
        assert isinstance(value, dict)
        return cls(value)

    def containers(self, account: str) -> Iterator[str]:
        """The names of an account's containers, in byte order."""
        if account not in self._store:
            raise ListingError("404 Not Found")
        yield from sorted(self._store[account], key=_bytes)

    def objects(self, account: str, container: str, prefix: str) -> Iterator[ObjectEntry]:
        """The objects of a container whose names begin with ``prefix``, in byte order of their names."""
        entries = self._entries(account, container)
        start = _bytes(prefix)
        for index in range(bisect_left(entries, (start, -1)), len(entries)):
            name, size = entries[index]
            if not name.startswith(start):
                return
            yield ObjectEntry(name.decode("utf-8", "surrogatepass"), size)

    def _entries(self, account: str, container: str) -> list[tuple[bytes, int]]:
        known = self._sorted.get((account, container))
        if known is None:
            if container not in self._store.get(account, {}):
                raise ListingError("404 Not Found")
            known = sorted((_bytes(name), size) for name, size in self._store[account][container].items())
            self._sorted[account, container] = known
        return known


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _values(value: object, what: str) -> Iterator[object]:
    if not isinstance(value, dict):
        raise ListingError(f"{what} is an object by names, not {type(value).__name__}")
    yield from value.values()
