"""The object that a job comes from, read with the rights of the request; or only asked for, where it was read before.

Which rights a caller has is never remembered: a zapp that this process knows is asked for like any other, on the condition that
it has changed. So it is Swift that says no, and what was deployed anew is served at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swift.common.concurrency import Semaphore

from zerocloud.sysmap import SwiftPath

from ..errors import SourceError
from ..intake import Kept, image_name
from ..subrequests import Fetched
from ..zapps import Zapp
from .door import Door, plain_type

UNCHANGED = 304


@dataclass(frozen=True)
class Opened:
    """An object that is open; ``known`` is a zapp that this process has read before, and that the object still is."""

    path: SwiftPath
    fetched: Fetched
    known: Zapp | None = None

    @property
    def kind(self) -> str:
        """Its content type, without parameters."""
        return self.known.kind if self.known else plain_type(self.fetched.headers.get("content-type"))


def fetch(door: Door, path: SwiftPath) -> Opened:
    """Open an object with the rights of the request. Raises SourceError with the status of what goes wrong."""
    known = door.zapps.last(path)
    if known is not None:
        fetched = _get(door, path, {"If-None-Match": known.etag})
        if fetched.status == UNCHANGED and known.is_current(fetched.headers):
            return Opened(path, fetched, known)
        if fetched.status != UNCHANGED:
            return Opened(path, _found(fetched, path))
    return Opened(path, _found(_get(door, path, {}), path))


def _get(door: Door, path: SwiftPath, headers: Mapping[str, str]) -> Fetched:
    newest = {"X-Newest": "true"} if door.settings.newest else {}
    return door.pipeline.get(path, headers={**newest, **headers})


def _found(fetched: Fetched, path: SwiftPath) -> Fetched:
    if fetched.status != 200:
        fetched.close()
        raise SourceError.refused(fetched.status, path)
    return fetched


class Unread:
    """The archive of a zapp that is known: read for the first server that has not kept it, if there is one."""

    def __init__(self, door: Door, path: SwiftPath, known: Zapp) -> None:
        self._door = door
        self._path = path
        self._known = known
        self._one_at_a_time = Semaphore(1)
        self._kept: Kept | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self._known.size

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning. Raises SourceError: 409 for an archive that is another one meanwhile."""
        with self._one_at_a_time:
            if self._kept is None:
                self._kept = self._read()
        yield from self._kept.chunks()

    def _read(self) -> Kept:
        fetched = _get(self._door, self._path, {"If-Match": self._known.etag})
        if fetched.status == 412:
            fetched.close()
            raise self._changed()
        kept = self._door.intake.fetched(_found(fetched, self._path), self._path.path)
        if image_name(kept, self._known.compressed) != self._known.image:
            raise self._changed()
        return kept

    def _changed(self) -> SourceError:
        return SourceError(409, f"{self._path.path} was overwritten while the job ran")
