"""Where everything of a Zebra lies. Nothing is ever written outside its directory.

::

    DIR/zebra.json        what the Zebra is (settings.py); its presence marks the directory as a Zebra's
    DIR/etc/              swift.conf, rings and their builders, one configuration file per server
    DIR/nodeN/dK/         the devices: what Swift stores
    DIR/nodeN/recon/      Swift's own statistics
    DIR/nodeN/compiled/   the executor's cache of compiled programs
    DIR/keystone/         the Keystone's database and keys, if there is one
    DIR/run/              the lock, the state of the running processes, the executors' sockets, temporary files
    DIR/log/              one log per process
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zerocloud.zebra.errors import DirectoryError

MARK = "zebra.json"
SOCKET = "zerovm.sock"
FRESH_MARK = "zebra.json.new"
# Linux's PATH_MAX is 4096 bytes. Swift adds nodeN/dK/objects-1/PARTITION/SUFFIX/HASH/TIMESTAMP.data and temporary names.
LONGEST_DIRECTORY = 3800
# What Swift keeps beside a small object: one attribute of pickled metadata.
PROBE_ATTRIBUTE = "user.swift.metadata"
PROBE_SIZE = 2000


@dataclass(frozen=True)
class Layout:
    """The paths of one Zebra; ``directory`` is absolute."""

    directory: Path

    @classmethod
    def at(cls, directory: str | os.PathLike[str]) -> Layout:
        """The layout of ``directory``, which need not exist. Raises DirectoryError for a name that Swift can't live with."""
        path = Path(os.path.abspath(os.path.expanduser(directory)))
        try:
            encoded = str(path).encode("utf-8")
        except UnicodeEncodeError:
            raise DirectoryError(f"{str(path)!r}: the directory's name is not UTF-8") from None
        if not str(path).isprintable() or "%" in str(path):
            raise DirectoryError(
                f"{str(path)!r}: Swift's configuration can't hold control characters or % in a directory's name"
            )
        if len(encoded) > LONGEST_DIRECTORY:
            raise DirectoryError(
                f"{path}: the path has {len(encoded)} bytes, at most {LONGEST_DIRECTORY} leave room for objects"
            )
        return cls(path)

    @property
    def mark(self) -> Path:
        """The file that makes the directory a Zebra's."""
        return self.directory / MARK

    @property
    def etc(self) -> Path:
        """Swift's configuration: its ``swift_dir``."""
        return self.directory / "etc"

    @property
    def log(self) -> Path:
        """The logs."""
        return self.directory / "log"

    @property
    def run(self) -> Path:
        """What exists only for running processes."""
        return self.directory / "run"

    @property
    def lock(self) -> Path:
        """Locked by the supervisor as long as it lives."""
        return self.run / "lock"

    @property
    def state(self) -> Path:
        """What the supervisor tells of its processes (state.py)."""
        return self.run / "state.json"

    @property
    def temporary(self) -> Path:
        """For temporary files of all processes, in place of the system's directory."""
        return self.run / "tmp"

    @property
    def keystone(self) -> Path:
        """What the Keystone keeps, if there is one."""
        return self.directory / "keystone"

    def node(self, number: int) -> Path:
        """What the storage node keeps."""
        return self.directory / f"node{number}"

    def recon(self, number: int) -> Path:
        """The node's recon cache."""
        return self.node(number) / "recon"

    def compiled(self, number: int) -> Path:
        """The node's cache of compiled programs."""
        return self.node(number) / "compiled"

    def executor_socket(self, number: int) -> Path:
        """Where the node's executor service listens."""
        return self.run / f"node{number}" / SOCKET

    def executor_log(self, number: int) -> Path:
        """What the node's executor service says."""
        return self.log / f"zerovm-node{number}.log"

    def configuration(self, server: str) -> Path:
        """The configuration file of ``proxy``, ``object-1`` or ``keystone``."""
        if server == self.keystone.name:
            return self.etc / "keystone.conf"
        kind, _, number = server.partition("-")
        return self.etc / (f"{kind}-server-{number}.conf" if number else f"{kind}-server.conf")

    def log_of(self, process: str) -> Path:
        """The log of one process."""
        return self.log / f"{process}.log"

    def is_zebra(self) -> bool:
        """Whether the directory is a Zebra's."""
        return self.mark.is_file()

    def require_zebra(self) -> None:
        """Raises DirectoryError if the directory is no Zebra's."""
        with _named_errors(self.directory):
            if not self.directory.is_dir():
                raise DirectoryError(
                    f"{self.directory}: no such directory; 'zebra up --dir {self.directory}' makes a Zebra there"
                )
            if not self.is_zebra():
                raise DirectoryError(f"{self.directory}: not a Zebra's directory, it has no {MARK}")

    def prepare(self) -> None:
        """Make the directory, or take an empty one, or a Zebra's own. Raises DirectoryError otherwise."""
        with _named_errors(self.directory):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.is_zebra() and not _only_ours(self.directory):
                raise DirectoryError(f"{self.directory}: neither empty nor a Zebra's directory")
            for folder in (self.etc, self.log, self.run):
                folder.mkdir(mode=0o700, exist_ok=True)

    def empty_temporary(self) -> None:
        """Make the folder for temporary files, or empty it of what a crash has left."""
        with _named_errors(self.directory):
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.temporary.mkdir(mode=0o700)

    def prepare_nodes(self, devices: dict[int, tuple[str, ...]]) -> None:
        """Make the folders of every node, given the names of its devices. Raises DirectoryError."""
        with _named_errors(self.directory):
            for number, names in devices.items():
                for folder in (self.recon(number), self.compiled(number), self.executor_socket(number).parent):
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                for name in names:
                    (self.node(number) / name).mkdir(mode=0o700, exist_ok=True)
            check_attributes(self.node(min(devices)))

    def discard_beginnings(self, with_directory: bool) -> None:
        """Remove what :meth:`prepare` has made where no Zebra came of it; the directory itself if it was made too."""
        if self.is_zebra():
            return
        self._remove_ours()
        if with_directory:
            with contextlib.suppress(OSError):
                self.directory.rmdir()

    def destroy(self) -> bool:
        """Remove the Zebra; False if files that are not its own had to stay. Raises DirectoryError if it is none."""
        self.require_zebra()
        self._remove_ours()
        self.mark.unlink()
        try:
            self.directory.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EBUSY):
                raise
            return False
        return True

    def _remove_ours(self) -> None:
        # A Keystone's folder is made after its configuration, and goes before it: without that it is somebody else's.
        if self.configuration(self.keystone.name).exists() and self.keystone.is_dir() and not self.keystone.is_symlink():
            shutil.rmtree(self.keystone)
        for path in self.directory.iterdir():
            if path.is_dir() and not path.is_symlink() and _is_ours(path.name):
                shutil.rmtree(path)


def check_attributes(folder: Path) -> None:
    """Raises DirectoryError if the file system of ``folder`` can't hold Swift's metadata."""
    probe = folder / ".attributes"
    probe.touch()
    try:
        os.setxattr(probe, PROBE_ATTRIBUTE, b"x" * PROBE_SIZE)
    except OSError as error:
        raise DirectoryError(
            f"{folder}: this file system can't keep {PROBE_SIZE} bytes of user attributes, where Swift stores an object's "
            f"metadata ({error.strerror}); choose a directory on ext4, xfs or btrfs"
        ) from error
    finally:
        probe.unlink()


def _is_ours(name: str) -> bool:
    return name in ("etc", "log", "run") or (name.startswith("node") and name[4:].isdecimal())


def _only_ours(directory: Path) -> bool:
    """Whether the directory holds nothing, or just the beginnings of a Zebra whose first start was broken off."""
    return all((path.is_dir() and _is_ours(path.name)) or path.name == FRESH_MARK for path in directory.iterdir())


@contextlib.contextmanager
def _named_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DirectoryError(f"{error.filename or directory}: {error.strerror}") from error
