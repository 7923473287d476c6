"""One connection, which is one session, from its first byte to its report.

::

    FIRST --admission--> QUEUED --slot--> ADMITTED --manifest--> PREPARING --module--> RUNNING --dead--> ANSWERING --> CLOSED
      |                                                             ^
      +---manifest---------> QUEUED --slot--------------------------+
      +---hold-------------> HOLDING
      +---compile----------> PREPARING --module or refusal--> ANSWERING --> CLOSED

A user's program can be compiled in the ADMITTED state, too, in place of a manifest.

In FIRST, and while a frame comes in pieces, a deadline runs. A hang-up (also of the caller's sending half alone) ends every
state: a compile is left to its other askers, a process is killed. The slot of the pool is given back when the process is dead,
not before.
"""

from __future__ import annotations

import enum
import errno
import os
import socket
import traceback
from typing import Protocol

from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.frames import (
    ADMITTED,
    ALIVE,
    COMPILED,
    NONE,
    REFUSED,
    VALIDATE,
    FrameError,
    FrameReader,
    HungUp,
    drop_descriptors,
    pack,
)
from zerocloud.zerovm.manifest import MAXIMUM_BYTES
from zerocloud.zerovm.report import FAILED, SKIPPED, Report
from zerocloud.zerovm.service.compiler import Unusable, Wanted
from zerocloud.zerovm.service.daemons import Birth, DaemonLost
from zerocloud.zerovm.service.family import Child
from zerocloud.zerovm.service.loop import HUNG_UP, READABLE, WRITABLE, Loop, Timer, guarded
from zerocloud.zerovm.service.modules import Compiled, Query
from zerocloud.zerovm.service.options import Options
from zerocloud.zerovm.service.outcome import Kill, Usage
from zerocloud.zerovm.service.pools import Pool, PoolFull
from zerocloud.zerovm.service.requests import (
    Admission,
    Frozen,
    Hold,
    Ping,
    Precompile,
    RequestError,
    SessionRequest,
    parse_first,
    parse_session,
)
from zerocloud.zerovm.service.sessions import SessionProcess, Workshop
from zerocloud.zerovm.states import EndState

_PADDING_BYTES = 4096
_ANSWER_SECONDS = 5.0


class State(enum.Enum):
    """Where a conversation stands; the drawing above has the ways between them."""

    FIRST = enum.auto()
    HOLDING = enum.auto()
    QUEUED = enum.auto()
    ADMITTED = enum.auto()
    PREPARING = enum.auto()
    RUNNING = enum.auto()
    ANSWERING = enum.auto()
    CLOSED = enum.auto()


class Host(Protocol):
    """What a conversation needs of the service it belongs to."""

    options: Options
    workshop: Workshop
    pools: dict[str, Pool]
    draining: bool

    def closed(self, conversation: Conversation) -> None:
        """The connection is gone."""


class Conversation:
    """See the module's text. All its methods but ``end`` and ``granted`` are callbacks of the loop."""

    def __init__(self, host: Host, connection: socket.socket) -> None:
        self._host = host
        self._loop: Loop = host.workshop.loop
        self._connection = connection
        self._reader = FrameReader(MAXIMUM_BYTES + _PADDING_BYTES, host.options.descriptors)
        self._state = State.FIRST
        self._pool: Pool | None = None
        self._job_id = ""
        self._request: SessionRequest | None = None
        self._descriptors: list[int] = []
        self._query: Query | Birth | None = None
        self._process: SessionProcess | None = None
        self._ended: Report | None = None
        self._answer = b""
        self._deadline: Timer | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._state

    def begin(self) -> None:
        """Wait for the first frame."""
        self._set_deadline("the first frame")
        self._listen()
        self._receive()  # mostly it is there already

    # What comes in

    def _listen(self) -> None:
        self._loop.watch(self._connection.fileno(), READABLE | HUNG_UP, self._readable, self)

    def _readable(self, events: int) -> None:
        if events & ~READABLE:
            self._hang_up()
        elif self._state in (State.FIRST, State.ADMITTED):
            self._receive()

    def _receive(self) -> None:
        try:
            whole = self._reader.receive(self._connection)
        except HungUp:
            self._hang_up()
        except FrameError as error:
            self._refuse(str(error))
        except OSError:
            self._hang_up()
        else:
            if whole:
                self._take_frame()
            elif self._state is State.ADMITTED and self._reader.begun and self._deadline is None:
                self._set_deadline("a frame")

    def _set_deadline(self, what: str) -> None:
        patience = self._host.options.patience
        text = f"{what} was not there, whole, within {patience:g} seconds"
        self._deadline = self._loop.after(patience, lambda: self._refuse(text), self)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _take_frame(self) -> None:
        self._clear_deadline()
        text, self._descriptors = self._reader.take()
        # From here on only a hang-up is of interest; what else the caller sends waits in the socket.
        self._loop.watch(self._connection.fileno(), HUNG_UP, self._readable, self)
        try:
            order = self._state is State.FIRST or text == VALIDATE  # after an admission that one alone, or a manifest
            first = parse_first(text, len(self._descriptors)) if order else None
            if isinstance(first, Hold) and self._host.draining:
                self._close()
            elif isinstance(first, Hold):
                self._state = State.HOLDING
            elif isinstance(first, Ping):
                self._reply(ALIVE)
                self.begin()
            elif isinstance(first, Frozen):
                self._reply(ALIVE if self._host.workshop.daemons.has(first.name) else NONE)
                self.begin()
            elif isinstance(first, Precompile):
                self._precompile(Wanted(self._descriptors[0], first.fuel, first.trusted))
            elif isinstance(first, Admission):
                self._enter(first)
            else:
                self._take_manifest(text)
        except RequestError as error:
            self._refuse(str(error))

    def _precompile(self, wanted: Wanted) -> None:
        self._state = State.PREPARING
        self._query = self._host.workshop.modules.find(wanted, self._compiled, self)

    def _compiled(self, answer: Compiled | Unusable) -> None:
        self._query = None
        if isinstance(answer, Unusable):
            self._refuse(answer.sentence)
        else:
            os.close(answer.descriptor)
            self._send(COMPILED)

    def _take_manifest(self, text: bytes) -> None:
        try:
            self._request = parse_session(text, len(self._descriptors))
        except ManifestError as error:
            self._report(Report(validator=SKIPPED, state=str(error), exit_code=error.errno))
            return
        if self._pool is None:
            self._enter(self._request.admission)
        else:
            self._prepare(self._request)

    # Admission

    def _enter(self, admission: Admission) -> None:
        pool = self._host.pools.get(admission.pool)
        if pool is None:
            self._refuse(f"Cannot find pool {admission.pool[:80]}")
            return
        self._job_id = admission.job_id
        try:
            runs = pool.enter(self, admission.job_id)
        except PoolFull as error:
            self._refuse(str(error))
            return
        self._pool, self._state = pool, State.QUEUED
        if runs:
            self.granted()

    def granted(self) -> None:
        """The pool has a slot for this session now."""
        if self._request is not None:
            self._prepare(self._request)
            return
        self._state = State.ADMITTED
        self._reply(ADMITTED)
        self._listen()

    def _leave_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for waiting in pool.leave(self):
                assert isinstance(waiting, Conversation)
                guarded(waiting, waiting.granted)

    # The session

    def _prepare(self, request: SessionRequest) -> None:
        self._state = State.PREPARING
        if request.program is None:
            self._thaw(request.daemon or "")
            return
        program = self._descriptors[request.program]
        wanted = Wanted(program, fuel=request.manifest.fuel is not None)
        self._query = self._host.workshop.modules.find(wanted, self._found, self)

    def _thaw(self, name: str) -> None:
        birth = self._host.workshop.daemons.fork(name, self._born, self)
        if birth is None:
            self._born(DaemonLost(f"daemon {name}: none of that name is running"))
        else:
            self._query = birth

    def _born(self, answer: Child | DaemonLost) -> None:
        self._query = None
        if isinstance(answer, DaemonLost):
            self._report(Report(validator=SKIPPED, state=str(answer), exit_code=errno.ENOENT))
        else:
            self._run(answer)

    def _found(self, answer: Compiled | Unusable) -> None:
        self._query = None
        if isinstance(answer, Unusable):
            state = f"{EndState.REFUSED.value}: {answer.sentence}"
            self._report(Report(validator=FAILED, state=state, exit_code=answer.errno))
        else:
            self._run(answer)

    def _run(self, source: Compiled | Child) -> None:
        assert self._request is not None
        process = SessionProcess(self._host.workshop, self._request, source, self)
        process.start(self._descriptors)
        self._process, self._state = process, State.RUNNING
        # Not drop_descriptors: the process uses these very sockets now.
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []

    def reported(self, report: Report) -> None:
        """The session is over; its process may take a moment to die."""
        self._ended = report
        if self._state is State.RUNNING:
            self._report(report)

    def buried(self, usage: Usage, fuel: int) -> None:
        """Its process is dead: now the slot is free."""
        self._process = None
        self._leave_pool()
        self._log_session(usage, fuel)

    def _log_session(self, usage: Usage, fuel: int) -> None:
        if self._request is None or self._ended is None:
            return
        manifest, report = self._request.manifest, self._ended
        job = manifest.job_id or self._job_id or "-"
        metered = f"fuel={fuel} " if manifest.fuel is not None else ""
        self._host.workshop.log.write(
            f"session job={job} node={manifest.node if manifest.node is not None else '-'} code={report.retcode} "
            f"wall={usage.wall:.3f} cpu={usage.cpu:.3f} peak={usage.peak >> 20}MiB "
            f"{metered}cdr={report.cdr.render().replace(' ', ',')} end={report.state[:200]!r}"
        )

    # What goes out

    def _reply(self, word: bytes) -> None:
        """A short answer in the middle of a conversation; a caller that does not read its answers has room for few."""
        self._connection.send(pack(word), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _report(self, report: Report) -> None:
        self._send(report.render())

    def _refuse(self, sentence: str) -> None:
        self._host.workshop.log.write(f"refused: {sentence}")
        self._send(REFUSED + b" " + sentence.encode("utf-8", "replace"))

    def _send(self, text: bytes) -> None:
        self._clear_deadline()
        self._answer, self._state = pack(text), State.ANSWERING
        self._writable(WRITABLE)
        if self._state is State.ANSWERING:  # a caller that reads slowly
            self._deadline = self._loop.after(_ANSWER_SECONDS, self._close, self)
            self._loop.watch(self._connection.fileno(), WRITABLE, self._writable, self)

    def _writable(self, _events: int) -> None:
        try:
            sent = self._connection.send(self._answer, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close()
            return
        self._answer = self._answer[sent:]
        if not self._answer:
            self._close()

    # Ends

    def _hang_up(self) -> None:
        self.end(Kill(EndState.CANCELLED, "the caller hung up"))

    def end(self, why: Kill) -> None:
        """Give up this session and its connection; a process is killed, and keeps its slot until it is dead."""
        if self._process is not None:
            self._process.kill(why)
        self._close()

    def _release(self) -> None:
        """Let go of everything but the connection and a process that is still alive."""
        self._clear_deadline()
        if self._query is not None:
            self._query.withdraw()
            self._query = None
        drop_descriptors(self._descriptors)
        self._descriptors = []
        self._reader.close()
        if self._process is None or self._process.dead:
            self._leave_pool()
        elif self._pool is not None:
            self._pool.end(self)

    def _close(self) -> None:
        if self._state is State.CLOSED:
            return
        self._state = State.CLOSED
        self._release()
        self._loop.forget(self._connection.fileno())
        self._connection.close()
        self._host.closed(self)

    def failed(self, error: Exception) -> None:
        """As an owner of callbacks: this session is over, the service is not."""
        trace = "".join(traceback.format_exception(error))
        self._host.workshop.log.write(f"a session failed inside the service: {trace}")
        if self._process is not None:
            self._process.kill(Kill(EndState.INTERNAL))
        try:
            if self._state is State.ANSWERING:
                self._close()
            elif self._state is not State.CLOSED:
                text = f"{EndState.INTERNAL.value}: the executor service failed; its log has the cause"
                self._report(Report(state=text, exit_code=errno.EIO)) if self._request else self._refuse(text)
        except Exception as again:  # noqa: BLE001 - nothing is left to do for it but to hang up
            self._host.workshop.log.write(f"and failed again while that was told: {again!r}")
            self._close()
