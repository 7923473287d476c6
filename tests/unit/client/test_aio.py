"""The library for event loops: the same answers, and nobody waits on a thread for jobs that were submitted."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.unit.client.cluster import Cluster
from tests.unit.client.transport import Told, Transport, connection
from zerocloud.client import FIRST_COMPLETED, FIRST_EXCEPTION, JobCancelled, JobFailed, LoginError, NotFinished, aio

HEAD = b'event: job\ndata: {"state": "running"}\n\n'
END = b'event: end\ndata: {"state": "succeeded"}\n\n'


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    sleep = asyncio.sleep
    monkeypatch.setattr(aio.asyncio, "sleep", lambda seconds: sleep(0))


@pytest.fixture
def cluster():
    cluster = Cluster()
    for name in ("new", "a", "b"):
        cluster.objects[f"/.zvm/jobs/{name}/result"] = name.encode()
        cluster.objects[f"/.zvm/jobs/{name}/result.headers"] = json.dumps({"X-Nexe-System": "n"}).encode()
    return cluster


def add(cluster, job, *states, **more):
    cluster.add(job, *states, status=200, result=f"swift://AUTH_x/.zvm/jobs/{job}/result", **more)
    return aio.Job(cluster.cloud.job(job))


def test_a_job_is_awaited(cluster):
    async def go():
        cloud = aio.Connection(cluster.cloud)
        job = await cloud.submit([{"name": "n"}])
        assert (await job).text == "new"
        assert await job.done()
        assert await job.exception() is None
        assert (await job.status()).state == "succeeded"
        assert not await job.cancel()
        return [status.id async for status in cloud.jobs()], cloud.job("x").id, repr(job)

    assert asyncio.run(go()) == (["new"], "x", "<Job new>")


def test_many_are_gathered_and_come_as_they_end(cluster):
    async def go():
        jobs = [add(cluster, "a", "running", "running", "running", "succeeded"), add(cluster, "b", "queued", "succeeded")]
        order = [job.id async for job in aio.as_completed(jobs)]
        return order, [answer.text for answer in await asyncio.gather(*jobs)]

    assert asyncio.run(go()) == (["b", "a"], ["a", "b"])


def test_waiting(cluster):
    async def go():
        first, second = jobs = [add(cluster, "a", "running"), add(cluster, "b", "failed", error="it broke")]
        assert await aio.wait(jobs, return_when=FIRST_COMPLETED) == ({second}, {first})
        assert await aio.wait(jobs, return_when=FIRST_EXCEPTION) == ({second}, {first})
        assert await aio.wait(jobs, timeout=0) == ({second}, {first})
        with pytest.raises(NotFinished, match="Job a still runs after 0 seconds"):
            await first.result(timeout=0)
        with pytest.raises(NotFinished, match="1 of 2 jobs"):
            [job async for job in aio.as_completed(jobs, timeout=0)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await first

    asyncio.run(go())


def test_failures_are_raised(cluster):
    async def go():
        kept = {"headers": {"X-Nexe-System": "n"}, "body": {"size": 0, "base64": ""}}
        cluster.add("f", "failed", status=500, **kept)
        cluster.add("c", "cancelled", status=409, **kept)
        with pytest.raises(JobFailed):
            await aio.Job(cluster.cloud.job("f"))
        with pytest.raises(JobCancelled):
            await aio.Job(cluster.cloud.job("c"))

    asyncio.run(go())


def test_events_and_a_listener_who_leaves(cluster):
    async def go():
        job = add(cluster, "a", "running")
        cluster.events["a"] = [HEAD + END, HEAD + b": still there\n\n" + HEAD + END]
        names = [event.name async for event in job.events()]
        leaving = job.events()
        async for _ in leaving:
            break
        await leaving.aclose()
        return names

    assert asyncio.run(go()) == ["job", "end"]


def test_who_has_hung_up_hears_no_more(cluster):
    add(cluster, "a", "running")
    cluster.events["a"] = [HEAD + HEAD, HEAD + END]
    heard = []
    for event in cluster.cloud.job("a").events(lambda: bool(heard)):
        heard.append(event.name)
    assert heard == ["job"]


def test_functions():
    async def go():
        cloud = aio.Connection(connection(Transport(Told(200, b"1\n2\n"))))
        return await cloud.map(size, "swift://~/c/*")

    assert asyncio.run(go()) == [1, 2]


def test_futures(cluster):
    cluster.objects["/.zvm/jobs/new/result"] = b"3\n"

    async def go():
        future = await aio.Connection(cluster.cloud).submit_map(size, "swift://~/c/o")
        (done,) = (await aio.wait([future])).done
        assert done is future
        assert await future.exception() is None
        return future.id, await future.done(), await future

    assert asyncio.run(go()) == ("new", True, [3])


def test_what_every_connection_does():
    async def go():
        cloud = aio.Connection(connection(Transport(Told(200, b'{"zerocloud": {}}', {"Content-Type": "application/json"}))))
        assert await cloud.information() == {"zerocloud": {}}
        assert (await cloud.run([{"name": "n"}])).status == 200
        assert (await cloud.request("GET", "/c")).status_code == 200
        return await cloud.explain([{"name": "n"}])

    assert asyncio.run(go()) == '{"zerocloud": {}}'


def test_signing_in(monkeypatch):
    for name in ("OS_CLOUD", "OS_STORAGE_URL", "ST_AUTH", "OS_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)

    async def go():
        async with aio.connect():
            pass

    with pytest.raises(LoginError):
        asyncio.run(go())
    monkeypatch.setenv("OS_STORAGE_URL", "http://h/v1/AUTH_x")
    monkeypatch.setenv("OS_AUTH_TOKEN", "t")
    asyncio.run(go())


def test_it_has_every_method_of_the_library():
    from zerocloud import client

    for there, here in ((client.Connection, aio.Connection), (client.Job, aio.Job), (client.Future, aio.Future)):
        missing = {name for name in vars(there) if not name.startswith("_")} - set(vars(here))
        assert missing <= {"body", "lines", "close", "show", "known_status", "connection", "id", "job"}, missing


def size(file):
    return len(file.read())
