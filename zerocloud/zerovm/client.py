"""The caller's side of the executor service: connect, be admitted, hand over a manifest with open descriptors, get the report.

One connection carries one session. Closing it (or only its sending half) at any moment cancels: the session's process is killed
within milliseconds. Only the standard ``socket`` and ``time`` modules are used, so inside an eventlet process with patched
modules nothing here blocks the hub, and ``eventlet.Timeout`` may interrupt any call; leave the ``with`` block to cancel.

    with ensure_service(path, ["zerovm", "--serve", path, "--linger", "30"], log) as connection:
        connection.admit("default", job_id)
        report = connection.run(manifest, [program, data, output])
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType

from zerocloud.zerovm.frames import (
    ADMITTED,
    ALIVE,
    COMPILE,
    COMPILE_FUEL,
    COMPILED,
    HOLD,
    IS_FROZEN,
    NONE,
    PING,
    REFUSED,
    VALIDATE,
    FrameError,
    read_frame,
    send_frame,
    socket_address,
)

BACKGROUND = "--background"
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_LOG_TAIL_BYTES = 2000


class ServiceError(Exception):
    """Base of what can go wrong with the executor service itself, not with a session (that is in its report)."""


class ServiceUnavailable(ServiceError):
    """No service listens there, or none could be started. Nothing of the session has begun."""


class ServiceRefused(ServiceError):
    """The service answered with a refusal: its pool is full or unknown, or the request was bad. The text is its sentence."""


class ServiceLost(ServiceError):
    """The service or the connection ended, or timed out, before it answered. The session, if it had begun, is dead."""


class Connection:
    """One connection, for one session. Use it in a ``with`` block: whatever ends the block ends the session."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    @classmethod
    def open(cls, path: str, timeout: float = 5.0) -> Connection:
        """Connect within ``timeout`` seconds. Raises ServiceUnavailable."""
        with ExitStack() as held:
            try:
                connecting = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                connecting.settimeout(timeout)
                with socket_address(path) as address:
                    connecting.connect(address)
            except OSError as error:
                raise ServiceUnavailable(f"executor service at {path}: {error.strerror or error}") from error
            held.pop_all()
        return cls(connecting)

    def ping(self, timeout: float = 5.0) -> None:
        """Make sure that a living service is at the other end. Raises ServiceLost."""
        if self._exchange(PING, (), timeout) != ALIVE:
            raise ServiceLost("whoever answers there is no executor service")

    def frozen(self, name: str, timeout: float = 5.0) -> bool:
        """Whether a frozen guest of this name (its ``Job``) waits for sessions. Raises ServiceRefused, ServiceLost."""
        answer = self._exchange(IS_FROZEN + name.encode(), (), timeout)
        if answer not in (ALIVE, NONE):
            raise ServiceRefused(_sentence(answer))
        return answer == ALIVE

    def hold(self) -> None:
        """Keep a service with ``--linger`` alive for as long as this connection is open. It carries no session then."""
        self._exchange(HOLD, (), None, answered=False)

    def compile(self, program: int, fuel: bool = False, timeout: float | None = None) -> None:
        """Have the operator's own program (a descriptor) compiled, if it is not yet, without the limits for users' programs.

        It then leaves a full cache last. ``fuel``: for sessions whose instructions are counted. Raises ServiceRefused, whose
        text says why it can't be compiled, and ServiceLost.
        """
        self._compile(COMPILE_FUEL if fuel else COMPILE, program, timeout)

    def validate(self, program: int, timeout: float | None = None) -> None:
        """Have a user's program (a descriptor) validated and compiled, within the limits of such, without running it.

        After an admission it takes that slot. Raises ServiceRefused, whose text says why it can't be run, and ServiceLost.
        """
        self._compile(VALIDATE, program, timeout)

    def _compile(self, order: bytes, program: int, timeout: float | None) -> None:
        answer = self._exchange(order, [program], timeout)
        if answer != COMPILED:
            raise ServiceRefused(_sentence(answer))

    def admit(self, pool: str = "default", job_id: str = "", timeout: float | None = None) -> None:
        """Take a slot of ``pool``, waiting in its queue if need be, for at most ``timeout`` seconds (None: without limit).

        The slot is given back when the connection closes. Raises ServiceRefused, ServiceLost.
        """
        answer = self._exchange(f"Pool={pool}\nJobId={job_id}\n".encode(), (), timeout)
        if answer.strip() != ADMITTED:
            raise ServiceRefused(_sentence(answer))

    def run(self, manifest: bytes, descriptors: Sequence[int], timeout: float | None = None) -> bytes:
        """Run one session and return its report (executor contract, section 5).

        ``fd:N`` in the manifest names ``descriptors[N]``; they stay the caller's own, and may be closed once this returns.
        Without an admission before it, the session waits in the pool that the manifest names (``default``). The manifest's
        own ``Timeout`` limits the session; ``timeout`` (seconds) limits the wait for it. Raises ServiceRefused, ServiceLost.
        """
        answer = self._exchange(manifest, descriptors, timeout)
        if answer.startswith(REFUSED):
            raise ServiceRefused(_sentence(answer))
        return answer

    def _exchange(self, text: bytes, descriptors: Sequence[int], timeout: float | None, answered: bool = True) -> bytes:
        self._socket.settimeout(timeout)
        try:
            try:
                send_frame(self._socket, text, descriptors)
            except ConnectionError:
                pass  # a service that refuses may close while the request is still being sent; its sentence is there to read
            return read_frame(self._socket) if answered else b""
        except TimeoutError as error:
            raise ServiceLost(f"the executor service did not answer within {timeout} seconds") from error
        except (OSError, FrameError) as error:
            raise ServiceLost(f"the executor service is gone: {error}") from error

    def fileno(self) -> int:
        """The socket's descriptor, so that a holder can see by ``poll`` that the service is gone."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up; a session under way is killed."""
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _sentence(answer: bytes) -> str:
    return answer.removeprefix(REFUSED).decode("utf-8", "replace").strip()


def ensure_service(path: str, command: Sequence[str], log: str | None = None) -> Connection:
    """Connect to the service at ``path``; when none listens, start it with ``command`` and wait until it answers.

    ``command`` is the whole ``zerovm --serve PATH …`` line; ``--background`` is added, so that the service detaches itself and
    the started process ends when it is ready. A lock file beside the socket lets one starter win; the others wait for it.
    The service's standard error is appended to the file ``log``. Raises ServiceUnavailable.
    """
    try:
        return _open_living(path)
    except ServiceUnavailable:
        pass
    deadline = time.monotonic() + _START_SECONDS
    with _start_lock(path) as lock:
        while True:
            won = _try_lock(lock)
            try:
                return _open_living(path)
            except ServiceUnavailable:
                if time.monotonic() > deadline:
                    raise
            if won:
                _start(command, log, deadline)
                return _open_living(path)
            time.sleep(_LOOK_SECONDS)


def _open_living(path: str) -> Connection:
    """Connect, and see that it is not to a service in its last moments. Raises ServiceUnavailable."""
    connection = Connection.open(path)
    try:
        connection.ping()
    except BaseException as error:
        connection.close()
        if isinstance(error, ServiceLost):
            raise ServiceUnavailable(f"executor service at {path}: {error}") from error
        raise
    return connection


@contextmanager
def _start_lock(path: str) -> Iterator[int]:
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ServiceUnavailable(f"executor service at {path}: its lock file: {error.strerror}") from error
    try:
        yield lock
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(command: Sequence[str], log: str | None, deadline: float) -> None:
    try:
        with open(log or os.devnull, "ab") as errors:
            starter = subprocess.Popen(
                [*command, BACKGROUND], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )
    except OSError as error:
        raise ServiceUnavailable(f"executor service: {command[0]} can't be started: {error.strerror}") from error
    try:
        while starter.poll() is None and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
    finally:
        if starter.poll() is None:
            starter.kill()
        code = starter.wait()
    if code:
        raise ServiceUnavailable(f"executor service: {command[0]} ended with code {code} while starting{_tail(log)}")


def _tail(log: str | None) -> str:
    if log is None:
        return ""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1]} (more in {log})" if lines else ""
