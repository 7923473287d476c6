"""Jobs as things: listed, shown, watched and cancelled while they run and afterwards."""

from __future__ import annotations

import json

import pytest
from swift.common.concurrency import Event, spawn
from swift.common.swob import HTTPForbidden, Request

from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, text


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
