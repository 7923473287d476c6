"""What a job has stored is gone when it fails, unless it is somebody else's by then."""

import pytest
from swift.common.swob import Response

from tests.functional.proxyquery import harness
from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node


@pytest.fixture
def apart(tmp_path):
    """A world in which every node publishes by itself."""
    with harness.world(tmp_path, zerovm_hold="0") as one:
        for name in ("a", "b", "c"):
            one.pipeline.put(f"c/in-{name}", name.encode())
        yield one


def group(world, **keys):
    return node(world, device("stdin", "c/in-*"), device("stdout", "c/out-*"), **keys)


def outputs(world):
    return sorted(name.rpartition("/")[2] for name in world.pipeline.objects if "/out-" in name)


def when_stored(world, number, then):
    """A behaviour of servers: the last node does ``then`` when the others have stored their outputs."""

    def run(job):
        if not job.node["path_info"].endswith("-c"):
            return Answer({"stdout": b"result"})
        while len(outputs(world)) < number:
            world.settle()
        return then()

    return run


def failing():
    return Answer(status="ok", retcode=1, error="The program exited with code 1.")


def test_a_failing_node_withdraws_what_the_others_have_stored(apart):
    apart.every(run=when_stored(apart, 2, failing))
    answer = apart.post(group(apart))
    assert answer.status_int == 500
    assert outputs(apart) == []
    assert apart.pipeline.count("PUT", "c/out-a") == apart.pipeline.count("DELETE", "c/out-a") == 1


def test_what_somebody_has_overwritten_stays(apart):
    def overwrite_and_fail():
        apart.pipeline.put("c/out-a", b"theirs", **{"X-Timestamp": "9999999999.00000"})
        return failing()

    apart.every(run=when_stored(apart, 2, overwrite_and_fail))
    assert apart.post(group(apart)).status_int == 500
    assert outputs(apart) == ["out-a"]
    assert apart.pipeline.objects[f"{ACCOUNT}/c/out-a"][0] == b"theirs"


def test_nodes_that_go_on_by_themselves_keep_their_outputs(apart):
    apart.every(run=when_stored(apart, 2, failing))
    assert apart.post(group(apart, on_error="continue")).status_int == 500
    assert outputs(apart) == ["out-a", "out-b"]


def test_an_output_that_can_not_be_stored_withdraws_those_of_its_unit(world):
    for name in ("a", "b"):
        world.pipeline.put(f"c/in-{name}", name.encode())
    world.pipeline.refuse[f"{ACCOUNT}/c/out-b"] = 413
    world.every(run=lambda job: Answer({"stdout": b"result"}))
    answer = world.post(group(world))
    assert answer.status_int == 413
    assert outputs(world) == []


def test_a_mistake_of_ours_withdraws_too(apart, monkeypatch):
    def crash():
        monkeypatch.setattr("zerocloud.proxyquery.exchange.final_event", lambda *_: 1 / 0)
        return Response(status=500)

    apart.every(run=when_stored(apart, 2, crash))
    with pytest.raises(ZeroDivisionError):
        apart.post(group(apart))
    assert outputs(apart) == []
