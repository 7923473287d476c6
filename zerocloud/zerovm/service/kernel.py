"""The system calls that Python has no names for, by number, on x86_64 and aarch64."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterable, Sequence

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# Keeps the interpreter's lock during the call: for a fork, after which there are two interpreters.
_holding_libc = ctypes.PyDLL(None, use_errno=True)
_holding_libc.syscall.restype = ctypes.c_long

MACHINE = platform.machine()
_NUMBERS = {
    # The same on every machine of recent years.
    "pidfd_send_signal": (424, 424),
    "close_range": (436, 436),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "seccomp": (317, 277),
    "capset": (126, 91),
    "unshare": (272, 97),
    "clone": (56, 220),
}
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(MACHINE)

SIBLING = 0x8000 | 17
"""Flags of a ``clone`` that is a fork, but whose child becomes one of the caller's parent: CLONE_PARENT, SIGCHLD."""

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_SET_NO_NEW_PRIVS = 38
_ALL = 0xFFFFFFFF


def system_call(name: str, *arguments: object) -> int:
    """Make the call; integers go as 64 bits. Raises OSError, with ENOSYS on a machine that this table does not know."""
    return _call(_libc, name, arguments)


def clone(flags: int) -> int:
    """``clone`` as a fork that takes flags: 0 in the child, its id in the parent. Raises OSError."""
    return _call(_holding_libc, "clone", (flags, 0, 0, 0, 0))


def _call(library: ctypes.CDLL, name: str, arguments: Sequence[object]) -> int:
    if _COLUMN is None:
        raise OSError(errno.ENOSYS, f"{name}: no system call numbers for machine {MACHINE}")
    converted = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = library.syscall(ctypes.c_long(_NUMBERS[name][_COLUMN]), *converted)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int) -> None:
    """``prctl(option, value, 0, 0, 0)``. Raises OSError."""
    zero = ctypes.c_ulong(0)
    if _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")


def set_name(name: str) -> None:
    """The name of this process in lists of processes; at most 15 bytes of it are kept."""
    _libc.prctl(ctypes.c_int(PR_SET_NAME), ctypes.c_char_p(name.encode()), *[ctypes.c_ulong(0)] * 3)


def close_all_but(kept: Iterable[int]) -> None:
    """Close every descriptor of this process that is not among ``kept``."""
    low = 0
    for descriptor in sorted(set(kept)):
        if descriptor > low:
            system_call("close_range", low, descriptor - 1, 0)
        low = descriptor + 1
    system_call("close_range", low, _ALL, 0)
