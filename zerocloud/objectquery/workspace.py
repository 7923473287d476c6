"""The files a session needs on disk: without names, on the device of its object, gone with their last descriptor.

A file that must have a name for a moment (a file system without ``O_TMPFILE``, SQLite's backup) carries a prefix of ours and
a lock, so that :func:`sweep` can tell what a power cut left from what a living server is using.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

PREFIX = "zerocloud-"

_ROOM = 1 << 20
_WITHOUT_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT)


class Workspace:
    """Makes temporary files in one directory, which is created when it is absent."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        os.makedirs(directory, exist_ok=True)

    def file(self) -> io.FileIO:
        """A new empty file that has no name, open for reading and writing. Raises OSError."""
        try:
            descriptor = os.open(self.directory, os.O_TMPFILE | os.O_RDWR | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in _WITHOUT_TMPFILE:
                raise
            with self.named_file() as (file, _):
                return file
        return io.FileIO(descriptor, "r+")

    def has_room(self) -> bool:
        """Whether another megabyte fits onto the device, and into its quota."""
        try:
            with self.file() as file:
                os.posix_fallocate(file.fileno(), 0, _ROOM)
        except OSError as error:
            return not is_full(error)
        return True

    @contextmanager
    def named_file(self) -> Iterator[tuple[io.FileIO, str]]:
        """A new empty file and its path; the name goes at the end of the block, the file when its user closes it."""
        descriptor, path = tempfile.mkstemp(prefix=PREFIX, dir=self.directory)
        file = io.FileIO(descriptor, "r+")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield file, path
        except BaseException:
            file.close()
            raise
        finally:
            _unlink(path)


def is_full(error: BaseException) -> bool:
    """Whether a device, or its quota, has no space left."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def read_only(file: io.FileIO) -> io.FileIO:
    """The same file, opened once more for reading alone, with a position of its own."""
    return io.FileIO(os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_CLOEXEC), "r")


def copy_range(source: int, target: int, start: int, end: int) -> None:
    """Append the bytes of a file from ``start`` up to ``end`` to another, without bringing them here. Raises OSError."""
    while start < end:
        copied = os.sendfile(target, source, start, end - start)
        if not copied:
            raise OSError(errno.EIO, "a file became shorter while it was copied")
        start += copied


def sweep(devices: str) -> int:
    """Remove named files that no living process holds from every device's temporary directories; return how many."""
    swept = 0
    for device in _entries(devices):
        for folder in _entries(device.path):
            if folder.name == "tmp" or folder.name.startswith("tmp-"):
                swept += sum(_sweep_file(entry) for entry in _entries(folder.path) if entry.name.startswith(PREFIX))
    return swept


def _sweep_file(entry: os.DirEntry[str]) -> bool:
    try:
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _unlink(entry.path)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError:
        return []


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
