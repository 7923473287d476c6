"""Child processes of the service: how they begin, and how they end without ever coming back into somebody's loop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zerocloud.zerovm.service.kernel import PR_SET_PDEATHSIG, SIBLING, clone, close_all_but, prctl, set_name
from zerocloud.zerovm.service.outcome import Usage

BROKEN = 70
"""Exit code of a child whose own code failed."""
NAMES = {kind: f"zerovm-{kind}" for kind in ("service", "usher", "zygote", "spare", "session", "compile", "daemon")}
"""What the service's processes are called in lists of processes."""
_ORPHANED = 71
_RESET = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Ending:
    """A dead child: its wait status, and what it used."""

    status: int
    usage: Usage


def fork_child(name: str, null: int, kept: Sequence[int], main: Callable[[], int]) -> int:
    """Fork a child that runs ``main`` and exits with what it returns (:data:`BROKEN` if it raises); its process id.

    The child is called ``name``, is in a session of its own, has default signals and ``null`` as its standard streams, holds no
    other descriptors than ``kept``, and dies with its parent. Raises OSError.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _live(parent, name, kept, main, null)
    return pid


def fork_sibling(name: str, kept: Sequence[int], main: Callable[[], int]) -> int:
    """As :func:`fork_child`, but the child becomes one of this process's parent, which collects it. Raises OSError.

    For a process that was itself made so: signals and standard streams are as they must be already.
    Python's own fork can't do that, so nothing of Python's that watches forks is told; this process must have one thread.
    """
    parent = os.getppid()
    pid = clone(SIBLING)
    if pid == 0:
        _live(parent, name, kept, main)
    return pid


def split() -> int:
    """A sibling that goes on from here, as :func:`fork_sibling` makes them: its id, and 0 in it. Raises OSError.

    It still has all descriptors, and dies with the parent.
    """
    parent = os.getppid()
    pid = clone(SIBLING)
    if pid == 0:
        _die_with(parent)
        os.setsid()
    return pid


def _live(parent: int, name: str, kept: Sequence[int], main: Callable[[], int], null: int | None = None) -> None:
    """A child's whole life. ``null``: for its standard streams, where its signals and those are not as they must be yet."""
    code = BROKEN
    try:
        _die_with(parent)
        set_name(name)
        os.setsid()
        if null is not None:
            _start_afresh(null)
        close_all_but((0, 1, 2, *kept))
        code = main()
    finally:
        os._exit(code)


def _start_afresh(null: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    for standard in (0, 1, 2):
        os.dup2(null, standard, inheritable=False)


def _die_with(parent: int) -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(_ORPHANED)


def reap(pid: int, started: float) -> Ending:
    """Collect a child that is dead (or wait for it); ``started`` is the monotonic time of its fork."""
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - started
    return Ending(status, Usage(used.ru_stime, used.ru_utime, wall, used.ru_maxrss << 10))


def kill(pidfd: int) -> None:
    """SIGKILL, to that very process and no other; one that is dead already is left alone."""
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass
