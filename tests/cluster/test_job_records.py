"""Jobs as things on a real cluster: seen while they run, cancelled, hung up on, lost with their proxy, and in a storm."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import node, nothing_left, program, run, sessions, stdin, stdout
from zerocloud.zebra import Zebra

STORM = 200
AT_ONCE = 40
PATIENCE = 60.0
ACTIVE = ("queued", "running", "publishing")


def ask(client: Client, query: str, method: str = "GET") -> requests.Response:
    return client.session.request(method, f"{client.url}?{query}", timeout=PATIENCE)


def soon(look: Callable[[], Any]) -> Any:
    """What ``look`` gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def running_job(client: Client, name: str) -> str:
    """The id of the job whose node has this name, as soon as the node runs."""

    def look() -> str | None:
        for line in ask(client, "zerovm=jobs&state=running").json()["jobs"]:
            job = ask(client, f"zerovm=job&id={line['id']}").json()
            if [row["state"] for row in job["table"] if row["name"] == name] == ["running"]:
                return line["id"]
        return None

    return soon(look)


def ended(client: Client, job: str) -> dict[str, Any]:
    """The job, as soon as it has ended."""

    def look() -> dict[str, Any] | None:
        value = ask(client, f"zerovm=job&id={job}").json()
        return None if value["state"] in ACTIVE else value

    return soon(look)


@pytest.fixture
def spinning(client: Client, container: str) -> dict:
    """A group whose program never ends, and that would store what it wrote."""
    url = program(client, container, "loop")
    return node(url, name="spinner", devices=[stdout(path=f"swift://~/{container}/result")])


def test_a_job_that_is_cancelled_on_request(zebra: Zebra, client: Client, container: str, spinning: dict) -> None:
    with nothing_left(zebra), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run, client, spinning)
        mine = connect(zebra)
        job = running_job(mine, "spinner")
        cancelled = ask(mine, f"zerovm=job&id={job}", "DELETE")
        assert cancelled.status_code in (200, 202)  # a busy machine may take more than the second that a DELETE waits
        assert cancelled.json()["id"] == job
        answer = waiting.result()
        mine.close()
    assert (answer.status_code, answer.headers["X-Zerovm-Job"]) == (409, job)
    assert ended(client, job)["error"] == "cancelled on request"
    assert client.request("GET", f"{container}/result").status_code == 404


def test_a_job_whose_client_hangs_up(zebra: Zebra, client: Client, container: str, spinning: dict) -> None:
    mine = connect(zebra)

    def leave() -> None:
        with suppress(requests.RequestException):
            mine.session.post(
                mine.url,
                json=[spinning],
                headers={"X-Zerovm-Execute": "1.0"},
                timeout=(PATIENCE, 2),
            )
        mine.close()  # the connection, too

    with nothing_left(zebra):
        thread = threading.Thread(target=leave)
        thread.start()
        job = running_job(client, "spinner")
        thread.join()
        value = ended(client, job)
    assert (value["state"], value["error"]) == ("cancelled", "cancelled because the client closed its connection")
    assert client.request("GET", f"{container}/result").status_code == 404


def test_a_head_tells_what_a_get_would(client: Client) -> None:
    query = f"zerovm=jobs&marker={0:017}"  # nothing is older
    head, get = ask(client, query, "HEAD"), ask(client, query)
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


def test_only_the_owner_sees_jobs(zebra: Zebra, client: Client) -> None:
    stranger = connect(zebra, "test2:tester2")
    other = Client(client.url, stranger.session.headers["X-Auth-Token"])
    for query in ("zerovm=jobs", "zerovm=job&id=0", "zerovm=job&id=0&events"):
        assert ask(other, query).status_code == 403
        assert ask(Client(client.url, None), query).status_code == 401
    assert ask(other, "zerovm=job&id=0", "DELETE").status_code == 403


def test_a_storm_of_jobs_leaves_exactly_its_objects(zebra: Zebra, client: Client, container: str) -> None:
    copy, fails = program(client, container, "copy"), program(client, container, "exit-3")
    client.put(f"{container}/in", "data")

    def one(number: int) -> tuple[int, str]:
        mine = connect(zebra)
        url = fails if number % 10 == 0 else copy
        devices = [stdin(container, "in"), stdout(path=f"swift://~/{container}/out-{number:03}")]
        answer = run(mine, node(url, name=f"n{number}", devices=devices))
        mine.close()
        return answer.status_code, answer.headers["X-Zerovm-Job"]

    with nothing_left(zebra), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(one, range(STORM)))
    assert [status for status, _ in answers] == [500 if number % 10 == 0 else 200 for number in range(STORM)]
    stored = [name for name in client.names(container) if name.startswith("out-")]
    assert stored == [f"out-{number:03}" for number in range(STORM) if number % 10]

    wanted = {f"jobs/{job}/record" for _, job in answers}
    soon(lambda: wanted <= set(client.names(".zvm")))
    assert not [name for name in client.names(".zvm") if not name.endswith(("/record", "/result", "/result.headers"))]
    listed, marker = [], ""
    while True:
        page = ask(client, f"zerovm=jobs&limit=60&state=succeeded,failed&marker={marker}").json()
        listed += page["jobs"]
        marker = page["next"]
        if marker is None:
            break
    states = {line["id"]: line["state"] for line in listed}
    assert len(states) == len(listed)
    assert [line["id"] for line in listed] == sorted(states, reverse=True)
    for status, job in answers:
        assert states[job] == ("succeeded" if status == 200 else "failed")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Zebra]:
    """A Zebra whose proxy may be killed."""
    with Zebra(tmp_path / "zebra", nodes=2) as one:
        yield one


def test_a_job_is_lost_with_its_proxy(own: Zebra) -> None:
    client = connect(own)
    client.put_container("c")
    url = program(client, "c", "loop")
    answer = run(client, node(url, name="spinner"), X_Zerovm_Deferred="always")
    assert answer.status_code == 200, answer.text
    job = answer.headers["X-Zerovm-Job"]
    assert running_job(client, "spinner") == job
    proxy = own.state().member("proxy").process
    proxy.signal(signal.SIGKILL)
    assert proxy.wait(PATIENCE)
    soon(lambda: not sessions(own))
    client.close()
    own.down()
    own.up()
    again = connect(own)
    assert ask(again, f"zerovm=job&id={job}").json()["state"] == "lost"
    assert [line["state"] for line in ask(again, "zerovm=jobs").json()["jobs"]] == ["lost"]
    refused = ask(again, f"zerovm=job&id={job}", "DELETE")
    assert (refused.status_code, "lost" in refused.text) == (409, True)
    again.close()
