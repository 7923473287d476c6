"""Starting on demand, lingering, restarting, ending, dying."""

import os
import signal
import subprocess
import threading
import time

import pytest

from zerocloud.zerovm.client import Connection, ServiceUnavailable, ensure_service
from zerocloud.zerovm.states import EndState

from .conftest import ROOT, STUB, Service, alive, children, manifest, memory_file, wait_for


@pytest.fixture
def on_demand(tmp_path, cache_directory, monkeypatch):
    """The arguments of ensure_service, and a kill of whatever it started."""
    monkeypatch.chdir(ROOT)
    path, log = str(tmp_path / "s"), str(tmp_path / "log")
    yield path, [*STUB, path, "--cache", str(cache_directory), "--linger", "0.3", "--spares", "0"], log
    for pid in serving(path):
        os.kill(pid, signal.SIGKILL)


def serving(path):
    """The processes whose command line names this socket."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if path.encode() in file.read().split(b"\0"):
                    found.append(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def hello(connection, program):
    descriptors = [memory_file(program), memory_file(b"hello"), memory_file(b"")]
    try:
        return connection.run(manifest(), descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_one_of_many_starters_wins_and_the_service_ends_when_nobody_is_left(on_demand, program):
    path, command, log = on_demand
    reports = []

    def caller():
        with ensure_service(path, command, log) as connection:
            reports.append(hello(connection, program))

    threads = [threading.Thread(target=caller) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 6
    with open(log) as file:
        assert file.read().count(" serving ") == 1
    wait_for(lambda: not serving(path), "its end after lingering")
    assert not os.path.exists(path)


def test_a_held_connection_keeps_it(on_demand, program):
    path, command, log = on_demand
    with ensure_service(path, command, log) as holder:
        holder.hold()
        time.sleep(0.8)
        with Connection.open(path) as connection:
            hello(connection, program)
    wait_for(lambda: not serving(path), "its end after lingering")


def test_after_a_crash_the_next_caller_starts_it_again(on_demand, program):
    path, command, log = on_demand
    with ensure_service(path, command, log) as connection:
        hello(connection, program)
        for pid in serving(path):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not serving(path), "its death")
        with ensure_service(path, command, log) as again:
            hello(again, program)


def test_a_service_that_can_not_start_says_why(tmp_path):
    path = str(tmp_path / "s")
    command = [*STUB, path, "--pools", "default = Nonsense(1,2)"]
    with pytest.raises(ServiceUnavailable, match=r"code 2 while starting: .*Nonsense"):
        ensure_service(path, command, str(tmp_path / "log"))
    with pytest.raises(ServiceUnavailable, match="can't be started"):
        ensure_service(path, ["/no/such/program"], str(tmp_path / "log"))


def test_a_long_socket_path(tmp_path, cache_directory, program, monkeypatch):
    monkeypatch.chdir(ROOT)
    directory = tmp_path / ("d" * 100)
    directory.mkdir()
    path = str(directory / ("s" * 50))
    command = [*STUB, path, "--cache", str(cache_directory), "--linger", "0.1", "--spares", "0"]
    with ensure_service(path, command, str(tmp_path / "log")) as connection:
        hello(connection, program)
    wait_for(lambda: not serving(path), "its end")
    assert os.listdir(directory) == ["s" * 50 + ".lock"]


def test_a_new_service_takes_a_stale_socket_over(service):
    first = service()
    first.process.kill()
    first.process.wait()
    assert service().run("hello")[1] == "hello "


def test_sigterm_lets_what_runs_end_and_removes_the_socket(service):
    running = service()
    connection, output = running.start("sleep 0.5")
    running.guest()
    running.process.send_signal(signal.SIGTERM)
    wait_for(lambda: not os.path.exists(running.path), "no new callers")
    report, text = running.finish(connection, output)
    assert (report.end, text) == (EndState.EXITED, "slept")
    assert running.process.wait(10) == 0


def test_a_second_sigterm_kills(service):
    running = service()
    _, output = running.start("spin")
    running.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "asked to end" in running.log_text(), "the first signal")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
    os.close(output)


def test_sigkill_leaves_no_child_and_no_socket(service):
    running = service()
    sessions = [running.start("spin") for _ in range(3)]
    family = wait_for(lambda: len(running.guests()) == 3 and children(running.pid), "three sessions")
    running.process.kill()
    running.process.wait()
    wait_for(lambda: not any(map(alive, family)), "the children's death", 5)
    wait_for(lambda: not os.path.exists(running.path), "the socket's removal")
    for _, output in sessions:
        os.close(output)


def test_sighup_restarts_and_loses_no_session(service, program):
    running = service()
    slow, output = running.start("sleep 1")
    failures, done = [], threading.Event()

    def caller():
        while not done.is_set():
            try:
                with Connection.open(running.path) as connection:
                    assert b"\nok\n" in hello(connection, program)
            except Exception as error:  # noqa: BLE001
                failures.append(error)

    threads = [threading.Thread(target=caller) for _ in range(2)]
    for thread in threads:
        thread.start()
    running.process.send_signal(signal.SIGHUP)
    try:
        assert running.process.wait(30) == 0
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert running.finish(slow, output)[1] == "slept"
    (successor,) = [pid for pid in serving(running.path) if f"zerovm[{pid}] serving" in running.log_text()]
    again = Service(running.path, subprocess.Popen(["true"]), running.log, program)
    assert again.run("hello")[1] == "hello "
    again.process.wait()
    os.kill(successor, signal.SIGTERM)
    wait_for(lambda: not serving(running.path), "the successor's end")
    assert not os.path.exists(running.path)


def test_a_successor_that_fails_leaves_the_old_service(service, tmp_path):
    running = service("--pools", "default = WaitPool(2,2)")
    log = running.log
    log.unlink()
    log.mkdir()  # the successor can't open its log
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert running.run("hello")[1] == "hello "
    assert running.process.poll() is None
    log.rmdir()
