"""WASI: what is done with names, the ``path_`` functions."""

from __future__ import annotations

from .abi import SYMLINK_FOLLOW, U32, Errno, FdFlag, OpenFlag, Right, WasiError
from .calls import Calls
from .files import OpenDirectory, open_node
from .nodes import Device, Directory, File, Node, SymbolicLink
from .tree import MAX_PATH, Place


class PathCalls(Calls):
    """The functions on paths, each of which starts at an open directory."""

    def _walk(self, fd: int, path: int, size: int, right: int, follow: int = 0) -> Place:
        return self._walk_from(self.table.directory(fd), path, size, right, follow)

    def _walk_from(self, directory: OpenDirectory, path: int, size: int, right: int, follow: int) -> Place:
        if right & ~directory.rights:
            raise WasiError(Errno.NOTCAPABLE)
        return self.tree.walk(directory.directory, self._path(path, size), bool(follow & SYMLINK_FOLLOW))

    def _path(self, path: int, size: int) -> bytes:
        if size > MAX_PATH:
            raise WasiError(Errno.NAMETOOLONG)
        return self.memory.take(path, size)

    def _existing(self, fd: int, path: int, size: int, right: int, follow: int = 0) -> Node:
        node = self._walk(fd, path, size, right, follow).node
        if node is None:
            raise WasiError(Errno.NOENT)
        return node

    def path_open(
        self, fd: int, look: int, path: int, size: int, oflags: int, rights: int, inheriting: int, flags: int, out: int
    ) -> None:
        """Open, and create or truncate where asked to."""
        self.memory.check(out, U32.size)
        directory = self.table.directory(fd)
        if flags > FdFlag.ALL or (oflags & OpenFlag.CREAT and oflags & OpenFlag.DIRECTORY):
            raise WasiError(Errno.INVAL)
        exclusive = oflags & OpenFlag.CREAT and oflags & OpenFlag.EXCL
        place = self._walk_from(directory, path, size, _rights_to_open(oflags), 0 if exclusive else look)
        self.table.check_room()
        readable, writable = bool(rights & Right.FD_READ), bool(rights & Right.FD_WRITE)
        node = self._found(place, oflags, writable)
        file = open_node(self.tree, node, flags, readable, writable)
        if oflags & OpenFlag.TRUNC and isinstance(node, File):
            node.resize(0, self.tree.budget)
            node.touch(self.clock.stamp())
        file.limit_rights(file.rights & directory.inheriting, file.inheriting & directory.inheriting)
        self.memory.put_u32(out, self.table.add(file))

    def _found(self, place: Place, oflags: int, writable: bool) -> Node:
        """The node to open, made where it is missing and wanted."""
        node = place.node
        if node is None:
            if not oflags & OpenFlag.CREAT:
                raise WasiError(Errno.NOENT)
            if place.slash:
                raise WasiError(Errno.ISDIR)
            return self.tree.new_file(place.directory, place.name)
        if oflags & OpenFlag.CREAT and oflags & OpenFlag.EXCL:
            raise WasiError(Errno.EXIST)
        if isinstance(node, SymbolicLink):
            raise WasiError(Errno.LOOP)
        if isinstance(node, Directory):
            if writable or oflags & (OpenFlag.CREAT | OpenFlag.TRUNC):
                raise WasiError(Errno.ISDIR)
        elif oflags & OpenFlag.DIRECTORY or place.slash:
            raise WasiError(Errno.NOTDIR)
        if isinstance(node, Device) and oflags & OpenFlag.TRUNC and node.channel.readable and node.random and node.size:
            raise WasiError(Errno.PERM)
        return node

    def path_filestat_get(self, fd: int, look: int, path: int, size: int, out: int) -> None:
        """Type, size, times."""
        self.put_stat(self._existing(fd, path, size, Right.PATH_FILESTAT_GET, look), out)

    def path_filestat_set_times(
        self, fd: int, look: int, path: int, size: int, accessed: int, modified: int, flags: int
    ) -> None:
        """Set times."""
        node = self._existing(fd, path, size, Right.PATH_FILESTAT_SET_TIMES, look)
        self.set_times(node, accessed, modified, flags)

    def path_create_directory(self, fd: int, path: int, size: int) -> None:
        """Make a directory."""
        place = self._walk(fd, path, size, Right.PATH_CREATE_DIRECTORY)
        if place.node is not None:
            raise WasiError(Errno.EXIST)
        self.tree.new_directory(place.directory, place.name)

    def path_remove_directory(self, fd: int, path: int, size: int) -> None:
        """Remove an empty directory."""
        self.tree.remove_directory(self._walk(fd, path, size, Right.PATH_REMOVE_DIRECTORY))

    def path_unlink_file(self, fd: int, path: int, size: int) -> None:
        """Remove a name that is not a directory's."""
        self.tree.unlink(self._walk(fd, path, size, Right.PATH_UNLINK_FILE))

    def path_rename(self, fd: int, path: int, size: int, to_fd: int, to: int, to_size: int) -> None:
        """Move."""
        source = self._walk(fd, path, size, Right.PATH_RENAME_SOURCE)
        self.tree.rename(source, self._walk(to_fd, to, to_size, Right.PATH_RENAME_TARGET))

    def path_link(self, fd: int, look: int, path: int, size: int, to_fd: int, to: int, to_size: int) -> None:
        """Make a hard link; following symbolic links is not offered, as in other hosts."""
        source = self._walk(fd, path, size, Right.PATH_LINK_SOURCE, look)
        target = self._walk(to_fd, to, to_size, Right.PATH_LINK_TARGET)
        if look & SYMLINK_FOLLOW:
            raise WasiError(Errno.INVAL)
        self.tree.link(source, target)

    def path_symlink(self, target: int, target_size: int, fd: int, path: int, size: int) -> None:
        """Make a symbolic link."""
        text = self._path(target, target_size)
        if not text:
            raise WasiError(Errno.NOENT)
        if b"\0" in text:
            raise WasiError(Errno.INVAL)
        place = self._walk(fd, path, size, Right.PATH_SYMLINK)
        if place.node is not None:
            raise WasiError(Errno.EXIST)
        if place.slash:
            raise WasiError(Errno.NOENT)
        self.tree.new_symbolic_link(place.directory, place.name, text)

    def path_readlink(self, fd: int, path: int, size: int, buffer: int, room: int, out: int) -> None:
        """Where a symbolic link leads, cut to the room there is."""
        node = self._existing(fd, path, size, Right.PATH_READLINK)
        if not isinstance(node, SymbolicLink):
            raise WasiError(Errno.INVAL)
        text = node.target[:room]
        self.memory.check(out, U32.size)
        self.memory.span(buffer, len(text))[:] = text
        self.memory.put_u32(out, len(text))


def _rights_to_open(oflags: int) -> int:
    """What the directory must allow."""
    rights = Right.PATH_OPEN
    if oflags & OpenFlag.CREAT:
        rights |= Right.PATH_CREATE_FILE
    if oflags & OpenFlag.TRUNC:
        rights |= Right.PATH_FILESTAT_SET_SIZE
    return rights
