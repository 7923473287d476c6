"""In a session's process: freeze its guest, and be asked for sessions that go on from there (executor contract, section 6).

When the guest calls ``zerovm.fork``, the process splits. The session goes on with the answer 1 and ends like any other; its
twin, the *daemon*, keeps the guest's memory as it is at this moment, lets go of the session's streams, and waits. For each
session asked of it, it splits again: the new process takes the session's channels for the old ones, puts the stricter walls up,
and only there the guest's call returns, with the answer 0.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import socket
import stat
import struct
import traceback
from dataclasses import dataclass

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.endings import observe
from zerocloud.zerovm.errors import ExecutorError
from zerocloud.zerovm.frames import FrameReader, HungUp
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.service.kernel import set_name
from zerocloud.zerovm.service.page import SharedPage
from zerocloud.zerovm.service.process import BROKEN, NAMES, split
from zerocloud.zerovm.service.tasks import Heritage, Task, lift_cpu_limit, limit, make_task, receive, wait_for_frame
from zerocloud.zerovm.session import Session, failure_report
from zerocloud.zerovm.sources import DescriptorSource
from zerocloud.zerovm.states import EndState

REPLY = struct.Struct("<ii")
"""What a process that makes processes answers: the new one's id and 0, or 0 and an errno."""
FROZEN = b"F"
TWIN = struct.Struct("<i")
"""What a session says when it has a twin: :data:`FROZEN`, then its id."""
FORK = b"fork"
"""What is asked of a daemon; a line for the new process comes with it."""

_REQUEST_BYTES = 16
_HUGE_PAGE = 2 << 20
_MADV_COLLAPSE = 25
_libc = ctypes.CDLL(None)


@dataclass
class Station:
    """Where this process reports; a thawed session has another."""

    page: SharedPage
    line: socket.socket


class Freezer:
    """Answers the guest's call of ``zerovm.fork``."""

    def __init__(self, station: Station, task: Task, heritage: Heritage) -> None:
        self._station, self._task, self._heritage = station, task, heritage
        self._used = False

    def __call__(self, session: Session) -> int:
        """1 in the session that calls, -1 if it can't be frozen or was before; 0 in each session that goes on from here."""
        if self._used:
            return -1
        self._used = True
        try:
            pid = split()
        except OSError:  # this host has no room for another process
            return -1
        if pid:
            self._station.line.send(FROZEN + TWIN.pack(pid))
            return 1
        self._wait(session)
        return 0

    def _wait(self, session: Session) -> None:
        """Be the daemon; returns only in the processes of its sessions."""
        set_name(NAMES["daemon"])
        lift_cpu_limit()
        self._let_go()
        _make_huge(session)
        gc.collect()
        gc.freeze()
        reader = FrameReader(_REQUEST_BYTES, 1)
        while True:
            try:
                wait_for_frame(self._station.line, reader)
            except HungUp:
                os._exit(0)
            _, (line,) = reader.take()
            try:
                pid, error = split(), 0
            except OSError as failure:
                pid, error = -1, failure.errno or 1
            if pid == 0:
                self._become(session, line)
                return
            os.close(line)
            self._station.line.send(REPLY.pack(max(0, pid), error))

    def _let_go(self) -> None:
        """Of all descriptors of the session but the files that it only reads: images are read in place for as long as it lives.

        Their numbers stay taken, by the null device.
        """
        null = self._heritage.null
        kept = {number for channel in self._task.request.manifest.channels for number in _read_only(channel)}
        for number, descriptor in enumerate(self._task.descriptors):
            if descriptor != null and not (number in kept and stat.S_ISREG(os.fstat(descriptor).st_mode)):
                os.dup2(null, descriptor, inheritable=False)

    def _become(self, session: Session, line: int) -> None:
        """Be another session's process. What goes wrong must not reach the guest, for which an error is an answer."""
        self._station.line.close()
        # All three are told, or Python would ask the kernel, which the walls forbid.
        self._station.line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, line)
        try:
            self._thaw(session)
        except HungUp:  # its caller is gone already
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the edge of this process: the service logs the cause
            self._station.page.write_report(traceback.format_exc().encode("utf-8", "replace"))
            os._exit(BROKEN)

    def _thaw(self, session: Session) -> None:
        self._station.page, descriptors, file_name = receive(self._station.line)
        set_name(NAMES["session"])
        task = make_task(self._station.page, descriptors, file_name, self._heritage.null)
        limit(task)
        self._heritage.walls.seal()
        report = _adoption(session, task)
        if report.end is not EndState.EXITED:
            task.page.write_report(report.render())
            os._exit(0)


def _adoption(session: Session, task: Task) -> Report:
    """Have the guest go on as another session; how that ended, in the words of a session that begins."""

    def adopt() -> int:
        session.adopt(task.request.manifest, task.descriptors, Counters(task.page.counters))
        return 0

    try:
        ending = observe(adopt)
    except ExecutorError as error:
        return failure_report(error)
    return Report(state=ending.text, exit_code=ending.exit_code)


def _read_only(channel: ChannelLine) -> tuple[int, ...]:
    if channel.writable:
        return ()
    return tuple(source.number for source in channel.sources if isinstance(source, DescriptorSource))


def _make_huge(session: Session) -> None:
    """Have the guest's memory in huge pages, as far as there are any, so that a fork has little to copy."""
    view = session.memory
    if len(view) < _HUGE_PAGE:
        return
    start = ctypes.addressof(ctypes.c_char.from_buffer(view))
    # One at a time: where the memory is still that of the module's file, there are none.
    for address in range(-(-start // _HUGE_PAGE) * _HUGE_PAGE, start + len(view) - _HUGE_PAGE + 1, _HUGE_PAGE):
        for advice in (mmap.MADV_HUGEPAGE, _MADV_COLLAPSE):
            _libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(_HUGE_PAGE), ctypes.c_int(advice))
