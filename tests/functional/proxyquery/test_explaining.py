"""A job that is explained is planned, authorized and placed like one that is run; and nothing is run."""

from __future__ import annotations

import json

import pytest
from swift.common.swob import HTTPForbidden

from tests.functional.proxyquery.harness import ACCOUNT, device, node, text


def explain(world, *groups, **headers):
    return world.post(*groups, X_Zerovm_Execute="explain/1.0", **headers)


def told(world, *groups, **headers):
    answer = explain(world, *groups, Accept="application/json", **headers)
    assert (answer.status_int, answer.content_type) == (200, "application/json"), text(answer)
    return json.loads(answer.body)


def job(world):
    world.pipeline.put("c/in-1", b"x" * 1000)
    world.pipeline.put("c/in-2", b"x" * 3000)
    return node(world, device("stdin", "c/in-*"), device("stdout"), name="w")


def test_servers_sizes_and_limits_are_those_of_the_cluster(world):
    found = told(world, job(world))
    first, second = found["nodes"]
    holders = {server.partition(":")[0] for server in first["servers"]}
    assert holders == world.holders("c/in-1")
    assert "primaries of partition" in first["why"]
    assert [transfer["size"] for transfer in second["brought"]] == [4]
    assert (found["totals"]["local_bytes"], found["totals"]["pushed_bytes"]) == (4000, 8)
    assert found["limits"]["maxnodes"] == 10000
    assert found["drawings"]["mermaid"].startswith("flowchart")


def test_nothing_is_run(world):
    explain(world, job(world))
    assert world.asked() == 0
    assert ("PUT", f"{ACCOUNT}/c/o") not in world.pipeline.requests


@pytest.mark.parametrize(
    ("accept", "content_type", "start"),
    [
        ("*/*", "text/plain", "id  node"),
        ("text/html, text/*;q=0.5", "text/plain", "id  node"),
        ("text/vnd.mermaid", "text/vnd.mermaid", "flowchart LR"),
        ("text/vnd.graphviz", "text/vnd.graphviz", "digraph job"),
        ("nonsense", "text/plain", "id  node"),
        ("image/png", "text/plain", "id  node"),
    ],
)
def test_the_client_chooses_the_form(world, accept, content_type, start):
    answer = explain(world, job(world), Accept=accept)
    assert answer.content_type == content_type
    assert text(answer).startswith(start)


def test_the_rights_are_those_of_a_run(world):
    group = job(world)
    assert explain(world, group, authorize=lambda request: HTTPForbidden(request=request)).status_int == 403

    def no_outputs(request):
        return HTTPForbidden(request=request) if request.method == "PUT" else None

    assert explain(world, group, authorize=no_outputs).status_int == 200
    writing = {**group, "devices": [*group["devices"][:1], device("stdout", "c/out-*")]}
    assert explain(world, writing, authorize=no_outputs).status_int == 403


def test_what_can_not_be_read_has_no_size(world):
    group = job(world)
    del world.pipeline.objects[f"{ACCOUNT}/c/exe"]
    found = told(world, group)
    assert found["nodes"][0]["brought"][0]["size"] is None
    assert found["totals"]["unknown"] == 1


def test_automatic_counts_are_what_the_hosts_run_at_once(world):
    found = told(world, node(world, device("stdout"), count="auto"))
    assert len(found["nodes"]) == 4 * 10


def test_mistakes_are_told_as_json_to_who_wants_it(world):
    wrong = {**job(world), "count": 0, "devces": []}
    for execute in ("1.0", "explain/1.0"):
        answer = world.post(wrong, X_Zerovm_Execute=execute, Accept="application/json")
        assert (answer.status_int, answer.content_type) == (400, "application/json")
        body = json.loads(answer.body)
        assert {problem["pointer"] for problem in body["problems"]} == {"/0/count", "/0/devces"}
        assert any("devices" in problem["cure"] for problem in body["problems"])
        assert body["error"] == text(world.post(wrong, X_Zerovm_Execute=execute)).strip()


def test_other_errors_are_json_too(world):
    answer = world.post(body=b"[{", Accept="application/json")
    assert answer.status_int == 422
    assert json.loads(answer.body)["problems"][0]["reason"].startswith("Could not parse system map")
    untyped = world.post(body=b"[]", Content_Type="", Accept="application/json")
    assert (untyped.status_int, json.loads(untyped.body)) == (400, {"error": "Must specify Content-Type"})
