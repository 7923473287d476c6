"""The service's socket: bound aside, then renamed into place. So no stale one is in the way, and no moment is without one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import socket
import struct
from collections.abc import Iterator

from zerocloud.zerovm.frames import socket_address

_BACKLOG = 512
_MODE = 0o660
_CREDENTIALS = struct.Struct("3i")


class Listener:
    """A listening socket and the name it is reached by."""

    def __init__(self, listening: socket.socket, path: str) -> None:
        self.socket = listening
        self.path = path
        listening.setblocking(False)

    @classmethod
    def bind(cls, path: str, owner: int | None) -> Listener:
        """Listen under a name aside, until :meth:`publish`. ``owner`` becomes the file's user. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        aside = _aside(path)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside)
            with socket_address(aside) as address:
                listening.bind(address)
            os.chmod(aside, _MODE)
            if owner is not None and owner != os.geteuid():
                os.chown(aside, owner, -1)
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
        return cls(listening, path)

    def publish(self) -> None:
        """Take the name over from whoever had it."""
        with directory_lock(self.path):
            os.rename(_aside(self.path), self.path)

    def abandon(self) -> None:
        """Close a socket that was never published."""
        self.socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_aside(self.path))


def _aside(path: str) -> str:
    return f"{path}.{os.getpid()}"


def identity(path: str) -> tuple[int, int]:
    """Which file stands under this name. Raises OSError."""
    status = os.lstat(path)
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def directory_lock(path: str) -> Iterator[None]:
    """Hold the directory of ``path`` while a socket in it is renamed or removed."""
    directory = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def remove(path: str, expected: tuple[int, int]) -> None:
    """Remove the socket's file, unless another service has taken the name over."""
    with contextlib.suppress(FileNotFoundError), directory_lock(path):
        if identity(path) == expected:
            os.unlink(path)


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user id of whoever connected, by the kernel's word."""
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return pid, uid


def user_id(name: str) -> int:
    """A user's number, by name or number. Raises LookupError."""
    return int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid
