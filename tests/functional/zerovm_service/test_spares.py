"""Processes made ahead of need: they are used, replaced, walled in like the others, and gone with the service."""

import os
import signal

import pytest

from zerocloud.zerovm.states import EndState

from .attacks import ATTACKS
from .conftest import alive, children, seccomp, wait_for

SPARES = ("--spares", "2")


def household(running):
    """Usher, zygote and two spares."""
    return wait_for(lambda: len(children(running.pid)) == 4 and set(children(running.pid)), "two spares")


def test_a_spare_is_used_and_replaced(service):
    running = service(*SPARES)
    before = household(running)
    spares = sorted(before)[2:]
    report, output = running.run("pid")
    assert report.end is EndState.EXITED
    assert int(output) in spares
    assert household(running) != before


def test_more_sessions_than_spares(service):
    running = service(*SPARES)
    household(running)
    begun = [running.start("hello") for _ in range(8)]
    assert {running.finish(*one)[1] for one in begun} == {"hello "}
    household(running)


def test_what_a_spare_did_before_is_not_charged(service):
    running = service(*SPARES)
    household(running)
    report, _ = running.run("hello")
    assert report.cdr.user_time + report.cdr.system_time < 0.05
    wait_for(lambda: "session job=" in running.log_text(), "its line in the log")
    line = next(line for line in running.log_text().splitlines() if "session job=" in line)
    assert float(line.split("wall=")[1].split()[0]) < 1


def test_a_task_that_comes_during_a_rehearsal_is_done_and_charged_right(service):
    running = service("--spares", "1")
    wait_for(lambda: len(children(running.pid)) == 3, "a spare")
    for _ in range(20):  # each finds the spare gone, waiting or rehearsing
        report, output = running.run("hello")
        assert (report.end, output) == (EndState.EXITED, "hello ")
        assert report.cdr.user_time + report.cdr.system_time < 0.05


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_a_spare_is_refused_whatever_it_tries(service, attack):
    running = service(*SPARES)
    household(running)
    report, output = running.run(f"attack {attack}")
    assert output.startswith("refused") or "forbid" in report.state, report.state


def test_a_spare_holds_nothing_of_others(service):
    running = service(*SPARES)
    household(running)
    _, text = running.run("descriptors")
    # as for any session; and the rehearsal's program, configuration and module
    assert sorted(text) == ["-"] * 8 + ["c"] * 4 + ["s"]


def test_killed_spares_are_replaced(service):
    running = service(*SPARES)
    spares = sorted(household(running))[2:]
    for spare in spares:
        os.kill(spare, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, spares)), "their deaths")
    assert running.run("hello")[1] == "hello "
    household(running)


def test_a_session_whose_spare_dies_before_it_takes_it_is_passed_on(service):
    running = service("--spares", "1")
    spare = max(wait_for(lambda: len(children(running.pid)) == 3 and children(running.pid), "a spare"))
    os.kill(spare, signal.SIGSTOP)
    begun = running.start("hello")
    wait_for(lambda: len(children(running.pid)) == 4, "another, made when that one was given the session")
    os.kill(spare, signal.SIGKILL)
    report, output = running.finish(*begun)
    assert (report.end, output) == (EndState.EXITED, "hello ")
    assert f"process {spare} died before it took its session" in running.log_text()


def test_timeouts_and_hang_ups_reach_them(service):
    running = service(*SPARES)
    before = household(running)
    assert running.run("spin", timeout=1)[0].end is EndState.TIMED_OUT
    wait_for(lambda: len(household(running) - before) == 1, "a new spare")
    connection, output = running.start("spin")
    (session,) = wait_for(lambda: [pid for pid in children(running.pid) if sealed(pid)], "a session")
    connection.close()
    os.close(output)
    wait_for(lambda: not alive(session), "its death", 2)
    household(running)


def sealed(pid):
    try:
        return seccomp(pid) == "2"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_they_go_with_the_service(service, number):
    running = service(*SPARES)
    family = household(running)
    running.process.send_signal(number)
    running.process.wait(20)
    wait_for(lambda: not any(map(alive, family)), "the end of all of them")
