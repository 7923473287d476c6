"""The process from which all others come: warm, small, and knowing nothing of any session.

The service asks it for processes over a socket pair; they become children of the service, which kills and collects them. There
are three reasons for it. After a fork each page that the forking process writes to must be copied, which would slow down the
service itself in the middle of every request. What the service has in its memory (manifests, the secrets of jobs' networks)
would otherwise be there in every session's process. And a frozen guest is another process of just this kind.
"""

from __future__ import annotations

import errno
import gc
import os
import socket
from collections.abc import Callable, Sequence

from zerocloud.zerovm.frames import FrameReader, HungUp, send_frame
from zerocloud.zerovm.service.child import be_child, rehearse
from zerocloud.zerovm.service.compiling import TRUSTED_LIMITS, CompileLimits, CompileTask, run_compile
from zerocloud.zerovm.service.family import Child, Family
from zerocloud.zerovm.service.freezing import REPLY
from zerocloud.zerovm.service.process import NAMES, fork_child, fork_sibling, kill
from zerocloud.zerovm.service.rehearsal import Rehearsal
from zerocloud.zerovm.service.tasks import Heritage, wait_for_frame

_TEXT_BYTES = 1000
_DESCRIPTORS = 8
_PATIENCE_SECONDS = 30.0
_REHEARSALS = 12
"""After about ten runs Python has made its code as it wants it; what is left to be changed then, each child has to copy."""


class Zygote:
    """The service's end of it."""

    def __init__(self, heritage: Heritage, limits: CompileLimits, family: Family) -> None:
        self._heritage, self._limits, self._family = heritage, limits, family
        self._child: Child | None = None
        self._rehearsal: Rehearsal | None = None

    def session(self, line: socket.socket, rehearsed: bool) -> int:
        """A process that waits at ``line`` for its task, perhaps after a rehearsal; its id. Raises OSError."""
        return self._ask(b"spare" if rehearsed else b"session", [line.fileno()])

    def compiler(self, task: CompileTask) -> int:
        """A process that compiles; its id. Raises OSError."""
        return self._ask(f"compile {task.digest} {int(task.fuel)} {int(task.trusted)}".encode(), [task.program, task.output])

    def rehearse_with(self, rehearsal: Rehearsal) -> None:
        """Let it rehearse, and those that are asked for with a rehearsal. Raises OSError."""
        self._rehearsal = rehearsal
        self._ask(b"rehearsal " + rehearsal.file_name.encode(), rehearsal.kept)

    def _ask(self, text: bytes, descriptors: Sequence[int]) -> int:
        """A zygote that died, or is out of step because it did not answer in time, is replaced, once for each request."""
        try:
            return self._exchange(text, descriptors)
        except (ConnectionError, TimeoutError, HungUp):
            self._replace()
        try:
            return self._exchange(text, descriptors)
        except HungUp:
            raise ChildProcessError(errno.ECHILD, "the zygote died twice over one request") from None

    def _exchange(self, text: bytes, descriptors: Sequence[int]) -> int:
        assert self._child is not None, "it has not been started"
        send_frame(self._child.line, text, descriptors)
        reply = self._child.line.recv(REPLY.size)
        if len(reply) != REPLY.size:
            raise HungUp("the zygote is gone")
        pid: int
        pid, error = REPLY.unpack(reply)
        if error:
            raise OSError(error, os.strerror(error))
        return pid

    def start(self) -> None:
        """Fork it, from a service that is walled in."""
        ours, theirs = socket.socketpair()
        heritage = self._heritage
        with theirs:
            kept = (heritage.cache, heritage.null, theirs.fileno())
            pid = fork_child(NAMES["zygote"], heritage.null, kept, lambda: _Duty(theirs, heritage, self._limits).serve())
        ours.settimeout(_PATIENCE_SECONDS)
        self._child = self._family.welcome(pid, ours)

    def _replace(self) -> None:
        self.close()
        self.start()
        if self._rehearsal is not None:
            self._exchange(b"rehearsal " + self._rehearsal.file_name.encode(), self._rehearsal.kept)

    def close(self) -> None:
        """End it."""
        if self._child is not None:
            kill(self._child.pidfd)
            self._family.bury(self._child)
            self._child = None


class _Duty:
    """The zygote's own side."""

    def __init__(self, line: socket.socket, heritage: Heritage, limits: CompileLimits) -> None:
        self._line, self._heritage, self._limits = line, heritage, limits
        self._reader = FrameReader(_TEXT_BYTES, _DESCRIPTORS)
        self._rehearsal: Rehearsal | None = None

    def serve(self) -> int:
        gc.disable()
        while True:
            try:
                wait_for_frame(self._line, self._reader)
            except HungUp:
                return 0
            text, descriptors = self._reader.take()
            pid, error = self._obey(text.decode().split(), descriptors)
            self._line.send(REPLY.pack(pid, error))

    def _obey(self, words: list[str], descriptors: list[int]) -> tuple[int, int]:
        if words[0] == "rehearsal":
            program, nvram, module = descriptors
            self._rehearsal = Rehearsal((program, nvram), words[1], module)
            for _ in range(_REHEARSALS):
                rehearse(self._heritage, self._rehearsal)
            gc.freeze()
            return 0, 0
        kept, main = self._session(words, descriptors) if words[0] != "compile" else self._compiler(words, descriptors)
        try:
            return fork_sibling(NAMES[words[0]], kept, main), 0
        except OSError as error:
            return 0, error.errno or 1
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _session(self, words: list[str], descriptors: list[int]) -> tuple[tuple[int, ...], Callable[[], int]]:
        heritage = self._heritage
        rehearsal = self._rehearsal if words[0] == "spare" else None
        kept = (heritage.cache, heritage.null, *descriptors, *(rehearsal.kept if rehearsal else ()))

        def main() -> int:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, descriptors[0]) as line:
                return be_child(line, heritage, rehearsal)

        return kept, main

    def _compiler(self, words: list[str], descriptors: list[int]) -> tuple[tuple[int, ...], Callable[[], int]]:
        program, output = descriptors
        fuel, trusted = words[2] == "1", words[3] == "1"
        task = CompileTask(program, output, words[1], fuel, TRUSTED_LIMITS if trusted else self._limits, trusted)

        def main() -> int:
            self._heritage.walls.around_compiler()
            return run_compile(task)

        return (program, output), main
