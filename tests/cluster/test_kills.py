"""Servers, executors and sessions that are killed, hang, are slow or full while jobs run on a real cluster.

After each: the job has succeeded elsewhere or tells what happened, other jobs have not noticed, the account's objects are as
they should be, and no process, file, socket or slot is left.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import simplejson

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import DEMO_GUESTS, node, nothing_left, program, run, sessions, stdin, stdout
from zerocloud.demo import job
from zerocloud.zebra import Zebra

POOLS = "default = WaitPool(4,4); cluster = PriorityPool(2,4);"
OVERRIDES = {
    "object/object_query/zerovm_threadpools": POOLS,
    "object/object_query/zerovm_pulse": "1",
    "proxy/DEFAULT/node_timeout": "10",
    "proxy/proxy-server/error_suppression_limit": "1000",  # what one test does to a node is not the next one's problem
    "proxy/proxy_query/zerovm_admission_timeout": "2",
    "proxy/proxy_query/zerovm_hold": "1",
}
SECONDS = 30.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    """A Zebra whose processes may be harmed; few slots, little patience, every node publishes by itself."""
    zebra = Zebra(tmp_path_factory.mktemp("kills") / "zebra", nodes=4, destroy=True, overrides=OVERRIDES)
    zebra.up()
    yield zebra
    zebra.down()


@pytest.fixture
def client(own: Zebra) -> Iterator[Client]:
    one = connect(own)
    yield one
    one.close()


@pytest.fixture
def place(own: Zebra, client: Client, container: str) -> Iterator[str]:
    """A container with programs and an input, in a cluster where other jobs run all the time, and nothing is left."""
    for name in ("copy", "linger"):
        program(client, container, name)
    client.put(f"{container}/in", b"data")
    with nothing_left(own), unharmed(own, container):
        yield container


@contextmanager
def unharmed(zebra: Zebra, container: str) -> Iterator[None]:
    """Other jobs succeed as long as the block runs."""
    over, failures = threading.Event(), []

    def others() -> None:
        client = connect(zebra)
        group = node(f"swift://~/{container}/copy", devices=[stdin(container, "in"), stdout()])
        while not over.wait(0.1):
            answer = run(client, group)
            if (answer.status_code, answer.content) != (200, b"data"):
                failures.append(answer.text)
        client.close()

    thread = threading.Thread(target=others)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failures, failures


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def lingering(container: str, name: str = "victim", **keys: object) -> dict:
    """A group whose node takes a second."""
    return node(f"swift://~/{container}/linger", name, devices=[stdin(container, "in"), stdout()], **keys)


@contextmanager
def running(client: Client, *groups: dict, **headers: str) -> Iterator[Future[requests.Response]]:
    """A job that runs meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run, client, *groups, **headers)


def long_sessions(zebra: Zebra) -> list[int]:
    """The processes that have used up a fifth of a second by now: those of the program that takes its time."""
    found = []
    for pid in sessions(zebra):
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if int(fields[11]) + int(fields[12]) >= os.sysconf("SC_CLK_TCK") // 5:
                found.append(int(pid))
    return found


def where(pid: int) -> int:
    """The number of the storage node that a session's process belongs to."""
    command = Path(f"/proc/{pid}/cmdline").read_text()
    return int(command.partition("/run/node")[2].partition("/")[0])


def caught(zebra: Zebra) -> int:
    """The process of the session that runs for long, as soon as there is one."""
    wait_for(lambda: long_sessions(zebra), "a session")
    return long_sessions(zebra)[0]


def test_a_session_that_is_killed_runs_again_elsewhere(own: Zebra, client: Client, place: str) -> None:
    with running(client, lingering(place)) as answer:
        pid = caught(own)
        first = where(pid)
        os.kill(pid, signal.SIGKILL)
        result = answer.result()
    assert (result.status_code, result.content) == (200, b"data"), result.text
    assert f"127.0.0.{first}:" not in result.headers["X-Nexe-Server"]


def test_an_executor_service_that_is_killed(own: Zebra, client: Client, place: str) -> None:
    with running(client, lingering(place)) as answer:
        os.kill(_parent(caught(own)), signal.SIGKILL)
        result = answer.result()
    assert (result.status_code, result.content) == (200, b"data"), result.text


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_session_that_is_killed_wherever_it_runs_tells_so(own: Zebra, client: Client, place: str) -> None:
    with running(client, lingering(place)) as answer:
        while not answer.done():
            for pid in long_sessions(own):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        result = answer.result()
    assert result.status_code == 500
    assert "victim" in result.text
    assert result.text.count("killed from outside") >= 3
    assert result.text.count("asks 127.0.0.") == 3


def mappers(client: Client, place: str, count: int, text: bytes) -> dict[str, Any]:
    """The group that maps ``count`` objects of one text for a group ``reduce``; its programs and objects are stored."""
    for name in (job.MAPPER, job.REDUCER):
        client.put(f"{place}/{name}", (DEMO_GUESTS / name).read_bytes(), Content_Type="application/wasm")
    for number in range(count):
        client.put(f"{place}/text-{number}", text)
    return {
        "name": "map",
        "exec": {"path": f"swift://~/{place}/{job.MAPPER}"},
        "devices": [stdin(place, "text-*")],
        "connect": ["reduce"],
    }


def test_a_node_of_a_shuffle_that_is_killed(own: Zebra, client: Client, place: str) -> None:
    groups = (
        mappers(client, place, 2, b"some words and some more " * 1000),
        {
            "name": "victim",
            "exec": {"path": f"swift://~/{place}/linger"},
            "devices": [stdin(place, "in")],
            "connect": ["reduce"],
        },
        node(f"swift://~/{place}/{job.REDUCER}", "reduce", args="0", devices=[stdout(path=f"swift://~/{place}/sums")]),
    )
    with running(client, *groups) as answer:
        os.kill(caught(own), signal.SIGKILL)
        result = answer.result()
    assert result.status_code == 200, result.text
    assert job.word_counts(client.get(f"{place}/sums").content)[0] == ("some", 4000)


def test_a_server_that_hangs_while_a_session_runs_on_it(own: Zebra, client: Client, place: str) -> None:
    with running(client, lingering(place), X_Zerovm_Timeout="600") as answer:
        process = own.state().member(f"node{where(caught(own))}").process
        process.signal(signal.SIGSTOP)
        try:
            result = answer.result()
        finally:
            process.signal(signal.SIGCONT)
    assert (result.status_code, result.content) == (200, b"data"), result.text


def test_outputs_of_a_job_that_fails_later_are_removed(client: Client, place: str) -> None:
    full = client.put_container(f"{place}-full", X_Container_Meta_Quota_Bytes="1")
    for name in ("part-1", "part-2"):
        client.put(f"{place}/{name}", name)
    early = node(f"swift://~/{place}/copy", "early", devices=[stdin(place, "part-*"), stdout(path=f"swift://~/{place}/out-*")])
    late = node(f"swift://~/{place}/linger", "late", devices=[stdin(place, "in"), stdout(path=f"swift://~/{full}/late")])
    with running(client, early, late) as answer:
        wait_for(lambda: client.request("HEAD", f"{place}/out-1").status_code == 200, "the first output")
        result = answer.result()
    assert result.status_code == 413, result.text
    assert "late" in result.text
    assert client.request("GET", f"{place}/out-1").status_code == 404
    assert not {"out-1", "out-2"} & set(client.names(place))
    assert client.names(full) == []
    client.request("DELETE", full)


def test_a_full_disk_is_not_the_job_s_problem(own: Zebra, client: Client, place: str) -> None:
    probe = run(client, node(f"swift://~/{place}/copy", devices=[stdin(place, "in"), stdout()]))
    number = int(probe.headers["X-Nexe-Server"].split(":")[0].rpartition(".")[2])
    folder = own.layout.node(number) / "d1" / "tmp"
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    try:
        client.put(f"{place}/large", os.urandom(1 << 20))
        answer = run(
            client, *(node(f"swift://~/{place}/copy", f"n{at}", devices=[stdin(place, "large"), stdout()]) for at in range(6))
        )
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == 6 << 20
    assert f"127.0.0.{number}:" not in answer.headers["X-Nexe-Server"]


def test_a_client_that_hangs_up(own: Zebra, client: Client, place: str) -> None:
    group = node(f"swift://~/{place}/linger", devices=[stdin(place, "in"), stdout(path=f"swift://~/{place}/never")])
    with _posted(client, group) as connection:
        caught(own)
        connection.close()
    wait_for(lambda: not long_sessions(own), "the session's end")
    assert "never" not in client.names(place)


def test_a_client_that_reads_slowly(own: Zebra, client: Client, place: str) -> None:
    client.put(f"{place}/large", os.urandom(8 << 20))
    group = node(f"swift://~/{place}/copy", devices=[stdin(place, "large"), stdout()])
    with _posted(client, group) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert connection.recv(12) == b"HTTP/1.1 200"
        wait_for(lambda: not sessions(own) or None, "no session waits for the client")


@contextmanager
def _posted(client: Client, group: dict) -> Iterator[socket.socket]:
    """A job's request, sent, whose answer is still to be read."""
    url, body = urlsplit(client.url), simplejson.dumps([group]).encode()
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nX-Auth-Token: {client.session.headers['X-Auth-Token']}\r\n"
    head += f"X-Zerovm-Execute: 1.0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=SECONDS) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def test_gangs_that_together_exceed_the_slots_all_get_through(own: Zebra, client: Client, place: str) -> None:
    groups = (
        mappers(client, place, 7, b"one two two " * 1000),
        node(f"swift://~/{place}/{job.REDUCER}", "reduce", args="0", count=3),
    )
    with ThreadPoolExecutor(3) as pool:
        for answer in pool.map(lambda _: run(connect(own), *groups), range(3)):
            assert answer.status_code == 200, answer.text
            assert sorted(answer.text.split()) == ["14000", "7000", "one", "two"]


def test_a_storm_of_jobs(own: Zebra, client: Client, place: str) -> None:
    group = node(f"swift://~/{place}/copy", devices=[stdin(place, "in"), stdout()])
    with ThreadPoolExecutor(200) as pool:
        answers = [*pool.map(lambda _: run(Client(client.url, client.session.headers["X-Auth-Token"]), group), range(200))]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"data")}


def test_a_server_that_is_killed_while_a_session_runs_on_it_and_later_jobs_without_it(
    own: Zebra, client: Client, place: str
) -> None:
    output = f"swift://~/{place}/result"
    group = node(f"swift://~/{place}/linger", "victim", devices=[stdin(place, "in"), stdout(path=output)])
    with running(client, group) as answer:
        own.kill_node(where(caught(own)))
        result = answer.result()
    assert result.status_code == 200, result.text
    assert client.get(f"{place}/result").content == b"data"
    for _ in range(4):
        again = run(client, node(f"swift://~/{place}/copy", devices=[stdin(place, "in"), stdout()]))
        assert (again.status_code, again.content) == (200, b"data"), again.text
