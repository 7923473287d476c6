"""The directory of compiled modules: native code by name, written by this service's user only.

A compiled module is native code that is run as found, so the directory is 0700 and each file appears whole, under its final
name, by a link from an unnamed file: whatever dies meanwhile, nothing half-made remains. All access goes through descriptors
taken before the service walls itself in. The size is bounded: the modules unused for longest go first, and the operator's own,
which have the sticky bit, after all others. Two services can share it.
"""

from __future__ import annotations

import os
import stat
import time

_TOUCH_SECONDS = 60.0
_SUFFIX = ".cwasm"
_MODE = 0o400


class CacheError(Exception):
    """The directory can't be used as a cache. The text says why."""


class Cache:
    """Compiled modules by name, at most ``limit`` bytes of them together (but always the one just stored)."""

    def __init__(self, path: str, limit: int, owner: int | None = None) -> None:
        """Open the directory, made 0700 if it is missing, for the user ``owner`` if given. Raises CacheError."""
        self._limit = limit
        try:
            self.directory = _open_directory(path, owner)
            self._own_descriptors = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            os.close(self.create())  # so that a file system without unnamed files is told of now
        except OSError as error:
            raise CacheError(f"cache {path}: {error.strerror}") from error

    def open(self, name: str) -> int | None:
        """A descriptor of the module, its use noted; None where it is not there."""
        try:
            descriptor = os.open(name + _SUFFIX, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self.directory)
        except FileNotFoundError:
            return None
        if time.time() - os.fstat(descriptor).st_mtime > _TOUCH_SECONDS:
            os.utime(descriptor)
        return descriptor

    @staticmethod
    def file_name(name: str) -> str:
        """The name of a module's file in :attr:`directory`."""
        return name + _SUFFIX

    def create(self) -> int:
        """A new file to compile into, without a name. Raises OSError where the file system has none such."""
        return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, _MODE, dir_fd=self.directory)

    def store(self, descriptor: int, name: str, trusted: bool = False) -> None:
        """Give a finished file its name, all at once; one that is there already stays. Then the oldest go. Raises OSError."""
        if trusted:
            self.keep(descriptor)
        try:
            os.link(
                str(descriptor),
                name + _SUFFIX,
                src_dir_fd=self._own_descriptors,
                dst_dir_fd=self.directory,
                follow_symlinks=True,
            )
        except FileExistsError:
            pass
        self.evict(keep=name)

    @staticmethod
    def keep(descriptor: int) -> None:
        """Have a module leave a full cache last: it is the operator's own. Raises OSError."""
        os.fchmod(descriptor, _MODE | stat.S_ISVTX)

    def remove(self, name: str) -> None:
        """Forget a module that turned out unusable."""
        try:
            os.unlink(name + _SUFFIX, dir_fd=self.directory)
        except FileNotFoundError:
            pass

    def evict(self, keep: str = "") -> None:
        """Remove what was unused for longest until the rest fits the limit."""
        entries = []
        with os.scandir(self.directory) as listing:
            for entry in listing:
                if entry.name.endswith(_SUFFIX):
                    status = entry.stat(follow_symlinks=False)
                    trusted = bool(status.st_mode & stat.S_ISVTX)
                    entries.append((trusted, status.st_mtime, entry.name, status.st_size))
        total = sum(size for *_, size in entries)
        for *_, name, size in sorted(entries):
            if total <= self._limit:
                break
            if name != keep + _SUFFIX:
                self.remove(name.removesuffix(_SUFFIX))
                total -= size

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self.directory)
        os.close(self._own_descriptors)


def _open_directory(path: str, owner: int | None) -> int:
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass  # it may be a cache already, or a directory made for one
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if not os.listdir(descriptor):
            if owner is not None and os.geteuid() == 0:
                os.fchown(descriptor, owner, -1)
            os.fchmod(descriptor, 0o700)
        status = os.fstat(descriptor)
        expected = os.geteuid() if owner is None else owner
        if status.st_uid != expected:
            raise CacheError(
                f"cache {path}: belongs to user {status.st_uid}, not to {expected} who would trust what stands in it"
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise CacheError(
                f"cache {path}: holds files and is open to other users (mode {stat.S_IMODE(status.st_mode):o}, not 700)"
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
