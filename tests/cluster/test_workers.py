"""Several processes behind the proxy's one port: jobs are the same through any of them."""

from __future__ import annotations

import signal
import socket
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import simplejson

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import node, nothing_left, program, run
from tests.cluster.test_job_records import PATIENCE, ask, ended, running_job, soon
from zerocloud.zebra import Zebra
from zerocloud.zebra.processes import Process

JOBS = 12


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    with Zebra(tmp_path_factory.mktemp("workers") / "zebra", nodes=1, proxy_workers=2, destroy=True) as zebra:
        yield zebra


def worker_of(job: str) -> str:
    """Digits of a job's id that tell which process gave it."""
    return job[11:14]


def digits_of(process: Process) -> str:
    return f"{zlib.crc32(f'{socket.gethostname()}-{process.pid}'.encode()) & 0xFFF:03x}"


def client_at(zebra: Zebra, name: str) -> Client:
    """A client whose one connection is to this worker: the others can't take it while they are stopped."""
    others = [one.process for one in zebra.state().members if one.name.startswith("proxy") and one.name != name]
    for process in others:
        process.signal(signal.SIGSTOP)
    try:
        client = connect(zebra)
        client.get()
    finally:
        for process in others:
            process.signal(signal.SIGCONT)
    return client


@pytest.fixture(scope="module")
def clients(pair: Zebra) -> Iterator[tuple[Client, Client]]:
    with closing(client_at(pair, "proxy")) as first, closing(client_at(pair, "proxy2")) as second:
        first.put_container("c")
        yield first, second


def test_a_job_is_seen_and_cancelled_through_another_worker(pair: Zebra, clients: tuple[Client, Client]) -> None:
    first, second = clients
    with nothing_left(pair):
        started = run(first, node(program(first, "c", "loop"), name="spinner"), X_Zerovm_Deferred="always")
        job = started.headers["X-Zerovm-Job"]
        assert worker_of(job) == digits_of(pair.state().member("proxy").process)
        other = run(second, node(program(second, "c", "arguments")))
        assert worker_of(other.headers["X-Zerovm-Job"]) == digits_of(pair.state().member("proxy2").process)
        assert running_job(second, "spinner") == job
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(ask, connect(pair), f"zerovm=job&id={job}&events")
            assert ask(second, f"zerovm=job&id={job}", "DELETE").status_code in (200, 202)
            assert (ended(second, job)["state"], ended(first, job)["state"]) == ("cancelled", "cancelled")
            told = watching.result(PATIENCE).text
    last = simplejson.loads(told.rpartition("event: end\ndata: ")[2])
    assert (last["id"], last["state"]) == (job, "cancelled")


def test_jobs_of_all_workers_are_in_one_list(pair: Zebra, clients: tuple[Client, Client]) -> None:
    url = program(clients[0], "c", "arguments")
    with nothing_left(pair):
        answers = [run(clients[number % 2], node(url)) for number in range(JOBS)]
    assert [answer.status_code for answer in answers] == [200] * JOBS
    jobs = {answer.headers["X-Zerovm-Job"] for answer in answers}
    assert len({worker_of(job) for job in jobs}) == 2
    for client in clients:
        soon(lambda client=client: jobs <= {line["id"] for line in ask(client, "zerovm=jobs&state=succeeded").json()["jobs"]})


def test_what_one_worker_changes_holds_for_the_other(clients: tuple[Client, Client]) -> None:
    first, second = clients
    first.put_container("endpoint")
    address = second.url.replace("/v1/", "/api/") + "/endpoint/"
    assert second.session.get(address).status_code == 404
    zapp = f"swift://{second.url.rpartition('/')[2]}/endpoint/map"
    first.request("POST", "endpoint", X_Container_Meta_Rest_Endpoint=zapp).raise_for_status()
    first.put("endpoint/map", simplejson.dumps([node(program(first, "c", "arguments"))]), Content_Type="application/json")
    assert second.session.get(address).status_code == 200
