"""The walls, attacked: all of them as a session meets them, and those below seccomp alone, as root and without rights."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from zerocloud.zerovm.service import landlock, selfcheck, walls
from zerocloud.zerovm.states import EndState

from . import attacks
from .attacks import ATTACKS, ONLY_SECCOMP
from .conftest import ROOT, alive, children, start_services, wait_for

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to begin with")


@pytest.fixture(scope="module")
def standing():
    """What this kernel offers."""
    return {wall.wall: wall.stands for wall in selfcheck.probe(NOBODY if os.geteuid() == 0 else None)}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_a_session_is_refused_whatever_it_tries(service, attack, standing):
    if not standing[walls.CALLS]:
        pytest.skip("no seccomp here")
    report, output = service().run(f"attack {attack}")
    assert "succeeded" not in output
    assert output.startswith("refused") or "forbid" in report.state, report.state


def enclosed(attack, tmp_path, as_user=None):
    """Try an attack in a child behind all walls but seccomp: what came of it, in words."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(writable, 1)
            _try(attack, tmp_path, as_user)
        finally:
            os._exit(1)
    os.close(writable)
    with open(readable) as answer:
        text = answer.read()
    _, status = os.waitpid(pid, 0)
    return text or f"died: {status}"


def _try(attack, tmp_path, as_user):
    file = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR)
    if as_user is not None:
        os.setgroups([])
        os.setresgid(as_user, as_user, as_user)
        os.setresuid(as_user, as_user, as_user)
    user = NOBODY if os.geteuid() == 0 else None
    directory = os.open("/", os.O_PATH)
    built = walls.Walls()
    built.around_service(user, directory)
    os.close(directory)
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(0)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (400 << 20, 400 << 20))
    built.around_session(file)
    try:
        attack()
        os.write(1, b"succeeded")
    except BaseException as error:  # noqa: BLE001
        os.write(1, f"refused {error!r}".encode())
    os._exit(0)


# kill(-1) says that it succeeded even where it was refused for each process
BELOW_SECCOMP = sorted(set(ATTACKS) - ONLY_SECCOMP - {"signal_everyone"})


@pytest.mark.parametrize("user", [None, pytest.param(NOBODY, marks=as_root)])
@pytest.mark.parametrize("attack", BELOW_SECCOMP)
def test_the_walls_below_seccomp_hold_alone(attack, user, tmp_path, standing):
    if not all(stands for wall, stands in standing.items() if wall != walls.CALLS):
        pytest.skip("this kernel lacks a wall")
    assert enclosed(ATTACKS[attack], tmp_path, user).startswith("refused")


def test_a_unix_socket_by_path_is_out_of_reach(tmp_path, standing):
    if not standing[walls.ROOT]:
        pytest.skip("no empty root here")
    with socket.socket(socket.AF_UNIX) as listening:
        path = str(tmp_path / "listening")
        listening.bind(path)
        os.chmod(path, 0o777)
        listening.listen()
        assert enclosed(lambda: attacks.unix_socket(path), tmp_path).startswith("refused FileNotFoundError")


def test_an_abstract_socket_is_out_of_reach(tmp_path, standing):
    if not standing[walls.NETWORK]:
        pytest.skip("no network namespace here")
    with socket.socket(socket.AF_UNIX) as listening:
        path = f"\0zerovm-test-{os.getpid()}"
        listening.bind(path)
        listening.listen()
        assert enclosed(lambda: attacks.unix_socket(path), tmp_path).startswith("refused")


def test_self_check_tells_as_text_and_as_json(capsys):
    code = selfcheck.self_check([])
    text = capsys.readouterr().out
    assert walls.CALLS in text
    assert selfcheck.self_check(["--json"]) == code
    facts = json.loads(capsys.readouterr().out)
    assert {wall["wall"] for wall in facts["walls"]} >= {walls.NETWORK, walls.ROOT, walls.FILES}
    assert all(wall["stands"] for wall in facts["walls"]) == (code == 0)


def test_required_walls_that_are_missing_keep_the_service_from_starting(tmp_path):
    script = (
        "import sys; from zerocloud.zerovm.service import landlock, server;"
        "landlock.abi = lambda: 0; sys.exit(server.serve(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "s"), "--cache", str(tmp_path / "cache"), "--require-walls"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert f"required walls are missing: {walls.FILES} (this kernel has version 0 of 1)" in ended.stderr
    assert not (tmp_path / "s").exists()


def test_a_missing_wall_is_named_in_the_log_and_the_others_stand(service):
    script = (
        "import sys; from zerocloud.zerovm.service import landlock, server;"
        "from tests.functional.zerovm_service.stub import run;"
        "landlock.abi = lambda: 0; sys.exit(server.serve(sys.argv[1:], run))"
    )
    running = service(command=[sys.executable, "-c", script])
    assert f"walls missing: {walls.FILES}" in running.log_text()
    assert running.run("attack read_password_file")[1].startswith("refused")


# All is imported before: Python itself may lie where only root can look.
UNPRIVILEGED = f"""
import locale, os, sys
from zerocloud.zerovm.service import server
from tests.functional.zerovm_service.stub import run
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
sys.exit(server.serve(sys.argv[1:], run))
"""


@as_root
def test_a_whole_service_without_any_rights(program, standing):
    if not standing[walls.NETWORK]:
        pytest.skip("no namespaces here")
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, NOBODY, NOBODY)
        directory = Path(name)
        with start_services(directory, directory / "cache", program) as start:
            running = start("--spares", "1", command=[sys.executable, "-c", UNPRIVILEGED])
            assert "all walls stand" in running.log_text()
            assert running.run("hello")[1] == "hello "
            assert running.run("spin", timeout=1)[0].end is EndState.TIMED_OUT
            for attack in sorted(ATTACKS):
                report, output = running.run(f"attack {attack}")
                assert output.startswith("refused") or "forbid" in report.state, (attack, report.state)
            household = children(running.pid)
            running.process.kill()
            wait_for(lambda: not any(map(alive, household)), "the deaths of all its processes")
        assert not (directory / "s").exists()


def test_landlock_denies_all_but_what_is_named(tmp_path):
    version = landlock.abi()
    if not version:
        pytest.skip("no Landlock here")
    open_me, not_me = tmp_path / "open", tmp_path / "not"
    open_me.write_text("yes")
    not_me.write_text("no")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            with open(open_me) as file:
                walls.prctl(38, 1)
                landlock.restrict({file.fileno(): landlock.READ_FILE}, version)
            with open(open_me) as file:
                assert file.read() == "yes"
            try:
                open(not_me).close()
            except PermissionError:
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_seccomp_kills(standing):
    if not standing[walls.CALLS]:
        pytest.skip("no seccomp here")
    built = walls.Walls()
    pid = os.fork()
    if pid == 0:
        try:
            walls.prctl(38, 1)
            built.seal()
            os.getppid()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGSYS
