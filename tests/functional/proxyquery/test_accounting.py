"""What jobs used: lines in the log, objects for whoever bills, numbers for statsd."""

from __future__ import annotations

import re
import socket

import pytest
from swift.common.concurrency import sleep

from tests.functional.proxyquery.conftest import watched
from tests.functional.proxyquery.harness import ACCOUNT, Answer, World, device, node

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - ([\w-]+) \((.*)\) \[(.*)\]")


@pytest.fixture
def statsd():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


@pytest.fixture
def world(tmp_path, statsd):
    options = {
        "zerovm_accounting_enabled": "yes",
        "user_stats_account": "AUTH_stats",
        "zerovm_keep_jobs": "no",
        "log_statsd_host": "127.0.0.1",
        "log_statsd_port": str(statsd.getsockname()[1]),
    }
    yield from watched(World(tmp_path, **options), tmp_path)


def accounts(world, job):
    """The object with a job's accounts, as soon as it is there."""
    for _ in range(500):
        for path, (data, _) in world.pipeline.objects.items():
            if path.startswith(f"AUTH_stats/{ACCOUNT}/") and path.endswith(f"/{job}.log"):
                return path, data.decode()
        sleep(0.01)
    raise AssertionError(list(world.pipeline.objects))


def counted(statsd):
    """The numbers that were sent, by their names."""
    found = {}
    try:
        while True:
            name, _, value = statsd.recv(2000).decode().partition(":")
            found.setdefault(name, []).append(value)
    except BlockingIOError:
        return found


def test_an_object_for_each_job(world):
    world.every(run=lambda job: Answer({"stdout": b""}, status="ok [really]"))
    job = world.post(*(node(world, device("stdout"), name=name) for name in ("a", "b"))).headers["X-Zerovm-Job"]
    path, text = accounts(world, job)
    assert re.fullmatch(rf"AUTH_stats/{ACCOUNT}/\d{{4}}/\d\d/\d\d/{job}\.log", path)
    lines = text.splitlines()
    assert [LINE.fullmatch(line)[1] for line in lines] == ["a", "b"]
    assert LINE.fullmatch(lines[0])[2] == "0.010, 0.01 0.00 1 2 3 4 5 6 7 8"
    assert not [name for name in world.pipeline.objects if "/.zvm/" in name]


def test_a_line_of_the_log_for_each_session(world, caplog):
    caplog.set_level("INFO")
    world.post(node(world, device("stdout"), name="a"))
    assert f"zerovm-cdr {ACCOUNT} - a (0.010, 0.01 0.00 1 2 3 4 5 6 7 8) [ok]" in caplog.text


def test_numbers_for_statsd(world, statsd):
    world.post(node(world, device("stdout")))
    found = counted(statsd)
    assert found["proxy-query.jobs.succeeded"] == ["1|c"]
    assert found["proxy-query.sessions.succeeded"] == ["1|c"]
    assert found["proxy-query.bytes.read"] == ["8|c"]  # 2 from files and 6 from the network
    assert found["proxy-query.bytes.written"] == ["12|c"]
    assert {"proxy-query.job.timing", "proxy-query.queue.timing"} <= set(found)
    world.every(run=lambda job: Answer({}, retcode=1, error="it failed"))
    world.post(node(world, retries=1))
    found = counted(statsd)
    assert found["proxy-query.jobs.failed"] == ["1|c"]
    assert found["proxy-query.retries"] == ["1|c"]
