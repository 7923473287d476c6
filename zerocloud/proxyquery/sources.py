"""What nodes need from outside: executables, inputs that lie elsewhere, the user's image, the payload.

Each is read from Swift once per job (``reading``), or not at all (``programs``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zerocloud.sysmap import Slice, SwiftPath

from .errors import SourceError
from .parts import edges_of_part, open_part
from .programs import Programs, ProgramSource
from .reading import Need, SharedSource, SingleSource, Source
from .spool import Spool
from .subrequests import Fetched, Pipeline

__all__ = ["Need", "SharedSource", "SingleSource", "Source", "Sources"]


class _Share:
    """One session's part of a shared source: closing it leaves the source to the others."""

    def __init__(self, shared: SharedSource) -> None:
        self._shared = shared

    @property
    def size(self) -> int:
        """Bytes of the source, after ``ready``."""
        return self._shared.size

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the answer that has it, after ``ready``."""
        return self._shared.headers

    def ready(self) -> None:
        """Open the source, unless another session has."""
        self._shared.ready()

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        return self._shared.chunks()

    def close(self) -> None:
        """Nothing: the source ends with the job."""


class Sources:
    """All the objects that the nodes of one job need from outside."""

    def __init__(
        self, pipeline: Pipeline, spool: Spool, programs: Programs, read_timeout: float, newest: bool, most: int
    ) -> None:
        """``programs`` are those that this process has read lately, ``most`` is how many bytes a part of an object may have."""
        self._pipeline = pipeline
        self._spool = spool
        self._known = programs
        self._read_timeout = read_timeout
        self._headers = {"X-Newest": "true"} if newest else {}
        self._most = most
        self._needs: dict[Need, int] = {}
        self._shared: dict[Need, SharedSource] = {}
        self._programs: dict[SwiftPath, ProgramSource] = {}

    def expect(self, need: Need, nodes: int = 1) -> None:
        """Say beforehand that so many sessions will need the same."""
        self._needs[need] = self._needs.get(need, 0) + nodes

    def program(self, path: SwiftPath) -> ProgramSource:
        """An executable, which ends with the job."""
        if path not in self._programs:

            def get(headers: Mapping[str, str]) -> Fetched:
                return self._pipeline.get(path, headers={**self._headers, **headers})

            self._programs[path] = ProgramSource(path, get, self._known, self._read_timeout, self._spool)
        return self._programs[path]

    def take(self, need: Need) -> Source:
        """The source of what one session needs. The taker closes it."""
        name = need.path.path
        if self._needs.get(need, 0) <= 1:
            return SingleSource(name, lambda: self._get(need), self._read_timeout, self._spool)
        if need not in self._shared:
            self._shared[need] = SharedSource(name, lambda: self._get(need), self._read_timeout, self._spool)
        return _Share(self._shared[need])

    def edges(self, path: SwiftPath, part: Slice, etag: str) -> tuple[int, int]:
        """Where what a node with this slice sees of the object begins and ends. Raises SourceError.

        ``etag`` is that of the object as it was planned.
        """
        return edges_of_part(self._pipeline, path, part, {**self._headers, "If-Match": f'"{etag}"'}, self._most)

    def close(self) -> None:
        """Stop reading."""
        for shared in self._shared.values():
            shared.close()
        for program in self._programs.values():
            program.close()

    def _get(self, need: Need) -> Fetched:
        """Open an object or a part of it. Raises SourceError."""
        if need.slice is not None:
            return open_part(self._pipeline, need.path, need.slice, self._headers, self._most)
        fetched = self._pipeline.get(need.path, headers=self._headers)
        if fetched.status != 200:
            raise SourceError.refused(fetched.status, need.path)
        return fetched
