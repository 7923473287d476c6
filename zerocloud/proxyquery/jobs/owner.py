"""Tells whether the process that runs a job is still there, as far as this host can know."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

OWNER = re.compile(r"([0-9a-f]{12})-([0-9]{1,9})-([0-9]{1,19})")
"""The host (its boot, and its name space of processes), the process's number there, and when it was started."""

START_TIME = 19
"""Which of the fields after the name in ``/proc/PID/stat`` says when the process was started (proc(5): field 22)."""


def this_process() -> str:
    """The name of this process among all that ever were."""
    return f"{_host()}-{os.getpid()}-{_start_time(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether the process is known to have ended: it was one of this host's, and is no more."""
    named = OWNER.fullmatch(owner)
    if named is None or named[1] != _host():
        return False
    return _start_time(int(named[2])) != named[3]


def _host() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return sha256(f"{boot} {os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:12]


def _start_time(process: int) -> str | None:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[START_TIME]
