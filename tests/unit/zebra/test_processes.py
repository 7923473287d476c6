from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zerocloud.zebra import processes
from zerocloud.zebra.processes import Process

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[subprocess.Popen[bytes]] = []

    def run(code: str, *arguments: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        return child

    yield run
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


SLEEP = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def test_a_process_and_its_end(start: Start) -> None:
    child = start(SLEEP)
    process = Process.called(child.pid)
    assert process.alive
    assert 0 <= process.age < 60
    assert (process.memory or 0) > 1 << 20
    assert not process.wait(0.01)
    process.signal(signal.SIGKILL)
    assert process.wait(10)
    # Dead, though nobody has fetched its status yet.
    assert Path(f"/proc/{child.pid}").exists()
    assert not process.alive
    child.wait()
    assert process.wait(0)
    assert process.memory is None
    process.signal(signal.SIGKILL)


def test_an_id_that_was_given_away_again_is_another_process(start: Start) -> None:
    child = start(SLEEP)
    real = Process.called(child.pid)
    earlier = Process(real.pid, real.started - 1)
    assert not earlier.alive
    earlier.signal(signal.SIGKILL)
    assert earlier.wait(0)
    assert real.alive


def test_nobody_has_that_id() -> None:
    with pytest.raises(ProcessLookupError):
        Process.called(2**22 + 1)


def test_gently_then_firmly(start: Start) -> None:
    gentle, stubborn = (Process.called(start(code).pid) for code in (SLEEP, STUBBORN))
    assert processes.end([gentle, stubborn], gently=0.2) == []
    assert not gentle.alive
    assert not stubborn.alive


def test_found_by_a_whole_word_of_the_command_line(start: Start, tmp_path: Path) -> None:
    word = str(tmp_path / "socket")
    found, other = start(SLEEP, "--serve", word), start(SLEEP, "--serve", f"{word}.lock")
    assert [process.pid for process in processes.with_arguments({word})] == [found.pid]
    assert processes.with_arguments(()) == []
    assert other.pid != os.getpid()


PARENT = """
import os, sys, time
from zerocloud.zebra import processes
parent = os.getpid()
child = os.fork()
if child == 0:
    processes.die_with(parent)
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


def test_children_die_with_their_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = Process.called(int(parent.stdout.readline()))
        assert child.alive
        parent.kill()
    assert child.wait(10)


def test_a_child_whose_parent_has_gone_already_ends() -> None:
    code = "from zerocloud.zebra import processes; processes.die_with(1 << 21); print('still here')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""


def test_waiting_for_many_has_one_deadline(start: Start) -> None:
    both = [Process.called(start(SLEEP).pid) for _ in range(2)]
    began = time.monotonic()
    assert processes.wait_all(both, 0.2) == both
    assert time.monotonic() - began < 5
