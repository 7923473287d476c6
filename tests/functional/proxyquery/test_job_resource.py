"""Jobs as things: listed, shown, watched and cancelled while they run and afterwards."""

from __future__ import annotations

import json
import time

import pytest
from swift.common.concurrency import Event, sleep, spawn
from swift.common.swob import HTTPForbidden, Request

from tests.functional.proxyquery.conftest import watched
from tests.functional.proxyquery.harness import ACCOUNT, Answer, World, device, node, text
from zerocloud.proxyquery.jobs.owner import this_process


@pytest.fixture
def world(tmp_path, request):
    yield from watched(World(tmp_path, **getattr(request, "param", {})), tmp_path)


def ask(world, query, method="GET", authorize=None, **headers):
    request = Request.blank(f"/v1/{ACCOUNT}?{query}", method=method, headers=headers)
    if authorize is not None:
        request.environ["swift.authorize"] = authorize
    return request.get_response(world.filter)


def told(world, query, method="GET", **headers):
    answer = ask(world, query, method, **headers)
    assert answer.status_int == 200, text(answer)
    return json.loads(answer.body)


class Running:
    """A job whose only node ends when the test says so."""

    def __init__(self, world, **headers):
        self.started, self.go = Event(), Event()

        def run(job):
            if not self.started.ready():
                self.started.send()
            self.go.wait()
            return Answer({"stdout": b"done"})

        world.every(run=run)
        self.thread = spawn(world.post, node(world, device("stdout"), name="slow"), **headers)
        self.started.wait()

    def end(self):
        self.go.send()
        return self.thread.wait()


def test_a_job_under_way_is_listed_shown_and_ends(world):
    running = Running(world)
    (listed,) = told(world, "zerovm=jobs")["jobs"]
    assert (listed["state"], listed["nodes"], listed["ended"]) == ("running", 1, None)
    shown = told(world, f"zerovm=job&id={listed['id']}")
    assert shown["table"][0]["name"] == "slow"
    assert shown["table"][0]["state"] == "running"
    assert shown["counts"] == {"running": 1}
    assert shown["map"][0]["name"] == "slow"
    answer = running.end()
    assert (answer.status_int, answer.headers["X-Zerovm-Job"]) == (200, listed["id"])


def test_a_cancelled_job_answers_and_leaves_its_server(world):
    running = Running(world)
    (listed,) = told(world, "zerovm=jobs")["jobs"]
    assert told(world, f"zerovm=job&id={listed['id']}", "DELETE")["state"] == "cancelled"
    answer = running.thread.wait()
    assert answer.status_int == 409
    assert "cancelled on request" in text(answer)
    running.go.send()


def test_events_tell_how_a_job_goes_on(world):
    running = Running(world)
    (listed,) = told(world, "zerovm=jobs")["jobs"]
    stream = ask(world, f"zerovm=job&id={listed['id']}&events")
    assert stream.content_type == "text/event-stream"
    pieces = iter(stream.app_iter)
    assert next(pieces).startswith(b"retry")
    assert b'"state": "running"' in next(pieces)
    running.end()
    rest = b"".join(pieces).decode()
    assert '"state": "succeeded"' in rest
    assert rest.rstrip().rpartition("event: ")[2].startswith("end")


def test_only_the_owner_asks_about_jobs(world):
    for query in ("zerovm=jobs", "zerovm=job&id=1", "zerovm=job&id=1&events"):
        for method in ("GET", "DELETE"):
            assert ask(world, query, method, authorize=lambda request: HTTPForbidden(request=request)).status_int == 403


@pytest.mark.parametrize(
    ("method", "query", "status", "says"),
    [
        ("GET", "zerovm=job", 400, "id="),
        ("GET", "zerovm=job&id=nobody", 404, "nobody"),
        ("DELETE", "zerovm=job&id=nobody", 404, "nobody"),
        ("PUT", "zerovm=job&id=nobody", 405, "PUT"),
        ("GET", "zerovm=jobs&state=odd", 400, "odd"),
        ("GET", "zerovm=jobs&limit=0", 400, "limit"),
        ("GET", "zerovm=jobs&limit=x", 400, "limit"),
    ],
)
def test_what_can_not_be_asked(world, method, query, status, says):
    answer = ask(world, query, method)
    assert answer.status_int == status
    assert says in text(answer)
    told_as_json = ask(world, query, method, Accept="application/json")
    assert says in json.loads(told_as_json.body)["error"]


def test_other_requests_of_an_account_pass(world):
    ask(world, "format=json&zerovm=jobless")
    Request.blank(f"/v1/{ACCOUNT}/c?zerovm=jobs").get_response(world.filter)
    assert [path for _, path in world.pipeline.requests] == [ACCOUNT, f"{ACCOUNT}/c"]


def elsewhere(world, query, method="GET"):
    """What another proxy says, which knows no more than the records."""
    return Request.blank(f"/v1/{ACCOUNT}?{query}", method=method).get_response(world.elsewhere)


def soon(look):
    """What ``look`` gives as soon as it gives something."""
    for _ in range(1000):
        if found := look():
            return found
        sleep(0.01)
    raise AssertionError("it never came")


def record(world, job):
    """The record of an ended job, as soon as it is written."""

    def look():
        answer = elsewhere(world, f"zerovm=job&id={job}")
        value = json.loads(answer.body) if answer.status_int == 200 else {"state": "running"}
        return value if value["state"] not in ("queued", "running", "publishing") else None

    return soon(look)


def test_an_ended_job_can_be_looked_at_everywhere(world):
    world.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}  # as after the first job
    world.every(run=lambda job: Answer({"stdout": b"<answer>"}, {"stdout": {"Content-Type": "text/x-answer"}}))
    answer = world.post(node(world, device("stdout"), name="n"))
    job = answer.headers["X-Zerovm-Job"]
    found = record(world, job)
    assert (found["state"], found["status"], found["body"]) == ("succeeded", 200, {"size": 8, "base64": "PGFuc3dlcj4="})
    (row,) = found["table"]
    assert (row["name"], row["state"], row["attempts"], row["exit_code"], row["status"]) == ("n", "succeeded", 1, 0, "ok")
    assert found["created"] <= row["admitted"] <= row["started"] <= row["ended"] <= row["published"] <= found["ended"]
    assert found["headers"]["X-Nexe-System"] == "n"
    body = elsewhere(world, f"zerovm=job&id={job}&part=body")
    assert (body.body, body.content_type) == (b"<answer>", "text/x-answer")
    assert json.loads(elsewhere(world, f"zerovm=job&id={job}&part=map").body) == found["map"]
    assert world.pipeline.count("PUT", f".zvm/jobs/{job}/record") == 1


def test_a_failed_job_keeps_its_story_and_last_words(world):
    world.every(run=lambda job: Answer({"stderr.story": b"alas\n"}, retcode=3, error="it exited with code 3"))
    answer = world.post(node(world, device("stdout"), name="culprit"))
    assert answer.status_int == 500
    found = record(world, answer.headers["X-Zerovm-Job"])
    assert (found["state"], found["status"]) == ("failed", 500)
    assert "culprit" in found["error"]
    (failure,) = found["failures"].values()
    assert failure["stderr"] == "alas\n"
    assert any("code 3" in line for _, line in failure["story"])
    assert found["table"][0]["exit_code"] == 3


def test_records_go_by_themselves_and_belong_to_the_proxy(world):
    def authorize(request):
        return HTTPForbidden(request=request) if "/.zvm" in request.path else None

    answer = world.post(node(world), authorize=authorize)
    job = answer.headers["X-Zerovm-Job"]
    record(world, job)
    _, headers = world.pipeline.objects[f"{ACCOUNT}/.zvm/jobs/{job}/record"]
    assert headers["X-Delete-After"] == str(7 * 86400)


@pytest.mark.parametrize("world", [{"zerovm_keep_jobs": "no"}], indirect=True)
def test_no_records_where_none_are_wanted(world):
    answer = world.post(node(world))
    assert answer.status_int == 200
    world.settle()
    assert not [name for name in world.pipeline.objects if "/.zvm/" in name]
    assert told(world, "zerovm=jobs")["jobs"] == []


def test_the_list_has_pages_and_states(world):
    ids = []
    for retcode in (0, 3, 0, 3, 0):
        world.every(run=lambda job, code=retcode: Answer({}, retcode=code, error="it failed" if code else ""))
        ids.insert(0, world.post(node(world)).headers["X-Zerovm-Job"])
    for job in ids:
        record(world, job)
    for ask_for in (lambda query: told(world, query), lambda query: json.loads(elsewhere(world, query).body)):
        assert [line["id"] for line in ask_for("zerovm=jobs")["jobs"]] == ids
        first = ask_for("zerovm=jobs&limit=2")
        assert [line["id"] for line in first["jobs"]] == ids[:2]
        second = ask_for(f"zerovm=jobs&limit=3&marker={first['next']}")
        assert [line["id"] for line in second["jobs"]] == ids[2:]
        assert second["next"] is None
        failed = ask_for("zerovm=jobs&state=failed")["jobs"]
        assert [(line["id"], line["state"], line["status"], line["nodes"]) for line in failed] == [
            (ids[1], "failed", 500, 1),
            (ids[3], "failed", 500, 1),
        ]


def test_a_job_is_seen_and_cancelled_from_another_proxy(world):
    running = Running(world, X_Zerovm_Deferred="always")
    job = running.thread.wait().headers["X-Zerovm-Job"]
    assert json.loads(elsewhere(world, f"zerovm=job&id={job}").body)["state"] in ("queued", "running")
    stream = iter(elsewhere(world, f"zerovm=job&id={job}&events").app_iter)
    next(stream)
    assert elsewhere(world, f"zerovm=job&id={job}", "DELETE").status_int in (200, 202)
    assert record(world, job)["state"] == "cancelled"
    assert b'"state": "cancelled"' in b"".join(stream)
    assert elsewhere(world, f"zerovm=job&id={job}", "DELETE").status_int == 200
    soon(lambda: not [name for name in world.pipeline.objects if "/.zvm/cancel/" in name])
    running.go.send()


def test_what_has_ended_can_not_be_cancelled(world):
    job = world.post(node(world)).headers["X-Zerovm-Job"]
    record(world, job)
    answer = elsewhere(world, f"zerovm=job&id={job}", "DELETE")
    assert answer.status_int == 409
    assert "succeeded" in text(answer)


def write_record(world, job, kind, **changes):
    value = {"created": "2026", "ended": None, "nodes": 1, "status": None, "counts": {}, "error": "", "headers": {}}
    value |= {"body": None, "table": [], "failures": {}, "map": [], **changes}
    world.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}
    world.pipeline.put(f".zvm/jobs/{job}/record", json.dumps(value).encode(), **{"Content-Type": kind})
    world.pipeline.stored[f"{ACCOUNT}/.zvm/jobs/{job}/record"] = time.time()


def test_a_job_whose_proxy_died_is_lost(world):
    job = f"{int(time.time() * 1000):011x}abc001"
    alive, dead = this_process(), this_process().rpartition("-")[0] + "-1"
    kind = "application/json; state=running; nodes=1; owner="
    write_record(world, job, kind + alive)
    assert told(world, f"zerovm=job&id={job}")["state"] == "running"
    write_record(world, job, kind + dead)
    assert told(world, f"zerovm=job&id={job}")["state"] == "lost"
    (line,) = told(world, "zerovm=jobs&state=lost")["jobs"]
    assert line["id"] == job
    assert ask(world, f"zerovm=job&id={job}", "DELETE").status_int == 409
    write_record(world, job, kind + "0123456789ab-1-1")  # another host's: only its silence tells
    assert told(world, f"zerovm=job&id={job}")["state"] == "running"
    world.pipeline.stored[f"{ACCOUNT}/.zvm/jobs/{job}/record"] -= 3600
    assert told(world, f"zerovm=job&id={job}")["state"] == "lost"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("text/plain", {}),
        ("application/json; state=odd; nodes=1", {}),
        ("application/json; state=succeeded; nodes=x", {}),
        ("application/json; state=succeeded; nodes=1; ended=" + "9" * 5000, {}),
        ("application/json; state=succeeded; nodes=1", {"table": ["x"]}),
        ("application/json; state=succeeded; nodes=1", {"headers": 1}),
        ("application/json; state=succeeded; nodes=1", {"nodes": "many"}),
    ],
)
def test_a_record_that_somebody_else_wrote_does_no_harm(world, kind, changes):
    job = f"{int(time.time() * 1000):011x}abc001"
    write_record(world, job, kind, **changes)
    assert ask(world, "zerovm=jobs").status_int == 200
    for query in ("", "&part=body", "&events"):
        answer = ask(world, f"zerovm=job&id={job}{query}")
        assert answer.status_int == 500
        assert "not one that a proxy wrote" in text(answer)


def test_a_forged_body_can_not_write_headers(world):
    job = f"{int(time.time() * 1000):011x}abc001"
    kind = "application/json; state=succeeded; nodes=1; status=200"
    headers = {"Content-Type": "text/plain\r\nSet-Cookie: x=y\ud800"}
    for body in ({"size": "1\r\nX: y", "base64": "****"}, {"base64": 7}):
        write_record(world, job, kind, headers=headers, body=body)
        answer = ask(world, f"zerovm=job&id={job}&part=body")
        assert answer.status_int == 200
        assert not [value for value in answer.headers.values() if "\n" in value or "\r" in value]


def test_a_hang_up_is_recorded_as_cancelled(world):
    running = Running(world)
    (listed,) = told(world, "zerovm=jobs")["jobs"]
    live = world.filter._cluster.recorder.jobs.find(ACCOUNT, listed["id"])
    live.cancel("cancelled because the client closed its connection")
    running.thread.wait()
    found = record(world, listed["id"])
    assert (found["state"], found["error"]) == ("cancelled", "cancelled because the client closed its connection")
    running.go.send()


def test_a_record_that_can_not_be_written_harms_nobody(world):
    world.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}
    world.pipeline.full.add(f"{ACCOUNT}/.zvm/")
    answer = world.post(node(world))
    assert answer.status_int == 200
    soon(lambda: not told(world, "zerovm=jobs")["jobs"])


def test_many_first_jobs_make_one_container(world):
    threads = [spawn(world.post, node(world, device("stdout"), name=f"n{number}")) for number in range(12)]
    for thread in threads:
        thread.wait()
    soon(lambda: len([name for name in world.pipeline.objects if name.startswith(f"{ACCOUNT}/.zvm/jobs/")]) == 12)
    assert world.pipeline.count("PUT", ".zvm") == 1
