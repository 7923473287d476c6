"""A Zebra's life by the command line: up, looked at, down, up again, destroyed; and every disorderly way of going down."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cluster import jobs
from tests.cluster.conftest import Client
from tests.cluster.zebra_shell import (
    CLEAN,
    COMMAND,
    Person,
    all_gone,
    exported,
    processes_of,
    somebody_else,
    wait_for,
    zebra,
)
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import address_of

NOBODY = 65534


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "my zebra"
    yield path
    if path.exists():
        zebra("down", "--dir", str(path))
    assert processes_of(path) == []


def up(directory: Path, *arguments: str) -> dict[str, str]:
    """Start one in the background; the variables for its clients."""
    zebra("up", "--detach", "--dir", str(directory), *arguments)
    return dict(exported(zebra("env", "--dir", str(directory))))


def status(directory: Path, code: int = 0) -> dict[str, dict[str, object]]:
    report = json.loads(zebra("status", "--json", "--dir", str(directory), code=code))
    return {process["name"]: process for process in report["processes"]}


def put(variables: dict[str, str], path: str, body: bytes = b"") -> int:
    url = f"{variables['OS_STORAGE_URL']}/{path}"
    return requests.put(url, body, headers={"X-Auth-Token": variables["OS_AUTH_TOKEN"]}, timeout=60).status_code


def get(variables: dict[str, str], path: str) -> bytes:
    url = f"{variables['OS_STORAGE_URL']}/{path}"
    response = requests.get(url, headers={"X-Auth-Token": variables["OS_AUTH_TOKEN"]}, timeout=60)
    assert response.status_code == 200, response.text
    return response.content


def run_a_job(variables: dict[str, str]) -> None:
    client = Client(variables["OS_STORAGE_URL"], variables["OS_AUTH_TOKEN"])
    client.put_container("c")
    client.put("c/o", b"content")
    group = jobs.node(jobs.program(client, "c", "copy"), devices=[jobs.stdin("c", "o"), jobs.stdout()])
    answer = jobs.run(client, group)
    client.close()
    assert (answer.status_code, answer.content) == (200, b"content"), answer.text


def test_a_whole_life(directory: Path) -> None:
    variables = up(directory)
    assert variables["ST_USER"] == "test:tester"
    assert put(variables, "c") == 201
    assert put(variables, "c/o", b"content") == 201

    table = zebra("status", ZEBRA_DIR=str(directory))
    for words in ("proxy", "node4", "127.0.0.4", "object:", "running", "MiB", "3 replicas"):
        assert words in table
    before = status(directory)
    assert [name for name in before if not name.startswith("zerovm")] == ["zebra", "proxy", "node1", "node2", "node3", "node4"]
    assert all(process["state"] == "running" and process["memory"] for process in before.values())

    assert "runs already" in zebra("up", "--detach", "--dir", str(directory), code=1)
    assert "runs already" in zebra("up", "--nodes", "3", "--dir", str(directory), code=1)
    assert get(variables, "c/o") == b"content"
    assert "PUT /v1/AUTH_test/c/o" in zebra("logs", "--dir", str(directory), "proxy")
    everything = zebra("logs", "--dir", str(directory))
    assert "node1: " in everything
    assert "zebra: " in everything

    assert "stopped" in zebra("down", "--dir", str(directory))
    assert processes_of(directory) == []
    assert "does not run" in zebra("status", "--dir", str(directory), code=3)
    assert "does not run" in zebra("env", "--dir", str(directory), code=3)
    assert sorted(path.name for path in (directory / "run").glob("**/*") if not path.is_dir()) in ([], ["lock"])
    assert "can't become 3" in zebra("up", "--nodes", "3", "--dir", str(directory), code=2)

    again = up(directory)
    assert {name: process["ports"] for name, process in status(directory).items() if not name.startswith("zerovm")} == {
        name: process["ports"] for name, process in before.items() if not name.startswith("zerovm")
    }
    assert again["OS_STORAGE_URL"] == variables["OS_STORAGE_URL"]
    # Tokens outlive a restart.
    assert get(variables, "c/o") == b"content"

    assert "is gone" in zebra("down", "--destroy", "--dir", str(directory))
    assert processes_of(directory) == []
    assert list(directory.parent.iterdir()) == []


def test_a_port_that_was_taken_meanwhile_and_a_directory_that_moved(directory: Path, tmp_path: Path) -> None:
    variables = up(directory, "--nodes", "2")
    put(variables, "c")
    put(variables, "c/o", b"content")
    before = status(directory)
    zebra("down", "--dir", str(directory))
    directory.rename(tmp_path / "elsewhere")
    directory = tmp_path / "elsewhere"
    taken = {"node1": "object", "node2": "container", "proxy": "proxy"}
    thieves = [socket.socket() for _ in taken]
    try:
        for thief, (name, kind) in zip(thieves, taken.items(), strict=True):
            server = "proxy" if name == "proxy" else f"{kind}-{name.removeprefix('node')}"
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind((address_of(server), before[name]["ports"][kind]))  # type: ignore[index]
            thief.listen()
        again = up(directory)
        after = status(directory)
        for name, kind in taken.items():
            assert after[name]["ports"][kind] != before[name]["ports"][kind]  # type: ignore[index]
        assert get(again, "c/o") == b"content"
        assert put(again, "c/p", b"more") == 201
    finally:
        zebra("down", "--dir", str(directory))
        for thief in thieves:
            thief.close()


class Foreground:
    """``zebra up`` without ``--detach``, in a process group of its own, as a shell would start it."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "up", "--dir", str(directory), "--nodes", "1", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
            env=CLEAN,
            # A test run in the background ignores SIGINT, and its children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.text = ""

    def read_until(self, words: str) -> None:
        assert self.process.stdout is not None
        while words not in self.text:
            line = self.process.stdout.readline()
            assert line, self.text
            self.text += line

    def end(self) -> int:
        rest, _ = self.process.communicate(timeout=60)
        self.text += rest
        return self.process.returncode


def test_ctrl_c_in_the_foreground(directory: Path) -> None:
    front = Foreground(directory)
    front.read_until("Ctrl-C")
    assert status(directory)["proxy"]["state"] == "running"
    # What a terminal does: the signal goes to everybody in the foreground's group.
    os.killpg(front.process.pid, signal.SIGINT)
    assert front.end() == 130
    assert "The data stays" in front.text
    assert processes_of(directory) == []
    assert Layout.at(directory).is_zebra()


def test_ctrl_c_while_it_starts(directory: Path) -> None:
    front = Foreground(directory)
    assert wait_for(lambda: len(processes_of(directory)) > 1)
    os.killpg(front.process.pid, signal.SIGINT)
    assert front.end() == 130
    assert processes_of(directory) == []


def test_sigterm_to_the_foreground(directory: Path) -> None:
    front = Foreground(directory)
    front.read_until("Ctrl-C")
    front.process.terminate()
    assert front.end() == 0
    assert processes_of(directory) == []


def test_the_foreground_killed(directory: Path) -> None:
    front = Foreground(directory)
    front.read_until("Ctrl-C")
    front.process.kill()
    front.end()
    assert all_gone(directory)


def test_down_from_another_terminal(directory: Path) -> None:
    front = Foreground(directory)
    front.read_until("Ctrl-C")
    zebra("down", "--dir", str(directory))
    assert front.end() == 0
    assert "Stopped by 'zebra down'" in front.text


def test_down_while_it_starts(directory: Path) -> None:
    front = Foreground(directory)
    assert wait_for(Layout.at(directory).state.exists)
    zebra("down", "--dir", str(directory))
    assert processes_of(directory) in ([], [front.process.pid])
    front.end()
    assert processes_of(directory) == []


def test_two_at_once(directory: Path) -> None:
    command = [*COMMAND, "up", "--detach", "--nodes", "1", "--dir", str(directory)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    texts = [process.communicate(timeout=120)[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], texts
    assert any("runs already" in text for text in texts)
    assert status(directory)["node1"]["state"] == "running"


def test_a_job_in_a_deep_directory(tmp_path: Path) -> None:
    """The executor's socket has a path that is longer than the kernel's addresses (108 bytes)."""
    directory = tmp_path / ("deep" * 20) / ("deeper" * 20)
    variables = up(directory, "--nodes", "1")
    try:
        run_a_job(variables)
    finally:
        zebra("down", "--destroy", "--dir", str(directory))
    assert processes_of(directory) == []


def test_the_foreground_tells_of_a_dead_node(directory: Path) -> None:
    front = Foreground(directory)
    front.read_until("Ctrl-C")
    os.kill(int(str(status(directory)["node1"]["pid"])), signal.SIGSEGV)
    front.read_until("node1 was killed by SIGSEGV")
    os.killpg(front.process.pid, signal.SIGINT)
    assert front.end() == 130


def test_a_node_killed(directory: Path) -> None:
    variables = up(directory)
    put(variables, "c")
    os.kill(int(str(status(directory)["node2"]["pid"])), signal.SIGKILL)
    assert wait_for(lambda: "was killed" in Layout.at(directory).state.read_text())
    dead = status(directory, code=1)["node2"]
    assert (dead["state"], dead["ending"]) == ("dead", "was killed by SIGKILL")
    assert "was killed by SIGKILL" in zebra("status", "--dir", str(directory), code=1)
    for number in range(20):
        assert put(variables, f"c/{number}", b"x") == 201
        assert get(variables, f"c/{number}") == b"x"
    zebra("down", "--dir", str(directory))
    # Whoever was dead is alive after the next start.
    up(directory)
    assert status(directory)["node2"]["state"] == "running"


@pytest.mark.parametrize("victims", [("zebra",), ("zebra", "proxy"), ("proxy",), ("node1", "node2", "proxy", "zebra")])
def test_crashes_leave_nothing(directory: Path, victims: tuple[str, ...]) -> None:
    variables = up(directory, "--nodes", "2")
    put(variables, "c")
    put(variables, "c/o", b"content")
    pids = [int(str(process["pid"])) for name, process in status(directory).items() if name in victims]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    if "zebra" in victims:
        assert all_gone(directory)
        zebra("status", "--dir", str(directory), code=3)
        assert "nothing was running" in zebra("down", "--dir", str(directory))
    else:
        zebra("down", "--dir", str(directory))
    assert processes_of(directory) == []
    assert get(up(directory), "c/o") == b"content"


def test_down_ends_an_executor_service_that_does_not_end(directory: Path, tmp_path: Path) -> None:
    up(directory, "--nodes", "1")
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(100)"
    path = str(Layout.at(directory).executor_socket(1))
    with subprocess.Popen([COMMAND[0], "-c", code, "--serve", path], stdout=subprocess.PIPE) as straggler:
        assert straggler.stdout is not None
        straggler.stdout.readline()
        assert "zerovm-node1" in zebra("status", "--dir", str(directory))
        zebra("down", "--dir", str(directory))
        assert straggler.wait(10) == -signal.SIGKILL


def test_destroy_leaves_the_user_s_files(directory: Path) -> None:
    up(directory, "--nodes", "1")
    (directory / "notes.txt").write_text("mine")
    assert "other files" in zebra("down", "--destroy", "--dir", str(directory))
    assert [path.name for path in directory.iterdir()] == ["notes.txt"]
    (directory / "notes.txt").unlink()
    directory.rmdir()


def test_a_server_that_cannot_start_is_quoted(directory: Path) -> None:
    text = zebra("up", "--detach", "--dir", str(directory), "--set", "object/app/use=egg:nothing#here", "--nodes", "1")
    assert text
    zebra("down", "--dir", str(directory))
    text = zebra("up", "--detach", "--dir", str(directory), "--set", "object/recon/use=egg:nothing#here", code=1)
    assert "node1 ended with exit code 1 while starting; the end of" in text
    assert "nothing" in text
    assert processes_of(directory) == []


@pytest.fixture(scope="module")
def nobody() -> Iterator[Person]:
    """An unprivileged user with a home outside pytest's folders, which are closed to others."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else; everybody else is unprivileged anyway")
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, NOBODY, NOBODY)
        os.chmod(name, 0o755)
        person = somebody_else(NOBODY, Path(name))
        if person is None:
            pytest.skip("every interpreter of this version is closed to others")
        yield person


@pytest.fixture
def directory_of_nobody(nobody: Person) -> Iterator[Path]:
    path = Path(nobody.variables["HOME"], "zebra")
    yield path
    if path.exists():
        zebra("down", "--dir", str(path))
    assert processes_of(path) == []


def test_an_unprivileged_user(nobody: Person, directory_of_nobody: Path) -> None:
    directory = directory_of_nobody
    zebra("up", "--detach", "--dir", str(directory), "--nodes", "3", person=nobody)
    variables = dict(exported(zebra("env", "--dir", str(directory), person=nobody)))
    run_a_job(variables)
    assert {os.stat(f"/proc/{pid}").st_uid for pid in processes_of(directory)} == {NOBODY}
    zebra("down", "--destroy", "--dir", str(directory), person=nobody)
    assert processes_of(directory) == []
    assert not directory.exists()


@pytest.mark.parametrize("open_to_others", [True, False])
def test_somebody_else_s_zebra(nobody: Person, open_to_others: bool) -> None:
    directory = Path(nobody.variables["HOME"], "of root")
    up(directory, "--nodes", "1")
    if open_to_others:
        directory.chmod(0o755)
        (directory / "run").chmod(0o755)
        (directory / "run" / "state.json").chmod(0o644)
    try:
        text = zebra("down", "--dir", str(directory), person=nobody, code=1)
        assert ("belongs to another user (uid 0)" if open_to_others else "Permission denied") in text
        assert status(directory)["proxy"]["state"] == "running"
    finally:
        zebra("down", "--destroy", "--dir", str(directory))
