"""The guest's descriptor table."""

from __future__ import annotations

import heapq

from .abi import Errno, WasiError
from .files import Open, OpenDirectory

MAX_OPEN = 1024
FIRST_FREE = 3
"""Numbers below are the standard streams', and are not given out again once closed."""


class DescriptorTable:
    """Open files by number. New ones get the lowest number that is free."""

    def __init__(self, maximum: int = MAX_OPEN) -> None:
        self.maximum = maximum
        self.files: dict[int, Open] = {}
        self._next = FIRST_FREE
        self._free: list[int] = []

    def get(self, number: int) -> Open:
        """The open file. Raises WasiError(BADF)."""
        try:
            return self.files[number]
        except KeyError:
            raise WasiError(Errno.BADF) from None

    def directory(self, number: int) -> OpenDirectory:
        """The open directory. Raises WasiError(BADF, NOTDIR)."""
        file = self.get(number)
        if not isinstance(file, OpenDirectory):
            raise WasiError(Errno.NOTDIR)
        return file

    def check_room(self) -> None:
        """Raise WasiError(MFILE) where no more can be opened."""
        if len(self.files) >= self.maximum:
            raise WasiError(Errno.MFILE)

    def add(self, file: Open) -> int:
        """Give an open file a number. There must be room."""
        if self._free:
            number = heapq.heappop(self._free)
        else:
            number, self._next = self._next, self._next + 1
        self.files[number] = file
        return number

    def close(self, number: int) -> None:
        """Close. Raises WasiError(BADF)."""
        self.get(number).close()
        del self.files[number]
        if number >= FIRST_FREE:
            heapq.heappush(self._free, number)

    def renumber(self, number: int, target: int) -> None:
        """Move an open file over another. Raises WasiError(BADF) unless both are open."""
        file, old = self.get(number), self.get(target)
        if number != target:
            old.close()
            self.files[target] = file
            del self.files[number]
            if number >= FIRST_FREE:
                heapq.heappush(self._free, number)
