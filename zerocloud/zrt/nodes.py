"""What a file tree is made of: files, directories, symbolic links, devices.

Nodes hold data and know how to read and change it; limits are the budget's, names and links the tree's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from .abi import Errno, FileType, WasiError
from .budget import Budget
from .channel import Channel

MAX_FILE = 1 << 32
"""Bytes: the most that any session's memory can hold."""
_ZEROS = bytes(1 << 20)


class Content(Protocol):
    """Bytes outside of the tree that a file shows until it is written to."""

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read at an offset."""


class DescriptorContent:
    """An archive on a host descriptor."""

    __slots__ = ("descriptor",)

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read in place."""
        return os.preadv(self.descriptor, views, offset)


class BufferContent:
    """An archive in memory: one that came compressed."""

    __slots__ = ("buffer",)

    def __init__(self, buffer: bytearray) -> None:
        self.buffer = buffer

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Copy out."""
        return _copy_out(self.buffer, views, offset)


def _copy_out(buffer: bytearray, views: Sequence[memoryview], offset: int) -> int:
    start = offset
    with memoryview(buffer) as data:
        for view in views:
            piece = data[offset : offset + len(view)]
            view[: len(piece)] = piece
            offset += len(piece)
            piece.release()
    return offset - start


def _cut(views: Sequence[memoryview], size: int) -> list[memoryview]:
    """The first ``size`` bytes of the views, empty ones left out."""
    pieces = []
    for view in views:
        if size <= 0:
            break
        piece = view[:size]
        size -= len(piece)
        pieces.append(piece)
    return pieces


class Node:
    """What all nodes have. Times are nanoseconds since 1970; ``opens`` counts descriptors, ``links`` names."""

    __slots__ = ("accessed", "changed", "inode", "links", "modified", "opens")
    kind: FileType = FileType.UNKNOWN

    def __init__(self, inode: int, now: int) -> None:
        self.inode, self.links, self.opens = inode, 0, 0
        self.accessed = self.modified = self.changed = now

    @property
    def size(self) -> int:
        """What stat shows, in bytes."""
        return 0

    @property
    def charged(self) -> int:
        """Bytes of the budget that it holds beside its own existence."""
        return 0

    def touch(self, now: int) -> None:
        """The contents have changed."""
        self.modified = self.changed = now


class Directory(Node):
    """Names. ``fixed`` ones, those of /dev, can't be changed."""

    __slots__ = ("fixed", "names", "parent")
    kind = FileType.DIRECTORY

    def __init__(self, inode: int, now: int, parent: Directory | None = None, fixed: bool = False) -> None:
        super().__init__(inode, now)
        self.names: dict[bytes, Node] = {}
        self.parent = parent or self
        self.fixed = fixed


class SymbolicLink(Node):
    """A name for a path."""

    __slots__ = ("target",)
    kind = FileType.SYMBOLIC_LINK

    def __init__(self, inode: int, now: int, target: bytes) -> None:
        super().__init__(inode, now)
        self.target = target

    @property
    def size(self) -> int:
        """The target's length."""
        return len(self.target)

    @property
    def charged(self) -> int:
        """The target's length."""
        return len(self.target)


class Device(Node):
    """A channel under its alias. ``mode`` is the mapping's word for it, or empty."""

    __slots__ = ("channel", "mode")

    def __init__(self, inode: int, now: int, channel: Channel, mode: str = "") -> None:
        super().__init__(inode, now)
        self.channel, self.mode = channel, mode

    @property
    def random(self) -> bool:
        """Whether it has offsets and a size."""
        return self.channel.random_read or self.channel.random_write

    @property
    def kind(self) -> FileType:  # type: ignore[override]
        """``char`` only where the mapping says so: C libraries take it for a terminal and then write line by line."""
        if self.mode == "char":
            return FileType.CHARACTER_DEVICE
        if self.mode == "file" or (self.random and self.mode != "pipe"):
            return FileType.REGULAR_FILE
        return FileType.UNKNOWN

    @property
    def size(self) -> int:
        """The channel's size where it has one."""
        return self.channel.size() if self.random else 0


class File(Node):
    """Bytes in memory or, until the first write, a range of an archive."""

    __slots__ = ("_charged", "_content", "_data", "_offset", "_size")
    kind = FileType.REGULAR_FILE

    def __init__(self, inode: int, now: int, content: Content | None = None, offset: int = 0, size: int = 0) -> None:
        super().__init__(inode, now)
        self._data, self._charged = bytearray(), 0
        self._content, self._offset, self._size = content, offset, size

    @property
    def size(self) -> int:
        """Its length."""
        return len(self._data) if self._content is None else self._size

    @property
    def charged(self) -> int:
        """Bytes in memory."""
        return self._charged

    @property
    def in_archive(self) -> bool:
        """Whether it still shows the archive's bytes."""
        return self._content is not None

    def read(self, views: Sequence[memoryview], position: int) -> int:
        """Read at a position; 0 at the end and beyond."""
        if self._content is None:
            return _copy_out(self._data, views, position)
        pieces = _cut(views, self._size - position)
        return self._content.pread(pieces, self._offset + position) if pieces else 0

    def write(self, views: Sequence[memoryview], position: int, budget: Budget) -> int:
        """Write at a position, zeros before it where the file ends earlier. Raises WasiError(FBIG, NOSPC)."""
        total = sum(map(len, views))
        if not total:
            return 0
        if position + total > MAX_FILE:
            raise WasiError(Errno.FBIG)
        data = self._own(budget)
        self._grow(position, budget)
        self._charge(max(0, position + total - len(data)), budget)
        for view in views:
            inside = min(len(view), len(data) - position)
            if inside:
                with memoryview(data) as target:
                    target[position : position + inside] = view[:inside]
            data += view[inside:]
            position += len(view)
        return total

    def resize(self, size: int, budget: Budget) -> None:
        """Cut, or extend with zeros. Raises WasiError(FBIG, NOSPC)."""
        if size > MAX_FILE:
            raise WasiError(Errno.FBIG)
        if not size:
            self._content = None
        data = self._own(budget)
        if size < len(data):
            self._charge(size - len(data), budget)
            del data[size:]
        else:
            self._grow(size, budget)

    def _own(self, budget: Budget) -> bytearray:
        """The bytes in memory: copied out of the archive before the first change."""
        if self._content is not None:
            self._charge(self._size, budget)
            data, got = bytearray(self._size), 0
            with memoryview(data) as view:
                while got < self._size:
                    count = self._content.pread([view[got:]], self._offset + got)
                    if not count:
                        break
                    got += count
            self._data, self._content = data, None
        return self._data

    def _grow(self, size: int, budget: Budget) -> None:
        missing = size - len(self._data)
        if missing > 0:
            self._charge(missing, budget)
            while missing > 0:
                self._data += _ZEROS[:missing]
                missing -= len(_ZEROS)

    def _charge(self, size: int, budget: Budget) -> None:
        """Charge before taking: should the host itself run out, the file keeps the charge until it goes."""
        if size > 0:
            budget.take(size)
        else:
            budget.give(-size)
        self._charged += size
