"""Hundreds of sessions of every kind of end: nothing grows. And failures inside the service itself hurt one session only."""

import os
import random
import signal
import sys
import threading
from pathlib import Path

import wasmtime

from zerocloud.zerovm.states import EndState

from .conftest import alive, children, wait_for

SESSIONS = 300


def resident(pid):
    """Resident kibibytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def footprint(running, directories):
    """Descriptors (where they can be seen), children, threads and files."""
    held = len(os.listdir(f"/proc/{running.pid}/fd")) if os.geteuid() == 0 else 0
    threads = len(os.listdir(f"/proc/{running.pid}/task"))
    return held, len(children(running.pid)), threads, [sorted(os.listdir(directory)) for directory in directories]


def one_session(running, chance):
    """A session of some kind; whether it ended as it should."""
    kind = chance.random()
    if kind < 0.6:
        return running.run("hello")[1] == "hello "
    if kind < 0.7:
        return running.run("exit 9")[0].end is EndState.INTERNAL
    if kind < 0.75:
        return running.run("attack execute_directly")[0].end is EndState.INTERNAL
    if kind < 0.8:
        return running.run("raise x")[0].end is EndState.INTERNAL
    if kind < 0.85:
        return running.run("hello", extra="Timeout=3\n")[0].end is EndState.INVALID
    if kind < 0.98:
        connection, output = running.start("spin")
        connection.close()
        os.close(output)
        return True
    return running.run("spin", timeout=1)[0].end is EndState.TIMED_OUT


def test_nothing_grows(service, tmp_path, cache_directory):
    running = service("--pools", "default = WaitPool(3,100)")
    directories = [tmp_path, *([cache_directory] if os.geteuid() == 0 else [])]
    for _ in range(50):
        running.run("hello")
    wait_for(lambda: not running.guests(), "their deaths")
    before, memory = footprint(running, directories), resident(running.pid)
    wrong = []

    def caller(seed):
        chance = random.Random(seed)
        for _ in range(SESSIONS // 2):
            if not one_session(running, chance):
                wrong.append(seed)

    callers = [threading.Thread(target=caller, args=(seed,)) for seed in (1, 2)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert wrong == []
    running.opened.clear()
    wait_for(lambda: not running.guests(), "their deaths")
    assert footprint(running, directories) == before
    assert resident(running.pid) - memory < 2048


FAILING = """
import sys
from zerocloud.zerovm.service import server, sessions
from tests.functional.zerovm_service.stub import run
real = sessions.{name}
calls = []
def failing(*arguments):
    calls.append(1)
    if len(calls) % 2:
        raise OSError(5, "made to fail")
    return real(*arguments)
sessions.{name} = failing
sys.exit(server.serve(sys.argv[1:], run))
"""


def check_that_only_one_fails(service, name):
    running = service("--pools", "default = WaitPool(1,0)", command=[sys.executable, "-c", FAILING.format(name=name)])
    for _ in range(3):
        report, _ = running.run("hello")
        assert report.end is EndState.INTERNAL
        assert "made to fail" not in report.state
        wait_for(lambda: running.run("hello")[1] == "hello ", "the slot is free and sessions run")
    assert "made to fail" in running.log_text()
    wait_for(lambda: not running.guests(), "nobody but usher and zygote")


def test_a_failure_before_the_fork_ends_that_session_only(service):
    check_that_only_one_fails(service, "create_page")


def test_a_failure_to_hand_over_ends_that_session_only(service):
    check_that_only_one_fails(service, "send_frame")


def test_a_failure_after_the_end_ends_that_session_only(service):
    check_that_only_one_fails(service, "read_report")


def test_a_killed_usher_is_told_of_and_a_killed_zygote_replaced(service):
    running = service()
    usher, zygote = sorted(running.household)
    os.kill(usher, signal.SIGKILL)
    wait_for(lambda: "the usher is gone" in running.log_text(), "a line in the log")
    assert running.run("hello")[1] == "hello "
    os.kill(zygote, signal.SIGKILL)
    wait_for(lambda: not alive(zygote), "its death")
    assert running.run("hello")[1] == "hello "
    assert running.run("hello")[1] == "hello "


DYING = """
import os, sys
from zerocloud.zerovm.service import server, zygote
from tests.functional.zerovm_service.stub import run
zygote._Duty._compiler = lambda *arguments: os._exit(1)
sys.exit(server.serve(sys.argv[1:], run))
"""


def test_a_zygote_that_dies_over_and_over_leaves_nobody_waiting(service):
    running = service(command=[sys.executable, "-c", DYING])
    program = bytes(wasmtime.wat2wasm('(module (func (export "_start") (drop (i32.const 74123))))'))
    for _ in range(2):
        report, _ = running.run("hello", program=program)
        assert (report.end, "can't be started" in report.state) == (EndState.REFUSED, True)
