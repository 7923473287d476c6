"""Sessions by fork: reports, kills, hang-ups, descriptors."""

import os
import signal
import time

import pytest

from zerocloud.zerovm.states import EndState

from .conftest import alive, seccomp, wait_for


def test_a_session_writes_and_reports(service):
    running = service()
    report, output = running.run("hello world")
    assert output == "hello world"
    assert (report.end, report.retcode, report.validator) == (EndState.EXITED, 7, report.validator)
    assert report.etags == {"/dev/stdout": "0" * 32}
    assert running.run("hello again")[0].validator == 2


def test_a_timeout_kills_and_the_counters_survive(service):
    running = service()
    started = time.monotonic()
    report, _ = running.run("spin", timeout=1)
    assert 0.9 < time.monotonic() - started < 5
    assert report.end is EndState.TIMED_OUT
    assert "1 seconds" in report.state
    assert report.cdr.writes == 5
    assert report.cdr.written_bytes > 1000
    assert report.cdr.user_time > 0.3


def test_hanging_up_kills_at_once(service):
    running = service()
    connection, output = running.start("spin")
    session = running.guest()
    connection.close()
    wait_for(lambda: not alive(session), "its death", 2)
    os.close(output)
    assert running.run("hello")[1] == "hello "
    wait_for(lambda: "cancelled" in running.log_text(), "its line in the log")


def test_half_close_is_a_hang_up(service):
    running = service()
    connection, output = running.start("spin")
    session = running.guest()
    connection._socket.shutdown(1)
    wait_for(lambda: not alive(session), "its death", 2)
    os.close(output)


def test_a_session_that_fails_inside_tells_the_log_only(service):
    running = service()
    report, _ = running.run("raise secret story")
    assert report.end is EndState.INTERNAL
    assert "secret" not in report.state
    wait_for(lambda: "ValueError: secret story" in running.log_text(), "the cause in the log")


def test_a_session_that_just_exits_is_reported(service):
    assert "code 3" in service().run("exit 3")[0].state


@pytest.mark.parametrize(
    ("number", "end", "words"),
    [
        (signal.SIGKILL, EndState.INTERNAL, "killed from outside"),
        (signal.SIGTERM, EndState.INTERNAL, "died of signal 15"),
        (signal.SIGXCPU, EndState.TIMED_OUT, "CPU time"),
        (signal.SIGALRM, EndState.TIMED_OUT, "alarm"),
    ],
)
def test_a_session_killed_from_outside_is_reported(service, number, end, words):
    running = service()
    connection, output = running.start("spin")
    session = running.guest()
    wait_for(lambda: seccomp(session) == "2", "its last wall")
    os.kill(session, number)
    report, _ = running.finish(connection, output)
    assert (report.end, words in report.state) == (end, True)


def test_a_session_holds_nothing_of_the_service(service):
    running = service()
    connection, output = running.start("sleep 5")
    _, text = running.run("descriptors")
    # three standard streams and one more null; the page, the module's image, the three files of the request; the line home
    assert sorted(text) == ["-"] * 5 + ["c"] * 4 + ["s"]
    connection.close()
    os.close(output)


def test_an_invalid_manifest_is_reported_and_a_path_refused(service):
    running = service()
    report, _ = running.run("hello", extra="Timeout=1\n")
    assert report.end is EndState.INVALID
    assert "duplicate" in report.state
    report, _ = running.run("hello", stdout="/etc/passwd")
    assert "/etc/passwd: the service takes fd:N" in report.state


def test_a_program_that_is_none_is_refused_by_the_validator(service):
    running = service()
    report, _ = running.run("hello", program=b"no module at all")
    assert (report.end, report.validator) == (EndState.REFUSED, 1)
    assert "not a valid WebAssembly module" in report.state
