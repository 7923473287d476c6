"""A service process for each test that asks for one, and sessions through it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import wasmtime

from zerocloud.zerovm import report as reports
from zerocloud.zerovm.client import Connection, ServiceUnavailable

ROOT = Path(__file__).resolve().parents[3]
STUB = [sys.executable, "-m", "tests.functional.zerovm_service.stub"]
WAIT_SECONDS = 30
EMPTY_PROGRAM = '(module (memory (export "memory") 1) (func (export "_start")))'


def wait_for(condition, what, seconds=WAIT_SECONDS):
    """The first true value of ``condition()``."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def alive(pid):
    """Whether this process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def seccomp(pid):
    """What a process's status tells of seccomp: 2 is a filter."""
    with open(f"/proc/{pid}/status") as status:
        return next(line for line in status if line.startswith("Seccomp:")).split()[1]


def children(pid):
    """The direct children of a process, zombies included."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == pid:
                found.append(int(entry))
    return found


def name(pid):
    """What a process is called; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def memory_file(data):
    """A descriptor of an unnamed file with these bytes."""
    descriptor = os.memfd_create("test")
    os.write(descriptor, data)
    return descriptor


def manifest(timeout=30, stdout="fd:2", extra=""):
    """A manifest whose program, stdin and stdout are descriptors 0, 1, 2."""
    return (
        f"Version=20130611\nProgram=fd:0\nTimeout={timeout}\nMemory=67108864,0\n"
        "Channel=fd:1,/dev/stdin,0,0,100,1000000,0,0\n"
        f"Channel={stdout},/dev/stdout,0,0,0,0,100,1000000\n"
        f"Channel=/dev/null,/dev/stderr,0,0,0,0,100,1000000\n{extra}"
    ).encode()


@dataclass
class Service:
    """A running service."""

    path: str
    process: subprocess.Popen
    log: Path
    program: bytes
    opened: list = field(default_factory=list)
    household: frozenset = frozenset()

    @property
    def pid(self):
        return self.process.pid

    def guests(self):
        """The processes of its sessions, compiles and spares."""
        return set(children(self.pid)) - self.household

    def guest(self):
        """The process of its one session, once it is there."""
        (found,) = wait_for(self.guests, "the session's process")
        return found

    def connect(self):
        connection = Connection.open(self.path)
        self.opened.append(connection)
        return connection

    def start(self, word, program=None, connection=None, **options):
        """Send a session off; the connection on which its report will come, and what it writes to."""
        from zerocloud.zerovm.frames import send_frame

        connection = connection or self.connect()
        descriptors = [memory_file(program or self.program), memory_file(word.encode()), memory_file(b"")]
        try:
            connection._socket.settimeout(WAIT_SECONDS)
            send_frame(connection._socket, manifest(**options), descriptors)
        finally:
            os.close(descriptors[0])
            os.close(descriptors[1])
        return connection, descriptors[2]

    def finish(self, connection, output):
        """The report of a session sent off, and its output."""
        from zerocloud.zerovm.frames import read_frame

        try:
            text = read_frame(connection._socket)
            return (reports.parse(text) if not text.startswith(b"refused") else text.decode()), os.pread(
                output, 100000, 0
            ).decode()
        finally:
            os.close(output)
            connection.close()

    def run(self, word, **options):
        """One session, from start to end."""
        return self.finish(*self.start(word, **options))

    def log_text(self):
        return self.log.read_text() if self.log.exists() else ""

    def stop(self):
        for connection in self.opened:
            connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise


@pytest.fixture(scope="session")
def cache_directory(tmp_path_factory):
    """One cache for all tests that don't care."""
    directory = tmp_path_factory.mktemp("cache")
    directory.parent.chmod(0o711)
    return directory / "modules"


@pytest.fixture(scope="session")
def program():
    return bytes(wasmtime.wat2wasm(EMPTY_PROGRAM))


@pytest.fixture
def service(tmp_path, cache_directory, program):
    """Start a service with these options; stopped, and its log shown, at the end."""
    with start_services(tmp_path, cache_directory, program) as start:
        yield start


@contextmanager
def start_services(directory, cache_directory, program):
    """What starts a service in this directory, as often as it is called."""
    services = []

    def start(*options, command=None, cache=None):
        path = str(directory / "s")
        log = directory / f"log{len(services)}"
        spares = () if "--spares" in options else ("--spares", "0")
        arguments = [*(command or STUB), path, "--cache", str(cache or cache_directory), "--log", str(log), *spares, *options]
        process = subprocess.Popen(arguments, cwd=ROOT)
        started = Service(path, process, log, program)
        services.append(started)

        def answers():
            assert process.poll() is None, f"the service ended: {started.log_text()}"
            try:
                Connection.open(path).close()
            except ServiceUnavailable:
                return False
            return f"zerovm[{process.pid}] serving" in started.log_text()

        wait_for(answers, "the service answers")
        if spares:
            started.household = frozenset(children(process.pid))  # usher and zygote
            assert len(started.household) == 2
        return started

    yield start
    try:
        for started in services:
            started.stop()
    finally:
        for started in services:
            print(f"--- log of {started.pid}\n{started.log_text()}")
