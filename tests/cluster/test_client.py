"""The client library and the commands on top of it, against a real cluster."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Client
from tests.cluster.jobs import node, nothing_left, program, stdin
from zerocloud.client import Connection, JobCancelled, JobFailed, Login, Refused, Source, aio, as_completed
from zerocloud.zebra import Zebra


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra):
    with nothing_left(zebra):
        yield


@pytest.fixture
def cloud(zebra: Zebra) -> Iterator[Connection]:
    login = zebra.login()
    with Connection(Login(login.storage_url, login.token)) as one:
        yield one


def test_a_job_is_watched_and_its_answer_fetched(cloud: Connection, client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    for name in ("a", "b"):
        client.put(f"{container}/{name}.txt", f"<{name}>")
    job = cloud.submit([node(copy, devices=[stdin(container, "*.txt"), {"name": "stdout", "content_type": "text/plain"}])])
    events = list(job.events())
    assert events[-1].name == "end"
    assert events[-1].data["state"] == "succeeded"
    assert {event.data["name"] for event in events if event.name == "node"} == {"node-1", "node-2"}
    answer = job.result()
    assert (answer.text, answer.job, [found.name for found in answer.nodes]) == ("<a><b>", job.id, ["node-1", "node-2"])
    assert all(found.server and found.counters.bytes_read == 3 for found in answer.nodes)
    assert job.id in [status.id for status in cloud.jobs("succeeded")]
    assert cloud.job(job.id).result().text == "<a><b>"
    assert not job.cancel()


def test_jobs_end_in_their_own_order(cloud: Connection, client: Client, container: str) -> None:
    copy, loop = program(client, container, "copy"), program(client, container, "loop")
    client.put(f"{container}/in", "x")
    endless = cloud.submit([node(loop)])
    quick = cloud.submit([node(copy, devices=[stdin(container, "in"), {"name": "stdout"}])])
    found = as_completed([endless, quick])
    assert next(found) is quick
    assert endless.cancel()
    assert next(found) is endless
    with pytest.raises(JobCancelled):
        endless.result()


def test_an_event_loop_waits_for_many(cloud: Connection, client: Client, container: str) -> None:
    copy, loop = program(client, container, "copy"), program(client, container, "loop")
    client.put(f"{container}/in", "x")
    quick = [node(copy, devices=[stdin(container, "in"), {"name": "stdout"}])]

    async def go() -> list[str]:
        async with aio.connect(cloud.login) as here:
            endless = await here.submit([node(loop)])
            jobs = await asyncio.gather(*(here.submit(quick) for _ in range(8)))
            texts = [answer.text for answer in await asyncio.gather(*jobs)]
            async for event in endless.events():
                if event.name == "job":
                    break
            assert await endless.cancel()
            with pytest.raises(JobCancelled):
                await endless
        return texts

    assert asyncio.run(go()) == ["x"] * 8


def test_failures_and_mistakes(cloud: Connection, client: Client, container: str) -> None:
    exits = program(client, container, "trap")
    with pytest.raises(JobFailed) as failed:
        cloud.run([node(exits)])
    assert failed.value.answer.nodes[0].name == "node"
    assert isinstance(cloud.submit([node(exits)]).exception(), JobFailed)
    missing = [node(f"swift://~/{container}/missing")]
    assert cloud.submit(missing).exception().status == 404
    with pytest.raises(Refused) as mistake:
        cloud.submit([{"name": "n"}])
    assert mistake.value.status == 400


def test_each_node_answers_by_itself(cloud: Connection, client: Client, container: str) -> None:
    copy, trap = program(client, container, "copy"), program(client, container, "trap")
    client.put(f"{container}/a.in", b"\xff")
    client.put(f"{container}/b.in", "two")
    group = node(copy, devices=[stdin(container, "*.in"), {"name": "stdout", "content_type": "text/x"}])
    first, second = cloud.run_each([group])
    assert (first.name, first.body, second.name, second.text) == ("node-1", b"\xff", "node-2", "two")
    assert second.headers["Content-Type"] == "text/x"
    with pytest.raises(JobFailed, match="node"):
        cloud.run_each([node(trap)])


def test_a_stored_job_reads_its_payload(cloud: Connection, client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    group = node(copy, devices=[{"name": "stdin"}, {"name": "stdout"}])
    client.put(f"{container}/map", json.dumps([group]), Content_Type="application/json")
    assert cloud.run(Source(f"swift://~/{container}/map", b"payload")).text == "payload"


def zerocloud(zebra: Zebra, *words: str) -> subprocess.CompletedProcess[str]:
    login = zebra.login()
    variables = {**os.environ, "OS_STORAGE_URL": login.storage_url, "OS_AUTH_TOKEN": login.token}
    return subprocess.run([sys.executable, "-m", "zerocloud.cli", *words], env=variables, capture_output=True, text=True)


def test_the_commands(zebra: Zebra, client: Client, container: str, tmp_path: Path) -> None:
    copy = program(client, container, "copy")
    client.put(f"{container}/in", "hello")
    group = node(copy, devices=[stdin(container, "in"), {"name": "stdout"}])
    (tmp_path / "job.json").write_text(json.dumps([group]))
    ran = zerocloud(zebra, "run", str(tmp_path / "job.json"), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["body"]) == (0, "hello"), ran.stderr
    shown = json.loads(zerocloud(zebra, "job", "show", "last", "--json").stdout)
    assert (shown["id"], shown["state"]) == (json.loads(ran.stdout)["job"], "succeeded")
    again = zerocloud(zebra, "job", "rerun", "last", "--wait")
    assert again.returncode == 0, again.stderr
    assert zerocloud(zebra, "job", "wait", again.stdout.split()[0]).stdout.split()[1] == "succeeded"
    checked = zerocloud(zebra, "self-check")
    assert checked.returncode == 0, checked.stdout
    assert client.names("") == client.names("")


def test_the_fixtures_for_users(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["zerocloud.testing"]\n')
    (tmp_path / "test_it.py").write_text(
        """
import pytest
from zerocloud.client import Refused

@pytest.mark.parametrize("number", [1, 2])
def test_store(zerocloud, zerocloud_container, number):
    assert zerocloud.request("GET", f"/{zerocloud_container}").text == ""
    zerocloud.request("PUT", f"/{zerocloud_container}/a b", data=b"x")
    assert zerocloud.information()["zerocloud"]
    with pytest.raises(Refused):
        zerocloud.run([{"name": "n"}])
"""
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
