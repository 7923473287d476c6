"""What is stored, asked by pattern: each question is put to the listing once. Source: system map, section 6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from .context import Limits, Listing
from .paths import SwiftPath, SwiftPattern
from .problems import ListingError
from .wildcards import Glob

Entry = TypeVar("Entry")


class CatalogueError(Exception):
    """What a path names can't be told. The text is the message of section 11."""


@dataclass(frozen=True, slots=True)
class Match:
    """One object (or container) that a device names. ``size`` in bytes where known; ``captures`` is None without wildcards."""

    path: SwiftPath
    size: int | None = None
    captures: tuple[str, ...] | None = None


class Catalogue:
    """Finds objects for patterns. Answers are kept while one map is planned, and what the map may ask for is counted."""

    def __init__(self, listing: Listing, limits: Limits) -> None:
        self._listing = listing
        self._limits = limits
        self._listed = 0
        self._found = 0
        self._answers: dict[SwiftPath | SwiftPattern, tuple[int, list[Match]]] = {}

    def find(self, path: SwiftPath | SwiftPattern, most: int) -> list[Match]:
        """The objects that the path names, in byte order, but no more than ``most``. Raises CatalogueError.

        A pattern without an object names containers. Objects whose names end with ``/`` are passed over.
        """
        asked, found = self._answers.get(path, (0, []))
        if asked < most and len(found) == asked:
            room = max(0, self._limits.maxobjects - self._found)
            found = list(islice(self._search(path), min(most, room + 1)))
            self._found += len(found)
            if len(found) > room:
                raise CatalogueError(f"With {path.url} the job names more than {self._limits.maxobjects} objects")
            self._answers[path] = most, found
        return found[:most]

    def _search(self, path: SwiftPath | SwiftPattern) -> Iterator[Match]:
        if isinstance(path, SwiftPath):
            for match in self._objects(path.account, path.container, Glob((path.object,)), ()):
                yield Match(match.path, match.size)
            return
        for container, captures in self._containers(path):
            if path.object is None:
                yield Match(SwiftPath(path.account, container), None, captures)
            else:
                yield from self._objects(path.account, container, path.object, captures)

    def _containers(self, path: SwiftPattern) -> Iterator[tuple[str, tuple[str, ...]]]:
        if not path.container.stars:
            yield path.container.text, ()
            return
        try:
            for name in self._counted(self._listing.containers(path.account)):
                captures = path.container.match(name)
                if captures is not None:
                    yield name, captures
        except ListingError as error:
            raise CatalogueError(_message("account", path.account, error)) from error

    def _objects(self, account: str, container: str, glob: Glob, before: tuple[str, ...]) -> Iterator[Match]:
        try:
            for entry in self._counted(self._listing.objects(account, container, glob.prefix)):
                captures = None if entry.name.endswith("/") else glob.match(entry.name)
                if captures is not None:
                    yield Match(SwiftPath(account, container, entry.name), entry.bytes, before + captures)
                if not glob.stars:
                    return
        except ListingError as error:
            raise CatalogueError(_message("container", container, error)) from error

    def _counted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self._listed += 1
            if self._listed > self._limits.maxlisted:
                raise CatalogueError(
                    f"More than {self._limits.maxlisted} names would have to be listed for the job's wildcards"
                )
            yield entry


def _message(kind: str, name: str, error: ListingError) -> str:
    return f"Error querying object server for {kind}: {name}" + (f" ({error})" if str(error) else "")
