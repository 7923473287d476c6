"""What jobs are called while they live, whether their process does, and what their records' types tell."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from zerocloud.proxyquery.jobs.events import events
from zerocloud.proxyquery.jobs.owner import is_gone, this_process
from zerocloud.proxyquery.jobs.states import NODE_STATES, JobState, state_under_way
from zerocloud.proxyquery.jobs.store import content_type, read_entry
from zerocloud.proxyquery.scheduler import Phase


@pytest.mark.parametrize(
    ("phases", "state"),
    [
        ([], JobState.QUEUED),
        ([Phase.QUEUED, Phase.CONNECTING, Phase.ADMITTED], JobState.QUEUED),
        ([Phase.QUEUED, Phase.RUNNING], JobState.RUNNING),
        ([Phase.QUEUED, Phase.PUBLISHED], JobState.RUNNING),
        ([Phase.ANSWERED, Phase.RUNNING], JobState.RUNNING),
        ([Phase.PUBLISHED, Phase.PUBLISHING], JobState.PUBLISHING),
        ([Phase.FAILED, Phase.ANSWERED], JobState.PUBLISHING),
    ],
)
def test_a_job_under_way(phases, state):
    assert state_under_way(phases) is state
    assert not state.ended


def test_every_phase_has_a_word():
    assert set(NODE_STATES) == set(Phase)


def test_a_process_that_has_ended_is_gone():
    code = "from zerocloud.proxyquery.jobs.owner import this_process; print(this_process(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        name = other.stdout.readline().strip()
        assert name.split("-")[1] == str(other.pid)
        assert not is_gone(name)
        other.stdin.close()
        other.wait()
        assert is_gone(name)
    assert not is_gone(this_process())


def test_a_process_that_got_the_number_of_another_is_another():
    host, process, start = this_process().split("-")
    assert process == str(os.getpid())
    assert is_gone(f"{host}-{process}-{int(start) + 1}")


@pytest.mark.parametrize("owner", ["", "x", "0123456789ab-1-1", "-1-1", "0123456789ab-" + "9" * 400 + "-1"])
def test_what_this_host_can_not_know(owner):
    assert not is_gone(owner)


def test_a_records_type_tells_what_a_list_needs():
    job = f"{int(time.time() * 1000):011x}abc001"
    kind = content_type({"state": "failed", "nodes": 7, "status": 500}, 1764039000.123, this_process())
    entry = read_entry(job, kind, "2026-11-25T02:50:00.123450")
    assert (entry.state, entry.nodes, entry.status, entry.ended) == (JobState.FAILED, 7, 500, 1764039000.123)
    assert entry.seen is JobState.FAILED
    assert read_entry(job, kind, "Wed, 25 Nov 2026 02:50:00 GMT").recorded == 1795575000
    running = content_type({"state": "running", "nodes": 7, "status": None}, None, this_process())
    assert read_entry(job, running, "2000-01-01T00:00:00.000000").seen is JobState.LOST
    for strange in ("", "Wed", "2026-11-25T02:50:00.1234567890"):
        assert read_entry(job, kind, strange) is None


def shown(state, *rows):
    counts = {"running": len(rows)}
    value = {"id": "j", "state": state, "created": "", "ended": None, "nodes": len(rows), "status": None, "counts": counts}
    return value | {"error": "", "table": [{"id": number, "state": word} for number, word in enumerate(rows)]}


def test_events_tell_only_what_has_changed():
    looks = iter(
        [shown("running", "queued", "queued"), shown("running", "running", "queued"), shown("succeeded", "done", "queued")]
    )
    names = [
        [line.partition(": ")[2] for line in piece.decode().splitlines() if line.startswith("event")]
        for piece in events(lambda: next(looks), pause=0)
    ]
    assert names == [[], ["node", "node", "job"], ["node"], ["node", "job"], ["end"]]


def test_events_of_a_job_that_is_forgotten_end():
    looks = iter([shown("running", "running"), None])
    *_, last = events(lambda: next(looks), pause=0)
    assert last.startswith(b"event: end")
    assert b'"state": null' in last
