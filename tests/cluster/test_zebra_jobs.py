"""Executor services belong to their Zebra: they come with the first job and are gone with it, whatever it is doing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.cluster import jobs
from tests.cluster.conftest import connect
from tests.cluster.zebra_shell import all_gone, processes_of, wait_for
from zerocloud.zebra import Zebra, status


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Zebra]:
    """A Zebra that may be broken."""
    with Zebra(tmp_path / "zebra", nodes=2) as running:
        yield running
    assert processes_of(tmp_path / "zebra") == []


def executors(zebra: Zebra) -> list[str]:
    return [process["name"] for process in status.report(zebra.layout)["processes"] if process["name"].startswith("zerovm")]


@pytest.fixture
def busy(own: Zebra) -> Iterator[None]:
    """A job that runs for ever."""
    client = connect(own)
    client.put_container("c")
    url = jobs.program(client, "c", "loop")

    def run() -> None:
        with suppress(requests.ConnectionError):
            jobs.run(client, jobs.node(url))

    job = threading.Thread(target=run, daemon=True)
    assert executors(own) == []
    job.start()
    # A service that has had no caller yet waits longer for one; its log tells when the session begins.
    assert wait_for(lambda: "compiled" in own.log_text("zerovm*") and bool(jobs.sessions(own)))
    assert len(executors(own)) == 1
    yield
    job.join(60)
    assert not job.is_alive()
    client.close()


@pytest.mark.usefixtures("busy")
def test_down_in_the_middle_of_a_job(own: Zebra) -> None:
    own.down()
    assert processes_of(own.layout.directory) == []


@pytest.mark.usefixtures("busy")
def test_a_crash_in_the_middle_of_a_job(own: Zebra) -> None:
    own.state().supervisor.signal(signal.SIGKILL)
    assert all_gone(own.layout.directory)


def test_a_job_after_a_restart(own: Zebra) -> None:
    client = connect(own)
    client.put_container("c")
    url = jobs.program(client, "c", "copy")
    client.put("c/o", b"content")
    group = jobs.node(url, devices=[jobs.stdin("c", "o"), jobs.stdout()])
    assert jobs.run(client, group).content == b"content"
    own.down()
    own.up()
    again = connect(own)
    response = jobs.run(again, group)
    assert (response.status_code, response.content) == (200, b"content")
