"""Open files: what a descriptor does, one class for each behaviour.

The guest's hot calls, reading and writing, end here in one call of a channel or of a file in memory.
"""

from __future__ import annotations

import errno
import select
from collections.abc import Sequence

from .abi import (
    DIRECTORY_RIGHTS,
    FILE_RIGHTS,
    READ_RIGHTS,
    STREAM_RIGHTS,
    WRITE_RIGHTS,
    Errno,
    FdFlag,
    Right,
    WasiError,
)
from .nodes import Device, Directory, File, Node
from .tree import Tree

MAX_POSITION = (1 << 63) - 1
LISTED_BYTES = 16
"""Charged for each name in a directory listing that a descriptor keeps."""


class Open:
    """An open file of any kind; what a kind can't do, it refuses. Raises WasiError throughout."""

    __slots__ = ("flags", "inheriting", "position", "preopened", "readable", "rights", "tree", "writable")
    base_rights = 0
    base_inheriting = 0

    def __init__(self, tree: Tree, node: Node, flags: int = 0, readable: bool = False, writable: bool = False) -> None:
        self.tree, self.flags, self.readable, self.writable = tree, flags, readable, writable
        self.position = 0
        self.preopened: bytes | None = None
        self.rights, self.inheriting = self.base_rights, self.base_inheriting
        if not readable:
            self.rights &= ~READ_RIGHTS
        if not writable:
            self.rights &= ~WRITE_RIGHTS
        node.opens += 1

    @property
    def node(self) -> Node:
        """What is open."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the node."""
        self.node.opens -= 1
        self.tree.release(self.node)

    def limit_rights(self, rights: int, inheriting: int) -> None:
        """Give rights up, for good."""
        if rights & ~self.rights or inheriting & ~self.inheriting:
            raise WasiError(Errno.NOTCAPABLE)
        self.rights, self.inheriting = rights, inheriting
        self.readable = self.readable and bool(rights & Right.FD_READ)
        self.writable = self.writable and bool(rights & Right.FD_WRITE)

    def set_flags(self, flags: int) -> None:
        """Set append and non-blocking."""
        self.flags = flags

    def read(self, views: Sequence[memoryview]) -> int:
        """Read on."""
        raise WasiError(Errno.BADF)

    def write(self, views: Sequence[memoryview]) -> int:
        """Write on."""
        raise WasiError(Errno.BADF)

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read at an offset."""
        raise WasiError(Errno.SPIPE)

    def pwrite(self, views: Sequence[memoryview], offset: int) -> int:
        """Write at an offset."""
        raise WasiError(Errno.SPIPE)

    def seek(self, offset: int, whence: int) -> int:
        """Move the position and tell it."""
        raise WasiError(Errno.SPIPE)

    def resize(self, size: int) -> None:
        """Truncate or extend."""
        raise WasiError(Errno.INVAL)

    def allocate(self, size: int) -> None:
        """Make sure that it is at least that long."""
        raise WasiError(Errno.NOTSUP)

    def ready_bytes(self, writing: bool) -> int:
        """What poll tells of a descriptor that is always ready."""
        return 1

    def poll_descriptor(self, writing: bool) -> int | None:
        """The host descriptor to poll, or None where it is always ready."""
        return None

    def _sought(self, offset: int, whence: int, size: int) -> int:
        if whence > 2:
            raise WasiError(Errno.INVAL)
        position = offset + (0, self.position, size)[whence]
        if not 0 <= position <= MAX_POSITION:
            raise WasiError(Errno.INVAL)
        self.position = position
        return position


class OpenDirectory(Open):
    """A directory, and the listing that readdir is in the midst of."""

    __slots__ = ("_listed", "directory")
    base_rights = DIRECTORY_RIGHTS
    base_inheriting = DIRECTORY_RIGHTS | FILE_RIGHTS

    def __init__(self, tree: Tree, node: Directory, flags: int = 0) -> None:
        self.directory = node
        self._listed: list[bytes] | None = None
        super().__init__(tree, node, flags)

    @property
    def node(self) -> Node:
        """The directory."""
        return self.directory

    def close(self) -> None:
        """Let go of the directory and of the listing."""
        self._forget()
        super().close()

    def listing(self, afresh: bool) -> list[bytes]:
        """The names, as they were when the listing began."""
        if afresh or self._listed is None:
            self._forget()
            names = self.tree.entries(self.directory)
            self.tree.budget.take(LISTED_BYTES * (len(names) + 2))
            self._listed = [b".", b"..", *names]
        return self._listed

    def entry(self, name: bytes) -> Node | None:
        """The node of a listed name; None where it has gone since."""
        if name == b".":
            return self.directory
        return self.directory.parent if name == b".." else self.directory.names.get(name)

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Refused: directories are read by readdir."""
        raise WasiError(Errno.ISDIR)

    def pwrite(self, views: Sequence[memoryview], offset: int) -> int:
        """Refused."""
        raise WasiError(Errno.ISDIR)

    def seek(self, offset: int, whence: int) -> int:
        """Refused."""
        raise WasiError(Errno.BADF)

    def resize(self, size: int) -> None:
        """Refused."""
        raise WasiError(Errno.BADF)

    def allocate(self, size: int) -> None:
        """Refused."""
        raise WasiError(Errno.BADF)

    def _forget(self) -> None:
        if self._listed is not None:
            self.tree.budget.give(LISTED_BYTES * len(self._listed))
            self._listed = None


class OpenFile(Open):
    """A file of the tree."""

    __slots__ = ("file",)
    base_rights = FILE_RIGHTS

    def __init__(self, tree: Tree, node: File, flags: int = 0, readable: bool = False, writable: bool = False) -> None:
        self.file = node
        super().__init__(tree, node, flags, readable, writable)

    @property
    def node(self) -> Node:
        """The file."""
        return self.file

    def read(self, views: Sequence[memoryview]) -> int:
        """Read on."""
        if not self.readable:
            raise WasiError(Errno.BADF)
        got = self.file.read(views, self.position)
        self.position += got
        return got

    def write(self, views: Sequence[memoryview]) -> int:
        """Write on, at the end where the descriptor appends."""
        if self.flags & FdFlag.APPEND:
            self.position = self.file.size
        put = self.pwrite(views, self.position)
        self.position += put
        return put

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read at an offset."""
        if not self.readable:
            raise WasiError(Errno.BADF)
        return self.file.read(views, offset)

    def pwrite(self, views: Sequence[memoryview], offset: int) -> int:
        """Write at an offset, at the end where the descriptor appends."""
        if not self.writable:
            raise WasiError(Errno.BADF)
        if self.flags & FdFlag.APPEND:
            offset = self.file.size
        put = self.file.write(views, offset, self.tree.budget)
        self.file.touch(self.tree.clock.stamp())
        return put

    def seek(self, offset: int, whence: int) -> int:
        """Move the position and tell it."""
        return self._sought(offset, whence, self.file.size)

    def resize(self, size: int) -> None:
        """Truncate, or extend with zeros."""
        if not self.writable:
            raise WasiError(Errno.INVAL)
        self.file.resize(size, self.tree.budget)
        self.file.touch(self.tree.clock.stamp())

    def allocate(self, size: int) -> None:
        """Extend with zeros where it is shorter."""
        if not self.writable:
            raise WasiError(Errno.BADF)
        if size > self.file.size:
            self.resize(size)

    def ready_bytes(self, writing: bool) -> int:
        """What is left to read."""
        return 1 if writing else max(0, self.file.size - self.position)


class OpenStream(Open):
    """A channel that has no offsets."""

    __slots__ = ("device",)
    base_rights = STREAM_RIGHTS

    def __init__(self, tree: Tree, node: Device, flags: int = 0, readable: bool = False, writable: bool = False) -> None:
        self.device = node
        super().__init__(tree, node, flags, readable, writable)

    @property
    def node(self) -> Node:
        """The device."""
        return self.device

    def set_flags(self, flags: int) -> None:
        """Set append and non-blocking; a type 1 channel appends for ever."""
        if self.writable and _appends(self.device) and not flags & FdFlag.APPEND:
            raise WasiError(Errno.PERM)
        self.flags = flags

    def read(self, views: Sequence[memoryview]) -> int:
        """Read on; where the descriptor does not block and nothing is there, WasiError(AGAIN)."""
        if not self.readable:
            raise WasiError(Errno.BADF)
        if self.flags & FdFlag.NONBLOCK:
            self._check_ready(False)
        return self.device.channel.read(views) if views else 0

    def write(self, views: Sequence[memoryview]) -> int:
        """Write on."""
        if not self.writable:
            raise WasiError(Errno.BADF)
        if self.flags & FdFlag.NONBLOCK:
            self._check_ready(True)
        return self.device.channel.write(views) if views else 0

    def resize(self, size: int) -> None:
        """Refused on what looks like a file; pipes and terminals have nothing to cut, so there it does nothing."""
        if not self.writable:
            raise WasiError(Errno.INVAL)
        if self.device.mode == "file" or self.device.random:
            raise WasiError(Errno.PERM)

    def poll_descriptor(self, writing: bool) -> int | None:
        """The channel's."""
        return self.device.channel.poll_descriptor(writing)

    def _check_ready(self, writing: bool) -> None:
        descriptor = self.device.channel.poll_descriptor(writing)
        if descriptor is not None:
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
            if not poll.poll(0):
                raise WasiError(Errno.AGAIN)


class OpenRandom(OpenStream):
    """A channel that has offsets in at least one direction. Where writes have none, they append."""

    __slots__ = ()
    base_rights = FILE_RIGHTS

    def read(self, views: Sequence[memoryview]) -> int:
        """Read on."""
        if not self.device.channel.random_read:
            return super().read(views)
        got = self.pread(views, self.position)
        self.position += got
        return got

    def write(self, views: Sequence[memoryview]) -> int:
        """Write on."""
        if not self.device.channel.random_write:
            put = super().write(views)
            self.position = self.device.channel.size()
            return put
        if self.flags & FdFlag.APPEND:
            self.position = self.device.channel.size()
        put = self.pwrite(views, self.position)
        self.position += put
        return put

    def pread(self, views: Sequence[memoryview], offset: int) -> int:
        """Read at an offset; beyond the end there is nothing, as in POSIX, whatever the channel says."""
        if not self.readable:
            raise WasiError(Errno.BADF)
        channel = self.device.channel
        if not channel.random_read:
            raise WasiError(Errno.SPIPE)
        try:
            return channel.pread(views, offset) if views else 0
        except OSError as error:
            if error.errno == errno.EFAULT and offset >= channel.size():
                return 0
            raise

    def pwrite(self, views: Sequence[memoryview], offset: int) -> int:
        """Write at an offset."""
        if not self.writable:
            raise WasiError(Errno.BADF)
        channel = self.device.channel
        if not channel.random_write:
            raise WasiError(Errno.SPIPE)
        return channel.pwrite(views, offset) if views else 0

    def seek(self, offset: int, whence: int) -> int:
        """Move the position and tell it."""
        return self._sought(offset, whence, self.device.channel.size() if whence == 2 else 0)

    def ready_bytes(self, writing: bool) -> int:
        """What is left to read."""
        return 1 if writing else max(0, self.device.channel.size() - self.position)

    def poll_descriptor(self, writing: bool) -> int | None:
        """Only where that direction is a stream."""
        channel = self.device.channel
        random = channel.random_write if writing else channel.random_read
        return None if random else channel.poll_descriptor(writing)


def _appends(device: Device) -> bool:
    """Whether it is a type 1 channel: random reads, and writes at the end only."""
    return device.channel.random_read and not device.channel.random_write


def open_standard(tree: Tree, device: Device) -> Open:
    """Open a standard stream in all directions that its channel has."""
    channel = device.channel
    flags = FdFlag.APPEND if channel.writable and _appends(device) else 0
    return open_node(tree, device, flags, channel.readable, channel.writable)


def open_node(tree: Tree, node: Node, flags: int, readable: bool, writable: bool) -> Open:
    """Open what is there. Raises WasiError: ACCES for a direction that a channel has not, PERM for a type 1 channel to be
    written without append, LOOP for a symbolic link.

    A channel only to be written can be opened both ways, as programs do that just write (``w+``): it is reading that fails.
    """
    if isinstance(node, File):
        return OpenFile(tree, node, flags, readable, writable)
    if isinstance(node, Directory):
        if writable:
            raise WasiError(Errno.ISDIR)
        return OpenDirectory(tree, node, flags)
    if isinstance(node, Device):
        channel = node.channel
        if writable and channel.writable:
            readable = readable and channel.readable
        if (readable and not channel.readable) or (writable and not channel.writable):
            raise WasiError(Errno.ACCES)
        if writable and _appends(node) and not flags & FdFlag.APPEND:
            raise WasiError(Errno.PERM)
        random = (readable and channel.random_read) or (writable and channel.random_write)
        kind = OpenRandom if random else OpenStream
        return kind(tree, node, flags, readable, writable)
    raise WasiError(Errno.LOOP)
