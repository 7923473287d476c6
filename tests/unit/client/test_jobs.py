"""Jobs that run by themselves: a small cluster of the test's own that answers as section 19 of the HTTP API says."""

from __future__ import annotations

import base64
import io
import json
import sys
import types

import pytest
import requests

from tests.unit.client.cluster import Cluster
from zerocloud.client import (
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    ClientError,
    JobCancelled,
    JobFailed,
    NotFinished,
    NotReachable,
    Refused,
    as_completed,
    wait,
)
from zerocloud.client import waiting as module


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)


@pytest.fixture
def cluster():
    return Cluster()


def test_a_job_is_submitted_and_its_answer_fetched(cluster):
    cluster.objects = {
        "/.zvm/jobs/new/result": b"done",
        "/.zvm/jobs/new/result.headers": json.dumps({"X-Nexe-System": "n", "X-Nexe-Cdr-Line": "1.500, 0.1, 1 2"}).encode(),
    }
    job = cluster.cloud.submit([{"name": "n"}])
    assert cluster.transport.sent[0].headers["X-Zerovm-Deferred"] == "always"
    answer = job.result()
    assert (answer.job, answer.status, answer.text, answer.seconds) == ("new", 200, "done", 1.5)
    assert [node.name for node in answer.nodes] == ["n"]
    into = io.BytesIO()
    assert job.result(into=into).body == b""
    assert into.getvalue() == b"done"


def test_the_answer_may_come_a_little_later(cluster, monkeypatch):
    job = cluster.add("j", "succeeded", result="swift://AUTH_x/c/late object", status=200)

    def store(seconds):
        cluster.objects = {"/c/late%20object": b"late", "/c/late%20object.headers": b"{}"}

    monkeypatch.setattr(module.time, "sleep", store)
    assert job.result().text == "late"


def test_a_failed_job_tells_its_story(cluster):
    cluster.objects = {"/c/o": b"node n failed", "/c/o.headers": b"{}"}
    more = {"result": "swift://AUTH_x/c/o", "headers": {"X-Nexe-System": "n"}}
    with pytest.raises(JobFailed, match="node n failed"):
        cluster.add("a", "failed", status=500, **more).result()
    with pytest.raises(JobCancelled):
        cluster.add("b", "cancelled", status=409, **more).result()
    error = cluster.add("c", "failed", status=404, error="Error 404 while fetching /a/c/exe").exception()
    assert (error.status, str(error)) == (404, "Error 404 while fetching /a/c/exe")
    with pytest.raises(Refused, match="lost"):
        cluster.add("d", "lost").result()


def test_the_answer_that_somebody_else_got(cluster):
    body = {"size": 4, "base64": base64.b64encode(b"kept").decode()}
    assert cluster.add("a", "succeeded", status=200, headers={"X-Nexe-System": "n"}, body=body).result().body == b"kept"
    with pytest.raises(ClientError, match="not kept"):
        cluster.add("b", "succeeded", status=200, body={**body, "size": 5}).result()


def test_a_caller_does_not_wait_longer_than_it_says(cluster):
    job = cluster.add("j", "running")
    with pytest.raises(NotFinished, match="still runs after 0"):
        job.result(timeout=0)
    with pytest.raises(TimeoutError):
        list(as_completed([job], timeout=0))
    assert not job.done()


def test_cancelling(cluster):
    assert cluster.add("a", "running", "cancelled").cancel()
    assert not cluster.add("b", "succeeded").cancel()
    assert not cluster.cloud.job("unknown").cancel()


def test_waiting_for_many(cluster):
    slow = cluster.add("slow", "running")
    quick = cluster.add("quick", "queued", "succeeded")
    broken = cluster.add("broken", "running", "running", "failed")
    assert wait([slow, quick, broken], return_when=FIRST_COMPLETED) == ({quick}, {slow, broken})
    assert wait([slow, broken], return_when=FIRST_EXCEPTION) == ({broken}, {slow})
    assert wait([slow, quick], timeout=0) == ({quick}, {slow})
    assert wait([]) == (set(), set())


def test_jobs_come_as_they_end(cluster):
    first, second = cluster.add("1", "running", "succeeded"), cluster.add("2", *["running"] * 6, "failed")
    forgotten = cluster.cloud.job("0")
    assert list(as_completed([first, second, forgotten])) == [forgotten, first, second]


def test_jobs_beyond_the_first_page_are_asked_for(cluster, monkeypatch):
    monkeypatch.setattr(module, "LISTED", 1)
    jobs = [cluster.add(str(number), "succeeded") for number in range(3)]
    assert wait(jobs).done == set(jobs)


def test_a_list_of_jobs_goes_on_over_its_pages(cluster, monkeypatch):
    monkeypatch.setattr("zerocloud.client.connection.PAGE", 2)
    for number in range(5):
        cluster.add(str(number), "succeeded")
    assert [status.id for status in cluster.cloud.jobs()] == list("43210")
    assert [status.id for status in cluster.cloud.jobs(limit=3)] == list("432")
    assert cluster.transport.sent[0].url.endswith("zerovm=jobs&limit=2")


HEAD = b'retry: 1000\n\nevent: job\ndata: {"id": "j", "state": "running"}\n\n: still there\n\n'
END = b'event: node\ndata: {"id": 1}\n\nevent: end\ndata: {"state": "succeeded"}\n\n'


def test_events(cluster):
    job = cluster.add("j", "running")
    cluster.events["j"] = [HEAD + END]
    assert [(event.name, event.data.get("state")) for event in job.events()] == [
        ("job", "running"),
        ("node", None),
        ("end", "succeeded"),
    ]


def test_a_stream_that_breaks_off_is_taken_up_again(cluster):
    job = cluster.add("j", "running")
    cluster.events["j"] = [HEAD, requests.ConnectionError("gone"), HEAD + b"event: node\ndata: {", HEAD + END]
    assert [event.name for event in job.events()] == ["job", "job", "job", "node", "end"]
    cluster.events["j"] = [b""] * 10
    with pytest.raises(NotReachable, match="again and again"):
        list(job.events())


def test_what_is_no_event_is_passed_over(cluster):
    job = cluster.add("j", "running")
    cluster.events["j"] = [b"event: job\ndata: {\n\nevent: job\ndata: [1]\n\ndata: {}\n\nevent: end\ndata: {}\n\n"]
    assert [event.name for event in job.events()] == ["end"]
    assert list(cluster.cloud.job("forgotten").events()) == []


def test_jobs_as_html(cluster):
    row = {"name": "<b>", "state": "failed", "server": None, "attempts": 2, "error": "<script>"}
    job = cluster.add("j", "failed", counts={"failed": 1}, table=[row], error="<i>")
    text = job._repr_html_()
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "<i>" not in text
    assert 'value="1" max="1"' in text
    assert "ended" in cluster.cloud.job("forgotten")._repr_html_()


def test_a_job_is_followed_in_a_notebook(cluster, monkeypatch):
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(picture._repr_html_())

    def display(picture, display_id):
        assert display_id
        shown.append(picture._repr_html_())
        return Handle()

    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    job = cluster.add("j", "running")
    row = b'event: node\ndata: {"id": 2, "name": "<n>", "state": "succeeded"}\n\n'
    cluster.events["j"] = [HEAD + row + END]
    job.show()
    assert "<b>queued</b>" in shown[0]
    assert "<b>succeeded</b>" in shown[-1]
    assert "&lt;n&gt;" in shown[-1]
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(ClientError, match="no notebook"):
        job.show()


def length(file):
    return len(file.read())


def test_a_function_that_runs_by_itself():
    cluster = Cluster()
    cluster.objects = {"/.zvm/jobs/new/result": b"3\n4\n", "/.zvm/jobs/new/result.headers": b"{}"}
    future = cluster.cloud.submit_map(length, "swift://~/c/*")
    assert (future.id, repr(future)) == ("new", "<Future of job new>")
    assert wait([future]).done == {future}
    assert (future.done(), future.result(), future.exception()) == (True, [3, 4], None)
    assert list(as_completed([future])) == [future]
