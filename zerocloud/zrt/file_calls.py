"""WASI: what is done with open files, the ``fd_`` functions."""

from __future__ import annotations

from .abi import DIRENT, FDSTAT, PRESTAT, U32, U64, Errno, FdFlag, Right, WasiError
from .calls import Calls
from .files import MAX_POSITION, Open, OpenDirectory
from .nodes import Node

MAX_ADVICE = 5
SETTABLE_FLAGS = FdFlag.APPEND | FdFlag.NONBLOCK


def _checked_offset(offset: int) -> int:
    if offset > MAX_POSITION:
        raise WasiError(Errno.INVAL)
    return offset


class FileCalls(Calls):
    """The functions on descriptors. fd_read and fd_write are the hot ones, and written out for it."""

    def fd_read(self, fd: int, vectors: int, count: int, out: int) -> None:
        """Read on into buffers."""
        try:
            file = self.table.files[fd]
        except KeyError:
            raise WasiError(Errno.BADF) from None
        memory = self.memory
        buffers = memory.buffers(vectors, count)
        if out + 4 > memory.size:
            memory.check(out, 4)
        U32.pack_into(memory.view, out, file.read(buffers))

    def fd_write(self, fd: int, vectors: int, count: int, out: int) -> None:
        """Write on from buffers."""
        try:
            file = self.table.files[fd]
        except KeyError:
            raise WasiError(Errno.BADF) from None
        memory = self.memory
        buffers = memory.buffers(vectors, count)
        if out + 4 > memory.size:
            memory.check(out, 4)
        U32.pack_into(memory.view, out, file.write(buffers))

    def fd_pread(self, fd: int, vectors: int, count: int, offset: int, out: int) -> None:
        """Read at an offset."""
        file, buffers = self.table.get(fd), self.memory.buffers(vectors, count)
        self.memory.check(out, U32.size)
        self.memory.put_u32(out, file.pread(buffers, _checked_offset(offset)))

    def fd_pwrite(self, fd: int, vectors: int, count: int, offset: int, out: int) -> None:
        """Write at an offset."""
        file, buffers = self.table.get(fd), self.memory.buffers(vectors, count)
        self.memory.check(out, U32.size)
        self.memory.put_u32(out, file.pwrite(buffers, _checked_offset(offset)))

    def fd_seek(self, fd: int, offset: int, whence: int, out: int) -> None:
        """Move the position, by a signed offset."""
        file = self.table.get(fd)
        self.memory.check(out, U64.size)
        self.memory.put_u64(out, file.seek((offset ^ 1 << 63) - (1 << 63), whence))

    def fd_tell(self, fd: int, out: int) -> None:
        """The position."""
        file = self.table.get(fd)
        self.memory.check(out, U64.size)
        self.memory.put_u64(out, file.seek(0, 1))

    def fd_close(self, fd: int) -> None:
        """Close; the standard streams and the root too."""
        self.table.close(fd)

    def fd_renumber(self, fd: int, to: int) -> None:
        """Move a descriptor over another."""
        self.table.renumber(fd, to)

    def fd_sync(self, fd: int) -> None:
        """Nothing: what is written is written."""
        self.table.get(fd)

    def fd_datasync(self, fd: int) -> None:
        """Nothing."""
        self.table.get(fd)

    def fd_advise(self, fd: int, offset: int, size: int, advice: int) -> None:
        """Nothing, politely."""
        if isinstance(self.table.get(fd), OpenDirectory):
            raise WasiError(Errno.BADF)
        if advice > MAX_ADVICE:
            raise WasiError(Errno.INVAL)

    def fd_allocate(self, fd: int, offset: int, size: int) -> None:
        """Extend a file."""
        file = self.table.get(fd)
        if not size:
            raise WasiError(Errno.INVAL)
        file.allocate(_checked_offset(offset + size))

    def fd_fdstat_get(self, fd: int, out: int) -> None:
        """Type, flags and rights."""
        file = self.table.get(fd)
        self.memory.put(FDSTAT, out, file.node.kind, file.flags, file.rights, file.inheriting)

    def fd_fdstat_set_flags(self, fd: int, flags: int) -> None:
        """Set append and non-blocking; append can't be taken from a channel that is written only so."""
        file = self.table.get(fd)
        if flags & ~SETTABLE_FLAGS:
            raise WasiError(Errno.INVAL if flags > FdFlag.ALL else Errno.NOTSUP)
        file.set_flags(flags)

    def fd_fdstat_set_rights(self, fd: int, rights: int, inheriting: int) -> None:
        """Give rights up."""
        self.table.get(fd).limit_rights(rights, inheriting)

    def fd_filestat_get(self, fd: int, out: int) -> None:
        """Type, size, times."""
        self.put_stat(self.table.get(fd).node, out)

    def fd_filestat_set_size(self, fd: int, size: int) -> None:
        """Truncate or extend."""
        self.table.get(fd).resize(size)

    def fd_filestat_set_times(self, fd: int, accessed: int, modified: int, flags: int) -> None:
        """Set times."""
        self.set_times(self.table.get(fd).node, accessed, modified, flags)

    def fd_prestat_get(self, fd: int, out: int) -> None:
        """The length of a preopened directory's name."""
        self.memory.put(PRESTAT, out, 0, len(self._preopened(self.table.get(fd))))

    def fd_prestat_dir_name(self, fd: int, buffer: int, size: int) -> None:
        """A preopened directory's name."""
        name = self._preopened(self.table.get(fd))
        if size < len(name):
            raise WasiError(Errno.NAMETOOLONG)
        self.memory.span(buffer, len(name))[:] = name

    @staticmethod
    def _preopened(file: Open) -> bytes:
        if file.preopened is None:
            raise WasiError(Errno.BADF)
        return file.preopened

    def fd_readdir(self, fd: int, buffer: int, size: int, cookie: int, out: int) -> None:
        """Names of a directory from the ``cookie``-th on; the last entry is cut where the buffer ends."""
        directory = self.table.directory(fd)
        if not directory.rights & Right.FD_READDIR:
            raise WasiError(Errno.NOTCAPABLE)
        view = self.memory.span(buffer, size)
        self.memory.check(out, U32.size)
        listing, used = directory.listing(not cookie), 0
        for number in range(min(cookie, len(listing)), len(listing)):
            node = directory.entry(listing[number])
            if node is None:
                continue
            entry = _entry(number + 1, listing[number], node)[: size - used]
            view[used : used + len(entry)] = entry
            used += len(entry)
            if used == size:
                break
        self.memory.put_u32(out, used)


def _entry(number: int, name: bytes, node: Node) -> bytes:
    return DIRENT.pack(number, node.inode, len(name), node.kind) + name
