"""What the guest's world needs of a channel, and the simplest thing that has it.

A channel is the guest's only way to the outside (executor contract, section 3). The executor brings channels with limits,
counters and digests; the world only turns the guest's calls into these few.

The contract:

- Views are writable windows into the guest's memory. They are valid during the call only: never keep one.
- There is at least one view and none is empty. Fewer bytes than asked for may be transferred; 0 from a read is the end.
- A failure is an :class:`OSError` with an errno; the guest gets the WASI errno of the same name. Any other exception ends
  the guest and is the outcome of its run.
- A call may block. Nothing interrupts it but the end of the process.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Channel(Protocol):
    """One channel. The sequential calls have a position of the channel's own; the random ones leave it alone."""

    @property
    def readable(self) -> bool:
        """Whether the guest may read."""

    @property
    def writable(self) -> bool:
        """Whether the guest may write."""

    @property
    def random_read(self) -> bool:
        """Whether reads go by offset (types 1 and 3)."""

    @property
    def random_write(self) -> bool:
        """Whether writes go by offset (types 2 and 3); type 1 appends."""

    def read(self, views: Sequence[memoryview]) -> int:
        """Read on where the last one ended."""

    def write(self, views: Sequence[memoryview]) -> int:
        """Write on where the last one ended."""

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read at an offset in bytes."""

    def pwrite(self, views: Sequence[memoryview], offset: int) -> int:
        """Write at an offset in bytes."""

    def size(self) -> int:
        """Bytes in it now. Asked of random channels only."""

    def poll_descriptor(self, writing: bool) -> int | None:
        """The host descriptor that poll(2) may be asked about, or None where the channel is always ready."""


@dataclass(frozen=True)
class PlainChannel:
    """A host descriptor as a channel, without limits and counters: for tests, benchmarks and as the contract's example."""

    descriptor: int
    readable: bool = False
    writable: bool = False
    random_read: bool = False
    random_write: bool = False

    def read(self, views: Sequence[memoryview]) -> int:
        """Read on."""
        return os.readv(self.descriptor, views)

    def write(self, views: Sequence[memoryview]) -> int:
        """Write on."""
        return os.writev(self.descriptor, views)

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read at an offset."""
        return os.preadv(self.descriptor, views, offset)

    def pwrite(self, views: Sequence[memoryview], offset: int) -> int:
        """Write at an offset."""
        return os.pwritev(self.descriptor, views, offset)

    def size(self) -> int:
        """The file's size."""
        return os.fstat(self.descriptor).st_size

    def poll_descriptor(self, writing: bool) -> int | None:
        """The descriptor itself."""
        return self.descriptor
