"""Runs ``zerovm`` on a written session and passes the guest's output through as it comes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

from zerocloud.zvsh.workplace import Workplace

_PIECE = 1 << 16


@dataclass(frozen=True)
class Result:
    """What came of it: zerovm's exit code and report, and whether somebody pressed Ctrl-C."""

    code: int
    report: bytes
    interrupted: bool


def run_zerovm(workplace: Workplace, options: Sequence[str]) -> Result:
    """Run the session to its end, its output to this process's own. Raises OSError."""
    interrupts: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)

    before = signal.signal(signal.SIGINT, note)  # zerovm gets it from the terminal as well, and ends its guest
    pumps = [_Pump(workplace.stdout, 1), _Pump(workplace.stderr, 2)]
    try:
        command = [sys.executable, "-m", "zerocloud.zerovm.command", "-PQ", *options, str(workplace.manifest)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            earlier = signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
            report = _pass_through(process, pumps)
        signal.signal(signal.SIGTERM, earlier)
    finally:
        for pump in pumps:
            pump.close()
        signal.signal(signal.SIGINT, before)
    return Result(process.returncode, report, bool(interrupts))


def _pass_through(process: subprocess.Popen[bytes], pumps: Sequence[_Pump]) -> bytes:
    """Copy until zerovm is done: its report, which comes last, is read to the end."""
    assert process.stdout is not None
    reports = process.stdout.fileno()
    poll = select.poll()
    poll.register(reports, select.POLLIN)
    by_descriptor = {pump.source: pump for pump in pumps}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    report = b""
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != reports:
                if not by_descriptor[descriptor].move():
                    poll.unregister(descriptor)
                continue
            piece = os.read(reports, _PIECE)
            if not piece:
                for pump in pumps:
                    while pump.move():
                        pass
                return report
            report += piece


class _Pump:
    """From a FIFO to one of this process's streams. When nobody reads that any more, the FIFO is closed, and the guest told
    so."""

    def __init__(self, fifo: os.PathLike[str], target: int) -> None:
        self.source = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._target = target
        self._open = True

    def move(self) -> bool:
        """Copy what is there; False at the end, or if nothing is there."""
        try:
            data = os.read(self.source, _PIECE) if self._open else b""
        except BlockingIOError:
            return False
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._target, view) :]
        except BrokenPipeError:
            self.close()
            return False
        return bool(data)

    def close(self) -> None:
        """Close the FIFO's end."""
        if self._open:
            os.close(self.source)
            self._open = False
