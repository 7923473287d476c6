"""seccomp: the system calls that a session's process may still make, once its guest is about to run.

An allow-list. Calls that Python and C make in passing, and that can be refused without harm, get an errno; whatever else is
called kills the process. Memory can't be made executable any more: all code is there.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from zerocloud.zerovm.service.kernel import MACHINE, SIBLING, system_call

# Name: number on x86_64, on aarch64 (None where that machine has no such call).
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # open descriptors
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "newfstatat": (262, 79),  # how the C library says fstat; by path it finds an empty root
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "close": (3, 57),
    "dup": (32, 23),
    "fcntl": (72, 25),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "recvfrom": (45, 207),
    "sendto": (44, 206),
    "shutdown": (48, 210),
    # memory
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    # signals and locks of its own
    "futex": (202, 98),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "sched_yield": (24, 124),
    # time, chance, itself
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "times": (100, 153),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_TO_FREEZE: dict[str, tuple[int | None, int | None]] = {
    # what a frozen guest's process does beside: be asked for sessions, make and prepare their processes
    "recvmsg": (47, 212),
    "getppid": (110, 173),
    "setsid": (112, 157),
    "dup3": (292, 24),
    "close_range": (436, 436),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "seccomp": (317, 277),
}
_CLONE = (56, 220)
_WITHOUT_EXECUTION: dict[str, tuple[int | None, int | None]] = {"mmap": (9, 222), "mprotect": (10, 226)}
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None),
    "openat": (257, 56),
    "stat": (4, None),
    "lstat": (6, None),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "sched_getaffinity": (204, 123),
    "membarrier": (324, 283),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getsockname": (51, 204),
    "getpeername": (52, 205),
}
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _FIRST_ARGUMENT_OFFSET, _PROTECTION_OFFSET = 0, 4, 16, 16 + 8 * 2
_PROT_EXEC = 4
_SET_MODE_FILTER = 1


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def assemble(freezable: bool = False) -> bytes | None:
    """The filter as classic BPF; None on a machine whose calls are not known here.

    ``freezable``: for a session whose guest may be frozen, until each thawed one puts the other filter on top.
    """
    if MACHINE not in _ARCHITECTURES:
        return None
    architecture, column = _ARCHITECTURES[MACHINE]
    program = [
        _instruction(_LOAD, _ARCHITECTURE_OFFSET),
        _instruction(_EQUAL, architecture, if_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER_OFFSET),
        _instruction(_AT_LEAST, _X32, if_false=1),
        _instruction(_RETURN, _KILL),
    ]
    tables = {**_ALLOWED, **_TO_FREEZE} if freezable else _ALLOWED
    allowed = [numbers[column] for numbers in tables.values() if numbers[column] is not None]
    refused = [numbers[column] for numbers in _REFUSED.values() if numbers[column] is not None]
    no_execution = [
        _instruction(_LOAD, _PROTECTION_OFFSET),
        _instruction(_ANY_BIT, _PROT_EXEC, if_false=1),
        _instruction(_RETURN, _ERRNO | errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    ]
    for numbers in _WITHOUT_EXECUTION.values():
        program += _matching([numbers[column]], no_execution)
    if freezable:
        program += _matching([_CLONE[column]], _only_siblings())
    program += _matching(allowed, [_instruction(_RETURN, _ALLOW)])
    program += _matching(refused, [_instruction(_RETURN, _ERRNO | errno.EACCES)])
    program.append(_instruction(_RETURN, _KILL))
    return b"".join(program)


def _only_siblings() -> list[bytes]:
    """A fork that makes a sibling, and no other ``clone``."""
    return [
        _instruction(_LOAD, _FIRST_ARGUMENT_OFFSET),
        _instruction(_EQUAL, SIBLING, if_true=1),
        _instruction(_RETURN, _KILL),
        _instruction(_RETURN, _ALLOW),
    ]


def _matching(numbers: Sequence[int | None], answer: Sequence[bytes]) -> list[bytes]:
    """One jump to ``answer`` for each number, and past it for all others."""
    last = len(numbers) - 1
    jumps = [
        _instruction(_EQUAL, number or 0, if_true=last - place, if_false=len(answer) if place == last else 0)
        for place, number in enumerate(numbers)
    ]
    return [*jumps, *answer]


@dataclass(frozen=True)
class Filter:
    """An assembled filter, ready to be loaded; it owns the memory that the kernel reads then."""

    _program: ctypes.Array[ctypes.c_char]
    _header: ctypes.Array[ctypes.c_char]

    @classmethod
    def make(cls, freezable: bool = False) -> Filter | None:
        """The filter of this machine, if it is known."""
        code = assemble(freezable)
        if code is None:
            return None
        program = ctypes.create_string_buffer(code, len(code))
        return cls(program, ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(program))))

    def load(self) -> None:
        """Put this process behind it, for good. It must have renounced new privileges. Raises OSError."""
        system_call("seccomp", _SET_MODE_FILTER, 0, self._header)
