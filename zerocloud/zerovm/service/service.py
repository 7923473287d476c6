"""The service itself: accepts connections, and holds what its conversations share."""

from __future__ import annotations

import errno
import os
import signal
import socket
import traceback

from zerocloud.zerovm.service.compiler import Unusable, Wanted
from zerocloud.zerovm.service.conversation import Conversation, State
from zerocloud.zerovm.service.listener import Listener, peer
from zerocloud.zerovm.service.loop import READABLE, Timer, guarded
from zerocloud.zerovm.service.modules import Compiled
from zerocloud.zerovm.service.options import Options
from zerocloud.zerovm.service.outcome import Kill
from zerocloud.zerovm.service.pools import make_pools
from zerocloud.zerovm.service.rehearsal import Rehearsal, program_file
from zerocloud.zerovm.service.sessions import Workshop
from zerocloud.zerovm.service.usher import Usher
from zerocloud.zerovm.states import EndState

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PAUSE_SECONDS = 0.1
_FIRST_CALLER_SECONDS = 30.0


class Service:
    """One loop, one socket, many conversations. ``callers`` are the users whose processes may connect."""

    def __init__(self, options: Options, workshop: Workshop, listener: Listener, usher: Usher, callers: frozenset[int]) -> None:
        self.options = options
        self.workshop = workshop
        self.pools = make_pools(options.pools)
        self._loop, self._log = workshop.loop, workshop.log
        self._listener: Listener | None = listener
        self._usher = usher
        self._callers = callers
        self._conversations: set[Conversation] = set()
        self._linger: Timer | None = None
        self.draining = False
        self._served = 0

    def run(self) -> None:
        """Serve until told to end, and everything begun has ended."""
        wakeup, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(theirs)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        self._loop.watch(wakeup, READABLE, lambda _: self._signalled(os.read(wakeup, 64)), self)
        self._loop.watch(self._usher.fileno(), READABLE, lambda _: self._succeeded(), self)
        self._accept_again()
        self._quiet()
        if self.options.spares:
            self._rehearse()
        self._loop.run()
        self.workshop.zygote.close()
        self._usher.close()

    def _rehearse(self) -> None:
        """Have the rehearsal compiled; from then on there are spare processes."""
        program = program_file()

        def found(answer: Compiled | Unusable) -> None:
            if isinstance(answer, Unusable):
                self._log.write(f"no spare processes: {answer.sentence}")
                return
            file_name = self.workshop.cache.file_name(answer.name)
            self.workshop.nursery.rehearse_with(Rehearsal.make(program, answer.descriptor, file_name))

        self.workshop.modules.find(Wanted(program), found, self)

    # Connections

    def _accept_again(self) -> None:
        if self._listener is not None:
            self._loop.watch(self._listener.socket.fileno(), READABLE, lambda _: self._accept(), self)

    def _accept(self) -> None:
        assert self._listener is not None
        while len(self._conversations) < self.options.connections:
            try:
                connection, _ = self._listener.socket.accept()
            except (BlockingIOError, ConnectionError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                self._log.write(f"no connection can be taken now: {error.strerror}")
                self._loop.after(_PAUSE_SECONDS, self._accept_again, self)
                break
            self._take(connection)
        self._loop.forget(self._listener.socket.fileno())

    def _take(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        pid, uid = peer(connection)
        if uid not in self._callers:
            self._log.write(f"process {pid} of user {uid} may not call, and was hung up on")
            connection.close()
            return
        if self._linger is not None:
            self._linger.cancel()
        conversation = Conversation(self, connection)
        self._conversations.add(conversation)
        guarded(conversation, conversation.begin)

    def closed(self, conversation: Conversation) -> None:
        """A conversation's connection is gone."""
        full = len(self._conversations) >= self.options.connections
        self._conversations.discard(conversation)
        if full:
            self._accept_again()
        self._served += 1
        self._quiet()

    def _quiet(self) -> None:
        if self._conversations:
            return
        if self.draining:
            self._stop_when_reaped()
        elif self.options.linger is not None:
            # Whoever started it must have the time to connect.
            seconds = self.options.linger if self._served else max(self.options.linger, _FIRST_CALLER_SECONDS)
            self._linger = self._loop.after(seconds, self._end, self)

    def _stop_when_reaped(self) -> None:
        if any(pool.running for pool in self.pools.values()):
            self._loop.after(_PAUSE_SECONDS, self._quiet, self)
        else:
            self._loop.stop()

    # Ends

    def _signalled(self, numbers: bytes) -> None:
        if signal.SIGHUP in numbers and self._listener is not None:
            self._log.write("asked to restart: starting a successor")
            self._usher.ask_successor(self._listener.socket)
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            if self.draining:
                self._kill_all()
            else:
                self._log.write("asked to end: what has begun goes on to its end")
                self._end()

    def _succeeded(self) -> None:
        serves = self._usher.answer()
        if serves is None:
            self._log.write("the usher is gone: no restart is possible, and the socket's file will stay")
            self._loop.forget(self._usher.fileno())
        elif serves:
            self._log.write("the successor serves; what has begun here goes on to its end")
            self._drain()
        else:
            self._log.write("the successor did not come up; this service goes on")

    def _end(self) -> None:
        """No new connections: the socket's name goes first, then whoever had connected before is still served."""
        try:
            self._usher.remove_socket()
        except OSError as error:
            self._log.write(f"the socket's file stays: {error.strerror}")
        if self._listener is not None:
            self._accept()
        self._drain()

    def _drain(self) -> None:
        if self._listener is not None:
            self._loop.forget(self._listener.socket.fileno())
            self._listener.socket.close()
            self._listener = None
        self.draining = True
        self.workshop.nursery.close()
        self.workshop.daemons.close()
        for conversation in tuple(self._conversations):
            if conversation.state is State.HOLDING:
                conversation.end(Kill(EndState.CANCELLED))
        self._quiet()

    def _kill_all(self) -> None:
        self._log.write("asked to end again: killing what still runs")
        for conversation in tuple(self._conversations):
            conversation.end(Kill(EndState.CANCELLED, "the executor service was stopped"))

    def failed(self, error: Exception) -> None:
        """As an owner of callbacks: say what went wrong, and go on."""
        self._log.write("the service failed: " + "".join(traceback.format_exception(error)))
