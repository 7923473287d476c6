"""Programs that mean ill, from the folder ``hostile_guests``, through the service, while good sessions run beside them.

Each file says in its first lines what it does, and how it has to end: ``end`` is the state, ``code`` the exit code (0),
``says`` what the state's text must hold; ``stdin`` and ``stdout`` are what they lead to, ``timeout`` is in seconds (1).
"""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest
import wasmtime

from zerocloud.zerovm import report as reports
from zerocloud.zerovm.client import Connection
from zerocloud.zerovm.states import EndState

from .conftest import memory_file, start_services, wait_for

FOLDER = Path(__file__).parent / "hostile_guests"
FILES = sorted(FOLDER.glob("*.wat"))
MANIFEST = """Version=20130611
Program=fd:0
Timeout={timeout}
Memory=67108864,0
Channel=fd:1,/dev/stdin,0,0,1000,100000,0,0
Channel=fd:2,/dev/stdout,0,0,0,0,1000,1000000
Channel=/dev/null,/dev/stderr,0,0,0,0,1000,1000000
"""
GOOD = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\00\\10\\00\\00\\00\\10\\00\\00")
  (func (export "_start")
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"""


def session(path, program, stdin, stdout, timeout):
    """One session's report; the descriptors are closed."""
    descriptors = [memory_file(program), stdin, stdout]
    try:
        with Connection.open(path) as connection:
            return reports.parse(connection.run(MANIFEST.format(timeout=timeout).encode(), descriptors, timeout=120))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


class Neighbour:
    """Runs good sessions, one after the other, until it is told to stop."""

    def __init__(self, path):
        self.good = self.bad = 0
        self._path, self._stop = path, threading.Event()
        self._program = bytes(wasmtime.wat2wasm(GOOD))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            output = memory_file(b"")
            report = session(self._path, self._program, memory_file(b"all is well"), os.dup(output), 60)
            fine = report.end is EndState.EXITED and os.pread(output, 100, 0) == b"all is well"
            self.good, self.bad = self.good + fine, self.bad + (not fine)
            os.close(output)

    def stop(self):
        self._stop.set()
        self._thread.join()


@pytest.fixture(scope="module")
def running(tmp_path_factory, cache_directory, program):
    directory = tmp_path_factory.mktemp("hostile")
    with start_services(directory, cache_directory, program) as start:
        yield start("--pools", "default = WaitPool(4,20)", command=[sys.executable, "-m", "zerocloud.zerovm.service"])


@pytest.fixture
def neighbour(running):
    neighbour = Neighbour(running.path)
    yield neighbour
    neighbour.stop()


class Ends:
    """What a guest's standard streams lead to."""

    def __init__(self):
        self._kept = []

    def _keep(self, descriptor):
        self._kept.append(descriptor)

    def stdin(self, kind):
        if kind == "zeros":
            return os.open("/dev/zero", os.O_RDONLY)
        if kind == "silent":
            reading, writing = os.pipe()
            self._keep(writing)
            return reading
        return memory_file(b"")

    def stdout(self, kind):
        if kind == "deaf":
            reading, writing = os.pipe()
            self._keep(reading)
            return writing
        if kind == "dead":
            ours, theirs = socket.socketpair()
            ours.close()
            return theirs.detach()
        return memory_file(b"")

    def close(self):
        for descriptor in self._kept:
            os.close(descriptor)


@pytest.fixture
def ends():
    ends = Ends()
    yield ends
    ends.close()


def expectations(text):
    """The file's first lines, as pairs."""
    lines = [line.removeprefix(";; ") for line in text.splitlines() if line.startswith(";; ")]
    return [tuple(line.split(": ", 1)) for line in lines if ": " in line]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_hostile_guest_ends_as_it_must_and_harms_nobody(running, neighbour, ends, file):
    text = file.read_text()
    pairs = expectations(text)
    wanted = dict(pairs)
    program = bytes(wasmtime.wat2wasm(text))
    stdin, stdout = ends.stdin(wanted.get("stdin")), ends.stdout(wanted.get("stdout"))
    report = session(running.path, program, stdin, stdout, int(wanted.get("timeout", 1)))
    assert report.end is EndState(wanted["end"]), report.state
    for words in [value for key, value in pairs if key == "says"]:
        assert words in report.state
    assert report.retcode == int(wanted.get("code", 0))
    seen = neighbour.good
    wait_for(lambda: neighbour.good > seen + 1 or neighbour.bad, "good sessions")
    assert neighbour.bad == 0
    assert running.process.poll() is None


def test_nothing_of_them_remains(running):
    wait_for(lambda: not running.guests(), "the last one's end")
    assert "failed" not in running.log_text()
    assert len(FILES) > 25
