"""A guest without wasm: its memory is a bytearray, its channels hold bytes. Calls go in as a guest would make them."""

import errno
import struct
from dataclasses import dataclass, field

from zerocloud.zrt.abi import EVENT, FDSTAT, FILESTAT, IOVEC, SUBSCRIPTION, Errno, OpenFlag, Right, WasiError
from zerocloud.zrt.assembly import Assembly
from zerocloud.zrt.memory import Memory
from zerocloud.zrt.world import World

READ, WRITE = Right.FD_READ, Right.FD_WRITE
ROOT = 3
SIZE = 1 << 18
OUT, IOVECS, TEXT, TEXT_2, BUFFER = 64, 256, 8192, 16384, 32768


@dataclass
class FakeChannel:
    """A channel that keeps what is written; reads come from ``data``."""

    readable: bool = False
    writable: bool = False
    random_read: bool = False
    random_write: bool = False
    data: bytearray = field(default_factory=bytearray)
    at: int = 0
    most: int = 1 << 30
    failure: BaseException | None = None
    descriptor: int | None = None

    def _fail(self):
        if self.failure is not None:
            raise self.failure

    def pread(self, views, offset):
        self._fail()
        assert self.random_read
        return self._take(views, offset)

    def _take(self, views, offset):
        got = 0
        for view in views:
            assert view.nbytes
            piece = self.data[offset + got : offset + got + min(len(view), self.most - got)]
            view[: len(piece)] = piece
            got += len(piece)
        return got

    def pwrite(self, views, offset):
        self._fail()
        assert self.random_write
        data = b"".join(map(bytes, views))[: self.most]
        self.data[offset : offset + len(data)] = data
        return len(data)

    def read(self, views):
        self._fail()
        assert not self.random_read
        got = self._take(views, self.at)
        self.at += got
        return got

    def write(self, views):
        self._fail()
        assert not self.random_write
        data = b"".join(map(bytes, views))[: self.most]
        self.data += data
        return len(data)

    def size(self):
        assert self.random_read or self.random_write
        return len(self.data)

    def poll_descriptor(self, writing):
        return self.descriptor


def reader(data=b"", **more):
    return FakeChannel(readable=True, data=bytearray(data), **more)


def writer(**more):
    return FakeChannel(writable=True, **more)


class Guest:
    """Makes WASI calls. Each returns what the guest would find in memory, and raises WasiError."""

    def __init__(self, world=None, **fields):
        self.assembly = Assembly(world or World(**fields))
        self.wasi = self.assembly.wasi
        self.bytes = bytearray(SIZE)
        self.wasi.memory = Memory(memoryview(self.bytes))
        self.tree = self.wasi.tree

    def put(self, at, data):
        self.bytes[at : at + len(data)] = data
        return at, len(data)

    def u32(self, at=OUT):
        return struct.unpack_from("<I", self.bytes, at)[0]

    def u64(self, at=OUT):
        return struct.unpack_from("<Q", self.bytes, at)[0]

    def vectors(self, *sizes):
        at = BUFFER
        for number, size in enumerate(sizes):
            IOVEC.pack_into(self.bytes, IOVECS + 8 * number, at, size)
            at += size
        return IOVECS, len(sizes)

    def open(self, path, oflags=0, rights=READ, flags=0, fd=ROOT, follow=1, inheriting=0):
        self.wasi.path_open(fd, follow, *self.put(TEXT, path), oflags, rights, inheriting, flags, OUT)
        return self.u32()

    def create(self, path, data=b"", fd=ROOT):
        new = self.open(path, OpenFlag.CREAT, READ | WRITE, fd=fd)
        if data:
            self.write(new, data)
        self.wasi.fd_close(new)

    def directory(self, path, fd=ROOT):
        return self.open(path, OpenFlag.DIRECTORY, 0, fd=fd)

    def read(self, fd, *sizes):
        self.wasi.fd_read(fd, *self.vectors(*sizes), OUT)
        return bytes(self.bytes[BUFFER : BUFFER + self.u32()])

    def write(self, fd, data):
        vectors = self.vectors(len(data))
        self.put(BUFFER, data)
        self.wasi.fd_write(fd, *vectors, OUT)
        return self.u32()

    def pread(self, fd, size, offset):
        self.wasi.fd_pread(fd, *self.vectors(size), offset, OUT)
        return bytes(self.bytes[BUFFER : BUFFER + self.u32()])

    def pwrite(self, fd, data, offset):
        vectors = self.vectors(len(data))
        self.put(BUFFER, data)
        self.wasi.fd_pwrite(fd, *vectors, offset, OUT)
        return self.u32()

    def seek(self, fd, offset, whence=0):
        self.wasi.fd_seek(fd, offset & (1 << 64) - 1, whence, OUT)
        return self.u64()

    def stat(self, path, follow=1, fd=ROOT):
        self.wasi.path_filestat_get(fd, follow, *self.put(TEXT, path), OUT)
        return Stat(*FILESTAT.unpack_from(self.bytes, OUT))

    def fstat(self, fd):
        self.wasi.fd_filestat_get(fd, OUT)
        return Stat(*FILESTAT.unpack_from(self.bytes, OUT))

    def fdstat(self, fd):
        self.wasi.fd_fdstat_get(fd, OUT)
        return FDSTAT.unpack_from(self.bytes, OUT)

    def path(self, name, path, *more, fd=ROOT):
        getattr(self.wasi, name)(fd, *self.put(TEXT, path), *more)

    def mkdir(self, path, fd=ROOT):
        self.path("path_create_directory", path, fd=fd)

    def rmdir(self, path, fd=ROOT):
        self.path("path_remove_directory", path, fd=fd)

    def unlink(self, path, fd=ROOT):
        self.path("path_unlink_file", path, fd=fd)

    def rename(self, path, to, fd=ROOT, to_fd=ROOT):
        self.path("path_rename", path, to_fd, *self.put(TEXT_2, to), fd=fd)

    def link(self, path, to, follow=0):
        self.wasi.path_link(ROOT, follow, *self.put(TEXT, path), ROOT, *self.put(TEXT_2, to))

    def symlink(self, target, path, fd=ROOT):
        self.wasi.path_symlink(*self.put(TEXT_2, target), fd, *self.put(TEXT, path))

    def readlink(self, path, room=4096):
        self.wasi.path_readlink(ROOT, *self.put(TEXT, path), BUFFER, room, OUT)
        return bytes(self.bytes[BUFFER : BUFFER + self.u32()])

    def contents(self, path):
        fd = self.open(path)
        data = b""
        while piece := self.read(fd, 65536):
            data += piece
        self.wasi.fd_close(fd)
        return data

    def names(self, path=b".", room=4096):
        fd = self.directory(path)
        found, cookie = [], 0
        while True:
            self.wasi.fd_readdir(fd, BUFFER, room, cookie, OUT)
            used = self.u32()
            data, position = bytes(self.bytes[BUFFER : BUFFER + used]), 0
            while position + 24 <= used:
                cookie_next, _, length, kind = struct.unpack_from("<QQIB", data, position)
                if position + 24 + length > used:
                    break
                found.append((data[position + 24 : position + 24 + length], kind))
                cookie, position = cookie_next, position + 24 + length
            if used < room:
                break
        self.wasi.fd_close(fd)
        return [name for name, kind in found]

    def poll(self, *subscriptions):
        """Each of (kind, clock or fd, timeout, flags); the events as (index, errno, kind, bytes, flags)."""
        for number, (kind, source, timeout, flags) in enumerate(subscriptions):
            SUBSCRIPTION.pack_into(self.bytes, BUFFER + 48 * number, number, kind, source, timeout, 0, flags)
        events = BUFFER + 48 * len(subscriptions)
        self.wasi.poll_oneoff(BUFFER, events, len(subscriptions), OUT)
        return [EVENT.unpack_from(self.bytes, events + 32 * number) for number in range(self.u32())]


@dataclass(frozen=True)
class Stat:
    device: int
    inode: int
    kind: int
    links: int
    size: int
    accessed: int
    modified: int
    changed: int


class refused:
    """The block is answered with one of these errnos."""

    def __init__(self, *names):
        self.expected = {getattr(Errno, name) for name in names}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert isinstance(error, WasiError), f"expected {self.expected}, got {error!r}"
        assert error.errno in self.expected, f"expected {self.expected}, got {error.errno!r}"
        return True


def host_error(number=errno.EIO):
    return OSError(number, "failed")
