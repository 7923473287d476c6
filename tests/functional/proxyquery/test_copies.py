"""Copies of a node, and nodes that belong nowhere: which servers run them, and whose output counts."""

import pytest
from swift.common.concurrency import sleep
from swift.common.ring import RingBuilder
from swift.common.storage_policy import reload_storage_policies
from swift.common.swob import Response

from tests.functional.proxyquery import harness
from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, refusal, text
from zerocloud import wire


def copied(world, *devices, **keys):
    """One node on an object, three times."""
    world.pipeline.put("c/input", b"data")
    return node(world, device("stdin", "c/input"), *(devices or [device("stdout")]), **{"replicate": 3, **keys})


def busy(world):
    """The servers that were sent a session."""
    return {server.address for server in world.servers if server.jobs}


def ids(world):
    """The ids of the sessions that were sent."""
    return [job.node["id"] for job in world.jobs()]


def written(data, digest):
    return Answer({"stdout": data}, headers={wire.ETAG: f"/dev/stdout {digest}"})


def test_copies_run_on_different_servers_that_have_the_object(world):
    answer = world.post(copied(world))
    assert answer.status_int == 200
    assert busy(world) == world.holders("c/input")
    assert ids(world) == [1, 2, 3]
    assert answer.headers["X-Nexe-System"] == "n,n,n"
    assert len(set(answer.headers["X-Nexe-Server"].split(","))) == 3


def test_more_copies_than_servers_still_run(world):
    answer = world.post(copied(world, replicate=6))
    assert answer.status_int == 200
    assert ids(world) == [1, 2, 3, 4, 5, 6]


def test_the_first_copy_that_succeeds_is_the_answer_and_the_output(world):
    world.every(run=lambda job: sleep(0.1 * job.node["id"] % 0.3) or Answer({"output": b"%d" % job.node["id"]}))
    assert world.post(copied(world, device("output", "c/out"))).status_int == 200
    assert world.pipeline.objects[f"{ACCOUNT}/c/out"][0] == b"3"
    assert world.pipeline.count("PUT", "c/out") == 1


def test_copies_that_wrote_the_same_say_nothing_of_it(world):
    world.every(run=lambda job: written(b"same", "aa"))
    answer = world.post(copied(world))
    assert (answer.status_int, answer.body) == (200, b"same")
    assert "X-Nexe-Error" not in answer.headers


def test_copies_that_wrote_something_else_are_told_of(world):
    world.every(run=lambda job: written(b"odd", "bb") if job.node["id"] == 3 else sleep(0.1) or written(b"even", "aa"))
    answer = world.post(copied(world))
    assert (answer.status_int, answer.body) == (200, b"odd")
    assert answer.headers["X-Nexe-Error"] == "copies of node n wrote different outputs"


@pytest.mark.parametrize("ill", [1, 2])
def test_copies_that_fail_do_not_matter_while_one_is_left(world, ill):
    failed = Answer({"stdout": b"bad"}, retcode=1, error="The program exited with code 1.")
    world.every(run=lambda job: failed if job.node["id"] <= ill else sleep(0.05) or Answer({"stdout": b"good"}))
    answer = world.post(copied(world, device("stdout", "c/out")))
    assert answer.status_int == 200, answer.body
    assert world.pipeline.objects[f"{ACCOUNT}/c/out"][0] == b"good"


def test_a_node_fails_when_all_its_copies_have_and_says_so_once(world):
    world.every(run=lambda job: Answer(retcode=1, error="The program exited with code 1."))
    answer = world.post(copied(world))
    assert answer.status_int == 500
    assert "1 of 1 nodes failed" in text(answer)
    assert text(answer).count("Node n:") == 1


def test_a_copy_whose_server_is_lost_is_no_loss(world):
    first, *others = (server for server in world.servers if server.address in world.holders("c/input"))
    first.run = lambda job: Response(status=503, body=b"the executor was lost")
    for server in others:
        server.run = lambda job: sleep(0.05) or Answer({"stdout": b"there"})
    answer = world.post(copied(world))
    assert (answer.status_int, answer.body) == (200, b"there")


def test_copies_find_room_when_their_servers_are_full(world):
    left = [2]

    def full(headers):
        left[0] -= 1
        return refusal(503, "Slot not available")(headers) if left[0] >= 0 else None

    world.every(before=full)
    assert world.post(copied(world)).status_int == 200
    assert ids(world) == [1, 2, 3]


def test_connected_copies_all_run_with_the_ids_that_their_peers_know(world):
    groups = (
        node(world, name="a", connect=["b"], replicate=2),
        node(world, device("stdout"), name="b", replicate=2),
    )
    world.every(run=lambda job: Answer({"stdout": b"b"} if job.node["name"] == "b" else {}))
    answer = world.post(*groups)
    assert (answer.status_int, answer.body) == (200, b"b")
    assert [(job.node["id"], job.node["name"]) for job in world.jobs()] == [(1, "a"), (2, "b"), (3, "a"), (4, "b")]
    assert len({job.node["token"] for job in world.jobs()}) == 1


def test_the_copies_of_nodes_of_one_location_meet_each_other(world):
    groups = [node(world, device("stdout"), name=name, location="here", replicate=2) for name in ("a", "b")]
    answer = world.post(*groups)
    assert answer.status_int == 200
    first_a, second_a, first_b, second_b = answer.headers["X-Nexe-Server"].split(",")
    assert first_a == first_b != second_a == second_b
    proofs = answer.headers["X-Nexe-Colocated"].split(",")
    assert proofs[0] == proofs[2] != proofs[1] == proofs[3]


def slowest(world, then, **keys):
    """Four nodes, of which the last one does something else the first time; which servers it was sent to, and the answer."""
    for name in "abcd":
        world.pipeline.put(f"c/in-{name}", b"")
    visited = []

    def run(server, job):
        if job.node["name"] == "n-4":
            visited.append(server.address)
            if len(visited) == 1:
                return then(job)
        return Answer({"stdout": b"%d" % (job.node["id"] % 4 or 4)})

    for server in world.servers:
        server.run = lambda job, server=server: run(server, job)
    answer = world.post(node(world, device("stdin", "c/in-*"), device("stdout"), **keys))
    return visited, answer


def test_a_straggler_is_overtaken_on_another_server_and_ended(world):
    left = []

    def hang(job):
        try:
            sleep(30)
        finally:
            left.append(job)

    visited, answer = slowest(world, hang, speculate=True)
    assert (answer.status_int, answer.body) == (200, b"1234")
    assert len(set(visited)) == 2
    assert set(visited) <= world.holders("c/in-d")
    assert answer.headers["X-Nexe-System"] == "n-1,n-2,n-3,n-4,n-4"
    assert answer.headers["X-Nexe-Error"] == "cancelled because another copy of the node had succeeded"


def test_without_speculation_nobody_is_overtaken(world):
    visited, answer = slowest(world, lambda job: sleep(1.3) or Answer({"stdout": b"late"}))
    assert (answer.status_int, answer.body) == (200, b"123late")
    assert len(visited) == 1


@pytest.mark.parametrize(("retries", "status"), [(0, 500), (1, 200)])
def test_a_failed_program_runs_again_only_if_its_map_says_so(world, retries, status):
    failed = Answer(retcode=1, error="The program exited with code 1.")
    visited, answer = slowest(world, lambda job: failed, retries=retries)
    assert (answer.status_int, len(visited)) == (status, 1 + retries)
    assert status == 500 or answer.body == b"1234"


@pytest.mark.parametrize("replicate", [1, 3])
def test_where_replication_is_ignored_every_node_runs_once(tmp_path, replicate):
    with harness.world(tmp_path, zerovm_ignore_replication="yes") as world:
        group = copied(world, device("stdout", "c/out"), replicate=replicate)
        assert world.post(group).status_int == 200
        (job,) = world.jobs()
        assert (job.node["id"], job.node["replicate"]) == (1, 1)


@pytest.mark.parametrize(("keys", "expected"), [({}, [1]), ({"replicate": 0}, [1]), ({"replicate": 3}, [1, 2, 3])])
def test_a_node_that_only_writes_has_the_copies_that_it_asks_for_and_one_output(world, keys, expected):
    assert world.post(node(world, device("stdout", "c/out"), **keys)).status_int == 200
    assert ids(world) == expected
    assert world.pipeline.count("PUT", "c/out") == 1


@pytest.fixture
def silver(tmp_path):
    """Five servers, of which the policy ``silver`` has the last two; nodes that are attached to nothing belong there."""
    with harness.world(tmp_path, servers=5, standalone_policies="silver") as world:
        with (tmp_path / "swift.conf").open("a") as conf:
            conf.write("[storage-policy:1]\nname = silver\n")
        builder = RingBuilder(4, 2, 1)
        for number, server in enumerate(world.servers[3:]):
            one = {"region": 1, "zone": number, "ip": server.address, "port": server.port, "device": "d1", "weight": 1.0}
            builder.add_dev({**one, "replication_ip": server.address, "replication_port": server.port, "meta": ""})
        builder.rebalance()
        builder.get_ring().save(str(tmp_path / "object-1.ring.gz"))
        reload_storage_policies()
        yield world


def test_nodes_without_an_object_run_on_servers_of_the_standalone_policies(silver):
    assert silver.post(node(silver, device("stdout"), count=12)).status_int == 200
    assert busy(silver) == {server.address for server in silver.servers[3:]}
    assert {job.headers[wire.POLICY_INDEX] for job in silver.jobs()} == {"1"}


def test_nodes_with_an_object_run_where_it_is_whatever_the_standalone_policies(silver):
    assert silver.post(copied(silver)).status_int == 200
    assert busy(silver) == silver.holders("c/input")
