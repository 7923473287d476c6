"""Namespaces, root directory, user: what the service gives up once and for all of its sessions, before it serves."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from pathlib import Path

from zerocloud.zerovm.service.kernel import PR_SET_DUMPABLE, prctl, system_call

_NEW_IPC, _NEW_NETWORK, _NEW_USER = 0x08000000, 0x40000000, 0x10000000
_CAPABILITY_VERSION = 0x20080522
_TEMPORARY = "/tmp"  # noqa: S108 - the directory has no name any more when it is entered
UNMAPPED_USER = 65534
"""How a process in a user namespace sees every user that has no number there."""


def leave_namespaces(new_user: bool) -> None:
    """A network without interfaces and an IPC world of its own; ``new_user``: by way of a user namespace. Raises OSError."""
    user, group = os.geteuid(), os.getegid()
    system_call("unshare", _NEW_IPC | _NEW_NETWORK | (_NEW_USER if new_user else 0))
    if new_user:
        with contextlib.suppress(OSError):  # without the map only the names of users are lost, not a wall
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def enter_empty_root() -> None:
    """Make a directory that is empty, and removed already, the root. Raises OSError."""
    path = f"{_TEMPORARY}/zerovm-root-{os.urandom(8).hex()}"
    os.mkdir(path, 0o555)
    try:
        os.chmod(path, 0o555)  # noqa: S103 - whatever the umask is: its next user must be able to stand there
        directory = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    finally:
        os.rmdir(path)
    try:
        os.fchdir(directory)
        os.chroot(".")
    finally:
        os.chdir("/")
        os.close(directory)


def become(user: int) -> None:
    """Drop root for this user and the group of the same number. Raises OSError."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def drop_capabilities() -> None:
    """Keep none of them; and let nobody of the same user look into this process. Raises OSError."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    system_call("capset", ctypes.c_char_p(header), ctypes.c_char_p(bytes(24)))
    prctl(PR_SET_DUMPABLE, 0)
