"""Inputs beside the one that a node is attached to: opened by its server where that has them, else sent."""

from collections import Counter

import pytest
from swift.common.swob import Response

from tests.functional.proxyquery.harness import ACCOUNT, device, node
from zerocloud import wire


def gather(world, **keys):
    return node(world, device("input", "c/in-*"), device("stdout"), each={"objects": 16}, **keys)


def store(world, number=100):
    for index in range(number):
        world.pipeline.put(f"c/in-{index:03}", b"%d" % index)


def inputs(job):
    """The objects of a session: whether each was left to its server."""
    channels = [channel for channel in job.node["channels"] if channel["device"].startswith("input/")]
    return {channel["path"].rpartition("/")[2]: channel["device"] not in job.members for channel in channels}


def address(world, job):
    return next(server.address for server in world.servers if job in server.jobs)


def test_every_object_is_read_once_and_most_where_they_lie(wide):
    store(wide)
    assert wide.post(gather(wide)).status_int == 200
    jobs = wide.jobs()
    assert sorted(len(inputs(job)) for job in jobs) == [4, *[16] * 6]
    seen = Counter()
    for job in jobs:
        for name, local in inputs(job).items():
            seen[name] += 1
            assert local == (address(wide, job) in wide.holders(f"c/{name}"))
    assert seen == dict.fromkeys((f"in-{index:03}" for index in range(100)), 1)
    assert sum(wide.pipeline.count("GET", f"c/{name}") for name in seen) < 50


def test_a_server_that_has_more_of_the_inputs_is_asked_first(wide):
    beside = next(f"c/x{n}" for n in range(999) if len(wide.holders(f"c/x{n}") & wide.holders("c/first")) == 1)
    for path in ("c/first", beside):
        wide.pipeline.put(path, b"x" * 10)
    for _ in range(6):
        group = node(wide, device("input", "c/first"), device("stdin", beside), device("stdout"), attach="input")
        assert wide.post(group).status_int == 200
    (common,) = wide.holders(beside) & wide.holders("c/first")
    assert {address(wide, job) for job in wide.jobs()} == {common}
    assert wide.pipeline.count("GET", beside) == 0


@pytest.mark.parametrize("kind", [wire.MISSING, wire.LARGE_OBJECT])
def test_what_does_not_lie_there_after_all_is_sent(world, kind):
    store(world, 5)
    run = world.servers[0].run

    def missing(job):
        if job.node["access"] == "GET":
            return Response(status=409, headers={wire.NOT_LOCAL: kind}, body=b"Object in-001 is not on this server")
        return run(job)

    world.every(run=missing)
    assert world.post(gather(world)).status_int == 200
    first, second = world.jobs()
    assert list(inputs(first).values()).count(True) >= 3
    assert inputs(second) == dict.fromkeys((f"in-{index:03}" for index in range(5)), False)
    assert (second.node["access"], second.node["path_info"]) == ("", f"/{ACCOUNT}")
    for channel in second.node["channels"][:5]:
        assert second.members[channel["device"]] == channel["path"][-1].encode()


def test_a_server_that_never_finds_them_fails_the_job(world):
    store(world, 3)
    world.every(run=lambda job: Response(status=409, headers={wire.NOT_LOCAL: wire.MISSING}, body=b"not here"))
    answer = world.post(gather(world))
    assert answer.status_int == 503
    assert b"not here" in answer.body
    assert len(world.jobs()) == 3


def test_a_handoff_gets_everything(wide):
    store(wide, 3)
    assert wide.post(gather(wide)).status_int == 200
    (first,) = wide.jobs()
    assert any(inputs(first).values())
    for server in wide.servers:
        if server.address in wide.holders(first.node["path_info"].removeprefix(f"/{ACCOUNT}/")):
            server.before = lambda headers: Response(status=507)
    assert wide.post(gather(wide)).status_int == 200
    second = next(job for job in wide.jobs() if job is not first)
    assert list(inputs(second).values()) == [True, False, False]  # it is asked for its own object, wherever it has that from
