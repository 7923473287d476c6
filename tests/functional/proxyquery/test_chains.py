"""Chains: a job whose answer is a map is followed by the job of that map."""

from __future__ import annotations

import json

import pytest
from swift.common.swob import Request

from tests.functional.proxyquery.harness import ACCOUNT, Answer, text
from tests.functional.proxyquery.test_deferred import wait_for
from tests.functional.proxyquery.test_ways import TAR, access_lists, archive, asked
from zerocloud.chain import filter_factory

MAP = {"Content-Type": "application/json", "X-Zerovm-Execute": "1.0"}


@pytest.fixture
def chain(world):
    world.pipeline.put("c/exe", b"\0asm")

    def make(**options):
        return filter_factory({}, **options)(world.filter)

    return make


def group(name="n", *devices):
    return {"name": name, "exec": {"path": f"swift://{ACCOUNT}/c/exe"}, "devices": list(devices) or [{"name": "stdout"}]}


def ask(application, body, method="POST", path=f"/v1/{ACCOUNT}", authorize=None, user=None, **headers):
    named = {"Content-Type": "application/json", "X-Zerovm-Execute": "1.0"} if path.startswith("/v1") else {}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request.blank(path, method=method, body=body, headers=named)
    if authorize:
        request.environ.update({"swift.authorize": authorize, "REMOTE_USER": user})
    response = request.get_response(application)
    response.body  # noqa: B018 - reads and closes it
    return response


def following(*steps):
    """A behaviour of servers: the node ``n`` answers with the first map, and so on; others answer their own name."""

    def run(job):
        step = int(job.node["name"].removeprefix("n") or 0)
        if step < len(steps):
            return Answer({"stdout": json.dumps(steps[step]).encode()}, {"stdout": MAP})
        return Answer({"stdout": f"end of {job.node['name']}".encode()})

    return run


def post(application, **headers):
    return ask(application, json.dumps([group()]).encode(), **headers)


def test_a_map_is_followed_to_its_answer(world, chain):
    world.every(run=following([group("n1")], [group("n2")]))
    answer = post(chain(), X_Zerovm_Previous_Job="forged")
    assert (answer.status_int, text(answer)) == (200, "end of n2")
    jobs = answer.headers["X-Chain-Jobs"].split(",")
    assert len(set(jobs)) == 3
    assert jobs[-1] == answer.headers["X-Zerovm-Job"]
    assert float(answer.headers["X-Chain-Total-Time"]) > 0
    environments = {job.node["name"]: job.node["env"] for job in world.jobs()}
    assert "HTTP_X_ZEROVM_PREVIOUS_JOB" not in environments["n"]
    assert [environments[name]["HTTP_X_ZEROVM_PREVIOUS_JOB"] for name in ("n1", "n2")] == jobs[:2]


def test_the_records_of_its_jobs_are_linked(world, chain):
    world.every(run=following([group("n1")], [group("n2")]))
    jobs = post(chain()).headers["X-Chain-Jobs"].split(",")
    records = [json.loads(wait_for(world, f".zvm/jobs/{job}/record")) for job in jobs]
    assert [record["previous"] for record in records] == [None, *jobs[:2]]


def test_later_jobs_get_the_query_and_no_header_of_the_client(world, chain):
    world.every(run=following([group("n1")]))
    ask(chain(), json.dumps([group()]).encode(), path=f"/v1/{ACCOUNT}?x=1", X_Mine="secret")
    first, second = (job.node["env"] for job in sorted(world.jobs(), key=lambda job: job.node["name"]))
    assert first["HTTP_X_MINE"] == "secret"
    assert "HTTP_X_MINE" not in second
    assert second["QUERY_STRING"] == "x=1"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"chain_limit": "1"}, "at most 1 jobs"),
        ({"zerovm_maxconfig": "20"}, "at most 20 bytes"),
        ({"chain_timeout": "1e-9"}, "no job begins"),
    ],
)
def test_a_chain_ends(world, chain, options, reason):
    world.every(run=following([group("n1")]))
    answer = post(chain(**options))
    assert (answer.status_int, json.loads(answer.body)) == (200, [group("n1")])
    assert reason in answer.headers["X-Chain-Stopped"]
    assert len(world.jobs()) == 1


def test_an_endless_chain_ends(world, chain):
    world.every(run=lambda job: Answer({"stdout": json.dumps([group()]).encode()}, {"stdout": MAP}))
    answer = post(chain(chain_limit="5"))
    assert len(answer.headers["X-Chain-Jobs"].split(",")) == 5


@pytest.mark.parametrize(
    "records", [{"Content-Type": "application/json"}, {**MAP, "Content-Type": "text/plain"}, {**MAP, "Status": "404 No"}]
)
def test_other_answers_are_no_maps(world, chain, records):
    world.every(run=lambda job: Answer({"stdout": b"[]"}, {"stdout": records}))
    answer = post(chain())
    assert answer.body == b"[]"
    assert "X-Chain-Stopped" not in answer.headers


def test_a_wrong_map_is_the_clients_to_see(world, chain):
    world.every(run=following([{"name": "n1"}]))
    answer = post(chain())
    assert (answer.status_int, "/0" in text(answer)) == (400, True)


@pytest.mark.parametrize("headers", [{"Accept": "application/json"}, {"X_Zerovm_Deferred": "always"}])
def test_who_wants_another_answer_than_the_programs_has_no_chain(world, chain, headers):
    world.every(run=following([group("n1")]))
    answer = post(chain(), **headers)
    assert (answer.status_int, answer.headers["X-Chain-Jobs"]) == (200, answer.headers["X-Zerovm-Job"])
    if "Accept" in headers:
        assert json.loads(json.loads(answer.body)["nodes"][0]["body"]) == [group("n1")]
    else:
        wait_for(world, f".zvm/jobs/{answer.headers['X-Zerovm-Job']}/result.headers")
    assert [job.node["name"] for job in world.jobs()] == ["n"]


def test_a_program_does_not_speak_for_the_chain(world, chain):
    world.every(run=lambda job: Answer({"stdout": b"x"}, {"stdout": {"X-Chain-Jobs": "forged", "X-Chain-Stopped": "forged"}}))
    answer = post(chain())
    assert answer.headers["X-Chain-Jobs"] == answer.headers["X-Zerovm-Job"]
    assert "X-Chain-Stopped" not in answer.headers


def test_what_is_no_job_passes(world, chain):
    world.pipeline.put("c/o", b"plain")
    answer = Request.blank(f"/v1/{ACCOUNT}/c/o").get_response(chain())
    assert (answer.body, "X-Chain-Jobs" in answer.headers) == (b"plain", False)


class TestZapp:
    def deploy(self, world, *devices):
        world.pipeline.put(
            "c/zapp", archive(boot__system_map=json.dumps([group("n", *devices)]).encode()), **{"Content-Type": TAR}
        )

    def test_the_first_job_that_wants_the_payload_gets_it(self, world, chain):
        self.deploy(world)
        world.every(run=following([group("n1", {"name": "stdin"}, {"name": "stdout"})]))
        answer = ask(chain(), b"payload", path=f"/open/{ACCOUNT}/c/zapp")
        assert (answer.status_int, text(answer)) == (200, "end of n1")
        first, second = sorted(world.jobs(), key=lambda job: job.node["name"])
        assert ("stdin" in first.members, second.members["stdin"]) == (False, b"payload")

    def test_and_only_that_one(self, world, chain):
        self.deploy(world, {"name": "stdin"}, {"name": "stdout"})
        world.every(run=following([group("n1", {"name": "stdin"}, {"name": "stdout"})]))
        ask(chain(), b"payload", path=f"/open/{ACCOUNT}/c/zapp")
        first, second = sorted(world.jobs(), key=lambda job: job.node["name"])
        assert (first.members["stdin"], "stdin" in second.members) == (b"payload", False)

    def test_its_leave_holds_for_the_whole_chain(self, world, chain):
        asked.clear()
        self.deploy(world)
        meta = {"X-Container-Meta-Rest-Endpoint": f"swift://{ACCOUNT}/c/zapp", "X-Container-Meta-Zerovm-Suid": "guest"}
        world.pipeline.containers[f"{ACCOUNT}/c"] = meta
        world.every(run=following([group("n1")]))
        answer = ask(chain(), b"", "GET", f"/open/{ACCOUNT}/c/zapp", access_lists, "guest")
        assert (answer.status_int, text(answer)) == (200, "end of n1")
        assert ask(chain(), json.dumps([group("n1")]).encode(), authorize=access_lists, user="guest").status_int == 403
