"""A small process outside the walls that does for the walled service what it can't do any more.

It is forked before the service walls itself in, obeys one-byte commands over a socket pair, and otherwise waits. It removes the
socket's file when the service has ended, however it ended, and it starts the service's successor, to which the listening socket
is handed, for a restart that loses no connection.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Mapping

from zerocloud.zerovm.service.kernel import close_all_but, set_name
from zerocloud.zerovm.service.listener import remove
from zerocloud.zerovm.service.log import Log
from zerocloud.zerovm.service.process import NAMES

LISTENER_VARIABLE = "ZEROVM_LISTENER"
READY_VARIABLE = "ZEROVM_READY"
_REMOVE, _SUCCEED, _DONE, _FAILED = b"R", b"S", b"1", b"0"
_IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_READY_SECONDS = 60.0
_ANSWER_SECONDS = 75.0


class Usher:
    """The service's end of it."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        channel.settimeout(_ANSWER_SECONDS)

    @classmethod
    def start(cls, path: str, file: tuple[int, int], log: Log) -> Usher:
        """Fork it, to look after the socket file ``path``."""
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                ours.close()
                _Duty(theirs, path, file, log).serve()
            finally:
                os._exit(0)
        theirs.close()
        return cls(ours)

    def fileno(self) -> int:
        """The descriptor on which the answer to :meth:`ask_successor` comes."""
        return self._channel.fileno()

    def remove_socket(self) -> None:
        """Remove the socket's file now; returns when it is done. Raises OSError."""
        self._channel.sendall(_REMOVE)
        self._channel.recv(1)

    def ask_successor(self, listener: socket.socket) -> None:
        """Have another service started on this listening socket; :meth:`answer` says what came of it. Raises OSError."""
        socket.send_fds(self._channel, [_SUCCEED], [listener.fileno()])

    def answer(self) -> bool | None:
        """Whether the successor serves now; None when the usher itself is gone."""
        word = self._channel.recv(1)
        return word == _DONE if word else None

    def close(self) -> None:
        """Let it go: it removes the socket's file, if that is still this service's, and ends."""
        self._channel.close()


class _Duty:
    """The usher's own side."""

    def __init__(self, channel: socket.socket, path: str, file: tuple[int, int], log: Log) -> None:
        self._channel, self._path, self._file, self._log = channel, path, file, log
        self._responsible = True

    def serve(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        set_name(NAMES["usher"])
        close_all_but((0, 1, 2, self._log.descriptor, self._channel.fileno()))
        while True:
            command, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
            if command == _SUCCEED:
                self._succeed(descriptors[0])
            else:
                self._remove()
                if not command:
                    return
                self._channel.sendall(_DONE)

    def _remove(self) -> None:
        if self._responsible:
            self._responsible = False
            remove(self._path, self._file)

    def _succeed(self, listener: int) -> None:
        ready, theirs = os.pipe()
        environment = {**os.environ, LISTENER_VARIABLE: str(listener), READY_VARIABLE: str(theirs)}
        try:
            started = self._spawn(environment, (listener, theirs))
            os.close(theirs)
            serves = started and bool(select.select([ready], [], [], _READY_SECONDS)[0]) and bool(os.read(ready, 1))
        finally:
            os.close(ready)
            os.close(listener)
        self._responsible = not serves
        self._channel.sendall(_DONE if serves else _FAILED)

    def _spawn(self, environment: Mapping[str, str], descriptors: tuple[int, ...]) -> bool:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, True)
        command = [sys.executable, *sys.orig_argv[1:]]
        try:
            os.posix_spawn(sys.executable, command, environment, setsid=True, setsigdef=_IGNORED)
        except OSError as error:
            self._log.write(f"the successor can't be started: {error}")
            return False
        return True
