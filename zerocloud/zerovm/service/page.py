"""The memory that a session's process shares with the service: its manifest, counters while it runs, its report at the end.

It is a sealed memfd, one a session, mapped only in the child, so what stands in it survives the child's death by any signal.
The service reads it once the child is dead. Nothing in it is trusted: it is bounded, and parsed as data.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct

COUNTER_BYTES = 4096
REPORT_BYTES = 1 << 20
TASK_BYTES = 1 << 20
_LENGTH = struct.Struct("<I")
_REPORT_AT = COUNTER_BYTES
_TASK_AT = _REPORT_AT + _LENGTH.size + REPORT_BYTES
_SIZE = _TASK_AT + _LENGTH.size + TASK_BYTES
_SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def create_page() -> int:
    """The descriptor of a new page, all zero; memory is taken only where it is written."""
    descriptor = os.memfd_create("session", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, _SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class SharedPage:
    """The child's view of its page."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, _SIZE)
        self.counters = memoryview(self._map)[:COUNTER_BYTES]

    def read_task(self) -> bytes:
        """The text that the service left for this process."""
        start = _TASK_AT + _LENGTH.size
        (length,) = _LENGTH.unpack(self._map[_TASK_AT:start])
        return self._map[start : start + min(length, TASK_BYTES)]

    def write_report(self, report: bytes) -> None:
        """Put the report there; one beyond :data:`REPORT_BYTES` is cut, and then no report any more."""
        report = report[:REPORT_BYTES]
        start = _REPORT_AT + _LENGTH.size
        self._map[start : start + len(report)] = report
        self._map[_REPORT_AT:start] = _LENGTH.pack(len(report))


def write_task(descriptor: int, text: bytes) -> None:
    """Leave a text of at most :data:`TASK_BYTES` for the process."""
    assert len(text) <= TASK_BYTES
    os.pwrite(descriptor, _LENGTH.pack(len(text)) + text, _TASK_AT)


def read_counters(descriptor: int) -> bytes:
    """The counters as the child left them."""
    return os.pread(descriptor, COUNTER_BYTES, 0)


def read_report(descriptor: int) -> bytes:
    """What the child wrote as its report; empty if it wrote none."""
    (length,) = _LENGTH.unpack(os.pread(descriptor, _LENGTH.size, _REPORT_AT))
    return os.pread(descriptor, min(length, REPORT_BYTES), _REPORT_AT + _LENGTH.size)
