"""Jobs whose clients don't wait: what they are told, and where the answer lies in the end."""

from __future__ import annotations

import json

import pytest
from swift.common.concurrency import Event, sleep
from swift.common.swob import HTTPForbidden, Request

from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, text

WAIT = 500


def wait_for(world, path):
    """The object that a job leaves, as soon as it is there."""
    for _ in range(WAIT):
        if f"{ACCOUNT}/{path}" in world.pipeline.objects:
            return world.pipeline.objects[f"{ACCOUNT}/{path}"][0]
        sleep(0.01)
    raise AssertionError(f"{path} never came: {list(world.pipeline.objects)}")


def test_the_answer_lies_beside_the_record(world):
    world.every(run=lambda job: Answer({"stdout": b"later"}, {"stdout": {"Content-Type": "text/x-late"}}))
    world.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}
    answer = world.post(node(world, device("stdout"), name="n"), X_Zerovm_Deferred="always")
    job = answer.headers["X-Zerovm-Job"]
    assert (answer.status_int, text(answer)) == (200, f"swift://{ACCOUNT}/.zvm/jobs/{job}/result")
    headers = json.loads(wait_for(world, f".zvm/jobs/{job}/result.headers"))
    assert wait_for(world, f".zvm/jobs/{job}/result") == b"later"
    assert (headers["Content-Type"], headers["X-Nexe-System"]) == ("text/x-late", "n")


def test_an_answer_that_has_no_body_is_empty(world):
    world.every(run=lambda job: Answer({"stdout": b"not to be sent"}, {"stdout": {"Status": "204 Done"}}))
    answer = world.post(node(world, device("stdout"), name="n"), X_Zerovm_Deferred="always")
    job = answer.headers["X-Zerovm-Job"]
    assert wait_for(world, f".zvm/jobs/{job}/result.headers")
    assert wait_for(world, f".zvm/jobs/{job}/result") == b""


def test_a_failure_is_an_answer_too(world):
    world.every(run=lambda job: Answer({"stdout": b""}, retcode=3, error="it exited with code 3"))
    world.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}
    answer = world.post(node(world, device("stdout"), name="culprit"), X_Zerovm_Deferred="always")
    job = answer.headers["X-Zerovm-Job"]
    assert b"culprit" in wait_for(world, f".zvm/jobs/{job}/result")


def test_a_mistake_is_told_at_once(world):
    answer = world.post({"name": "n"}, X_Zerovm_Deferred="always")
    assert answer.status_int == 400
    assert world.post(node(world), X_Zerovm_Deferred="perhaps").status_int == 400


def test_auto_waits_for_short_jobs_only(world):
    group = node(world, device("stdout"))
    world.every(run=lambda job: Answer({"stdout": b"quick"}))
    assert text(world.post(group, X_Zerovm_Deferred="auto")) == "quick"


@pytest.fixture
def hasty(tmp_path):
    from tests.functional.proxyquery.conftest import watched
    from tests.functional.proxyquery.harness import World

    yield from watched(World(tmp_path, interactive_timeout="0.05"), tmp_path)


def test_auto_defers_long_jobs(hasty):
    go = Event()

    def run(job):
        go.wait()
        return Answer({"stdout": b"late"})

    hasty.every(run=run)
    hasty.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}
    answer = hasty.post(node(hasty, device("stdout")), X_Zerovm_Deferred="auto")
    job = answer.headers["X-Zerovm-Job"]
    assert text(answer).endswith(f"{job}/result")
    go.send()
    assert wait_for(hasty, f".zvm/jobs/{job}/result") == b"late"
    wait_for(hasty, f".zvm/jobs/{job}/result.headers")


def test_a_result_that_is_named_needs_the_right_to_write_it(world):
    world.pipeline.containers[f"{ACCOUNT}/mine"] = {}

    def authorize(request):
        return HTTPForbidden(request=request) if "/mine" in request.path and request.method == "PUT" else None

    request = Request.blank(
        f"/v1/{ACCOUNT}/mine/answer",
        method="POST",
        headers={"X-Zerovm-Execute": "1.0", "Content-Type": "application/json", "X-Zerovm-Deferred": "always"},
        body=json.dumps([node(world, device("stdout"))]).encode(),
    )
    request.environ["swift.authorize"] = authorize
    answer = request.get_response(world.filter)
    assert text(answer) == f"swift://{ACCOUNT}/mine/answer"
    record = f".zvm/jobs/{answer.headers['X-Zerovm-Job']}/record"
    for _ in range(WAIT):
        found = json.loads(wait_for(world, record))
        if found["state"] == "failed":
            break
        sleep(0.01)
    assert "the answer could not be stored: Status 403" in found["error"]
    assert found["result"] == f"swift://{ACCOUNT}/mine/answer"
    assert f"{ACCOUNT}/mine/answer" not in world.pipeline.objects


@pytest.mark.parametrize("path", ["open/{}/c/zapp", "api/{}/c/zapp"])
def test_the_answer_of_an_address_does_not_take_the_place_of_the_program(world, path):
    endpoint = {"X-Container-Meta-Rest-Endpoint": f"swift://{ACCOUNT}/c/zapp"}
    world.pipeline.containers.update({f"{ACCOUNT}/.zvm": {}, f"{ACCOUNT}/c": endpoint})
    zapp = json.dumps([node(world, device("stdout"))]).encode()
    world.pipeline.put("c/zapp", zapp, **{"Content-Type": "application/json"})
    world.every(run=lambda job: Answer({"stdout": b"later"}))
    request = Request.blank("/" + path.format(ACCOUNT), headers={"X-Zerovm-Deferred": "always"})
    answer = request.get_response(world.filter)
    job = answer.headers["X-Zerovm-Job"]
    assert text(answer) == f"swift://{ACCOUNT}/.zvm/jobs/{job}/result"
    assert wait_for(world, f".zvm/jobs/{job}/result") == b"later"
    wait_for(world, f".zvm/jobs/{job}/result.headers")
    assert world.pipeline.objects[f"{ACCOUNT}/c/zapp"][0] == zapp


def test_a_container_that_is_named_and_missing_is_made(world):
    world.every(run=lambda job: Answer({"stdout": b"later"}))
    request = Request.blank(
        f"/v1/{ACCOUNT}/new/deep/answer",
        method="POST",
        headers={"X-Zerovm-Execute": "1.0", "Content-Type": "application/json", "X-Zerovm-Deferred": "always"},
        body=json.dumps([node(world, device("stdout"))]).encode(),
    )
    assert text(request.get_response(world.filter)) == f"swift://{ACCOUNT}/new/deep/answer"
    assert wait_for(world, "new/deep/answer.headers")
    assert world.pipeline.objects[f"{ACCOUNT}/new/deep/answer"][0] == b"later"
    assert world.pipeline.count("PUT", "new") == 1


def test_a_job_that_comes_to_no_answer_leaves_the_reason(world):
    world.filter._shared().name_servers._maximum = 0  # as if that many networks were open
    groups = [node(world, name="a", connect=["b"]), node(world, name="b")]
    answer = world.post(*groups, X_Zerovm_Deferred="always")
    job = answer.headers["X-Zerovm-Job"]
    assert answer.status_int == 200
    assert b"slot" in wait_for(world, f".zvm/jobs/{job}/result")
    assert json.loads(wait_for(world, f".zvm/jobs/{job}/result.headers"))["Content-Type"].startswith("text/plain")
