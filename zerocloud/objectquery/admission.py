"""The way to the executor service: started when it is needed, kept for as long as this process lives, entered by admission."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from swift.common.concurrency import Semaphore, Timeout, tpool

from zerocloud.objectquery.checks import Head
from zerocloud.objectquery.hangup import hung_up
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.settings import Settings
from zerocloud.zerovm.client import Connection, ServiceError, ServiceLost, ServiceRefused, ServiceUnavailable, ensure_service


class ExecutorService:
    """The executor service of this host, as one process of a Swift server sees it."""

    def __init__(self, settings: Settings, logger: Any) -> None:
        self._settings = settings
        self._logger = logger
        self._starting = Semaphore(1)
        self._held: Connection | None = None

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection without a slot, for work of the server's own. Raises :class:`Refusal` (503) when there is no service."""
        with self._connect() as connection:
            self._hold()
            yield connection

    def answers(self) -> bool:
        """Whether the service answers within some seconds: one that hangs keeps its connections."""
        try:
            with Connection.open(self._settings.socket) as connection:
                connection.ping()
        except ServiceError:
            return False
        return True

    @contextmanager
    def alone(self, work: str) -> Iterator[bool]:
        """Whether no other process that uses this service is at this work; if so, none will be inside the block.

        The lock is a file beside the service's socket. Raises OSError.
        """
        lock = os.open(f"{self._settings.socket}.{work}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(lock)

    @contextmanager
    def admitted(self, head: Head) -> Iterator[Connection]:
        """A slot of the request's pool: a connection that is ready for the manifest, and ends its session when it closes.

        Waits in the pool's queue for at most the request's patience and timeout. Raises :class:`Refusal` (503) when there is no
        slot, or no service.
        """
        with ExitStack() as held:
            try:
                connection = self._slot(head, held)
            except ServiceLost:  # it had died, and had not been missed: nothing has begun, and there is another one now
                held.close()
                connection = self._slot_or_refusal(head, held)
            yield connection

    def _slot_or_refusal(self, head: Head, held: ExitStack) -> Connection:
        try:
            return self._slot(head, held)
        except ServiceLost as error:
            raise Refusal(503, f"The executor service failed before the session began: {error}") from error

    def _slot(self, head: Head, held: ExitStack) -> Connection:
        """A connection with a slot, which ``held`` closes. Raises :class:`Refusal` (503), ServiceLost."""
        connection = held.enter_context(self._connect())
        self._hold()
        patience = min(head.timeout, head.patience)
        try:
            with Timeout(patience) as waiting:
                connection.admit(head.pool, head.job)
        except ServiceRefused as refused:
            raise Refusal(503, _slot_text(str(refused))) from None
        except Timeout as expired:
            if expired is not waiting:
                raise
            raise Refusal(503, f"Slot not available: none came free within {patience:g} seconds") from None
        return connection

    def _connect(self) -> Connection:
        try:
            return Connection.open(self._settings.socket)
        except ServiceUnavailable:
            pass
        with self._starting:  # one of this process's requests starts it, the others wait here
            try:
                return Connection.open(self._settings.socket)
            except ServiceUnavailable:
                pass
            try:
                self._start()
                return Connection.open(self._settings.socket)
            except ServiceError as error:
                self._logger.error("executor service: %s", error)
                raise Refusal(503, "The executor service can't be started on this server") from error

    def _start(self) -> None:
        """Start the service in a thread of its own, for starting waits."""
        command = service_command(self._settings)
        self._logger.info("executor service: starting %s", " ".join(command))
        tpool.execute(lambda: ensure_service(self._settings.socket, command, self._settings.service_log).close())

    def _hold(self) -> None:
        """Have one connection open for as long as this process lives, so that the service lives too."""
        if self._held is not None and not hung_up(self._held.fileno()):
            return
        earlier, self._held = self._held, None
        if earlier is not None:
            earlier.close()
        try:
            with ExitStack() as stack:
                held = stack.enter_context(Connection.open(self._settings.socket))
                held.hold()
                if self._held is None:  # no other request was faster
                    stack.pop_all()
                    self._held = held
        except ServiceError:
            pass  # gone again: who needs it next will see


def service_command(settings: Settings) -> list[str]:
    """The command line that starts the service."""
    command = [*settings.executor, "--serve", settings.socket, "--pools", settings.pools, "--linger", f"{settings.linger:g}"]
    if settings.cache:
        command += ["--cache", settings.cache]
    return [*command, "--program-bytes", str(settings.max_executable), *settings.service_options]


def _slot_text(sentence: str) -> str:
    return sentence if sentence.startswith("Slot not available") else f"Slot not available: {sentence}"
