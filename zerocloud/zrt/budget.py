"""What a guest's files may take of the session's memory.

One limit covers the guest's linear memory and the file tree. The tree asks here for every byte that it is about to keep; the
guest's own growth is stopped by the engine, which is told how much of the limit is left to it. Both move in whole pages of
64 KiB, so that the engine is asked and told once a page and not once a write.
"""

from __future__ import annotations

from collections.abc import Callable

from .abi import Errno, WasiError

PAGE = 1 << 16
SLACK = 16 * PAGE
"""Given back to the guest only in pieces of this size, so that a file that shrinks and grows costs nothing."""

MAX_NODES = 1 << 20
NODE_BYTES = 512
"""What a file, directory or link is charged beside its contents; about what it takes of the host."""
NAME_BYTES = 128
"""What a directory entry is charged beside its name."""


class Budget:
    """The memory limit of one session, in bytes, and its limit on nodes."""

    def __init__(self, limit: int, max_nodes: int = MAX_NODES) -> None:
        self.limit, self.max_nodes = limit, max_nodes
        self.used = self.nodes = 0
        self._granted = 0
        self._guest_size: Callable[[], int] = lambda: 0
        self._limit_guest: Callable[[int], None] = lambda limit: None

    def attach(self, guest_size: Callable[[], int], limit_guest: Callable[[int], None]) -> None:
        """Share the limit with a guest: how to ask for its memory's size, and how to tell it its new maximum (bytes)."""
        self._guest_size, self._limit_guest = guest_size, limit_guest
        limit_guest(self.left_to_guest)

    @property
    def left_to_guest(self) -> int:
        """What the guest's own memory may grow to, in bytes."""
        return max(0, self.limit - self._granted)

    def lower(self, limit: int) -> None:
        """Have this limit, in bytes, from now on, if it is lower. Raises WasiError(NOSPC) where more is in use already."""
        if self._granted + self._guest_size() > limit:
            raise WasiError(Errno.NOSPC)
        self.limit = min(self.limit, limit)
        self._limit_guest(self.left_to_guest)

    def take(self, size: int) -> None:
        """Charge ``size`` bytes. Raises WasiError(NOSPC), with nothing charged, where the limit does not hold them."""
        used = self.used + size
        if used > self._granted:
            granted = -(-used // PAGE) * PAGE
            if granted + self._guest_size() > self.limit:
                raise WasiError(Errno.NOSPC)
            self._granted = granted
            self._limit_guest(self.left_to_guest)
        self.used = used

    def give(self, size: int) -> None:
        """Give ``size`` bytes back."""
        self.used -= size
        if self._granted - self.used >= SLACK:
            self._granted = -(-self.used // PAGE) * PAGE
            self._limit_guest(self.left_to_guest)

    def take_node(self) -> None:
        """Charge one node. Raises WasiError(NOSPC) beyond the limits."""
        if self.nodes >= self.max_nodes:
            raise WasiError(Errno.NOSPC)
        self.take(NODE_BYTES)
        self.nodes += 1

    def give_node(self) -> None:
        """Give a node back."""
        self.nodes -= 1
        self.give(NODE_BYTES)
