"""Storage servers that die, or are only slow, at each point of a session: what its user sees is the answer."""

from dataclasses import replace

import pytest
from swift.common.concurrency import sleep
from swift.common.swob import Response

from tests.functional.proxyquery import harness
from tests.functional.proxyquery.harness import ACCOUNT, Answer, Body, device, node
from zerocloud import wire


@pytest.fixture
def group(world):
    """One node on an object of three servers out of four."""
    return one_node(world)


@pytest.fixture
def blamed(world, group):
    """The servers that Swift has been told to avoid."""
    return watch_blame(world, group)


@pytest.fixture
def hasty(tmp_path):
    """A world in which a server's first word is expected after a moment."""
    with harness.world(tmp_path, zerovm_admission_timeout="0.2") as one:
        yield one


def watch_blame(world, group):
    found = []

    class Limits:
        def limited(self, device):
            return False

        def failed(self, device, reason):
            found.append(device["ip"])

        full = failed

    world.post(group)
    world.filter._cluster = replace(world.filter._cluster, limits=Limits())
    for server in world.servers:
        server.asked.clear()
        server.jobs.clear()
    return found


def one_node(world):
    world.pipeline.put("c/input", b"data")
    return node(world, device("stdin", "c/input"), device("stdout"))


def by_turns(*behaviours):
    """The first session that any server gets does the first thing, and so on; those after them the last."""
    left = list(behaviours)
    return lambda job: (left.pop(0) if len(left) > 1 else left[0])(job)


def good(job):
    return Answer({"stdout": b"answer"})


def asked(world):
    return [server.address for server in world.servers for _ in server.asked]


def first_asked(world, what):
    """Do something to the first server that is asked, which is in the list from then on."""
    victims = []

    def before(server):
        if not victims:
            victims.append(server)
            what(server)

    for server in world.servers:
        server.before = lambda headers, server=server: before(server)
    return victims


def test_a_server_that_dies_when_it_is_asked(world, group, blamed):
    victims = first_asked(world, lambda server: server.die())
    world.every(run=good)
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert blamed == [victims[0].address]
    assert victims[0].address not in answer.headers["X-Nexe-Server"]


def test_a_server_that_dies_while_its_session_is_sent(world, group, blamed):
    world.pipeline.put("c/exe", bytes(500_000))
    victims, sent = [], []

    def pace():
        sent.append(1)
        if len(sent) == 300:
            for server in world.servers:
                if server.asked:
                    victims.append(server)
                    server.die()

    world.pipeline.pace = pace
    world.every(run=good)
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert len(victims) == 1
    assert len(world.jobs()) == 1  # the first one never came to its end


def test_a_server_that_dies_before_its_gang_is_complete(world, group, blamed):
    groups = (node(world, name="a", connect=["b"]), node(world, device("stdout"), name="b"))
    asked = []

    def before(server):
        asked.append(server)
        if len(asked) == 2:  # the other one has been admitted, and waits
            asked[0].die()

    for server in world.servers:
        server.before = lambda headers, server=server: before(server)
        server.run = lambda job: sleep(0.05) or Answer({"stdout": b"done"} if job.node["name"] == "b" else {})
    answer = world.post(*groups)
    assert (answer.status_int, answer.body) == (200, b"done")
    assert len({server.address for server in asked}) >= 2


def test_a_server_that_dies_while_its_session_runs(world, group, blamed):
    def die(job):
        next(server for server in world.servers if server.jobs).die()
        sleep(30)

    world.every(run=by_turns(die, good))
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert len(world.jobs()) == 2
    assert blamed == []  # a program may have brought it about


def test_a_server_that_dies_after_its_session_while_others_run(world):
    for name in ("a", "b"):
        world.pipeline.put(f"c/in-{name}", b"")

    def run(job):
        if job.node["name"] == "n-2":
            sleep(0.1)
            next(server for server in world.servers if server.jobs and server.jobs[0].node["name"] == "n-1").die()
            sleep(0.1)
        return Answer({"stdout": job.node["name"].encode()})

    world.every(run=run)
    answer = world.post(node(world, device("stdin", "c/in-*"), device("stdout", "c/out-*")))
    assert answer.status_int == 200, answer.body
    assert [world.pipeline.objects[f"{ACCOUNT}/c/out-{name}"][0] for name in ("a", "b")] == [b"n-1", b"n-2"]


def test_a_slow_server_is_waited_for_at_every_step(world, group, blamed):
    whole = Answer({"stdout": b"answer" * 1000}).body()

    def slowly(job):
        sleep(0.3)
        headers = {wire.STATUS: "ok", wire.RETCODE: "0", wire.CDR: "0.1, 0"}
        body = Body(whole, [], "slow", pace=lambda: sleep(0.1))
        response = Response(status=200, headers=headers, app_iter=body)
        response.content_length = len(whole)
        return response

    world.every(before=lambda headers: sleep(0.3), run=slowly)
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer" * 1000)
    assert len(asked(world)) == 1
    assert blamed == []


def test_a_server_whose_first_word_is_late_is_passed_over_and_not_avoided(hasty):
    group = one_node(hasty)
    blamed = watch_blame(hasty, group)
    victims = first_asked(hasty, lambda server: sleep(30))
    hasty.every(run=good)
    answer = hasty.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert victims[0].address not in answer.headers["X-Nexe-Server"]
    assert len(asked(hasty)) == 2
    assert blamed == []


def test_servers_that_are_all_late_are_given_more_time(hasty):
    group = one_node(hasty)
    blamed = watch_blame(hasty, group)
    hasty.every(before=lambda headers: sleep(0.3), run=good)
    answer = hasty.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert blamed == []


def test_a_server_that_gives_no_sign_of_life_is_left_long_before_the_timeout(world, group, blamed):
    world.every(pulse=0.25)

    def hang(server):
        server.hangs = True
        server.run = lambda job: sleep(30)

    world.every(run=good)
    victims = first_asked(world, hang)
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert victims[0].address not in answer.headers["X-Nexe-Server"]
    assert (len(asked(world)), blamed) == (2, [])


def test_a_program_that_takes_its_time_is_waited_for_while_its_server_lives(world, group, blamed):
    world.every(pulse=0.25, run=lambda job: sleep(1.5) or good(job))
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert len(asked(world)) == 1


def test_a_server_that_takes_nothing_slows_only_its_own_node(world, blamed):
    for name in ("a", "b"):
        world.pipeline.put(f"c/in-{name}", b"")
    many = node(world, device("stdin", "c/in-*"), device("stdout"))
    world.pipeline.put("c/exe", bytes(24 << 20))  # more than what lies in the buffers of a connection
    stuck, ended = [], []

    def take(stream):
        if not stuck:
            stuck.append(stream)
            stream.read(1)
            sleep(30)
        return stream.read()

    world.every(take=take, run=lambda job: ended.append(job.node["name"]) or good(job))
    answer = world.post(many)
    assert (answer.status_int, answer.body) == (200, b"answeranswer")
    assert sorted(ended) == ["n-1", "n-2"]
    assert len(asked(world)) == 3
    assert world.pipeline.count("GET", "c/exe") == 2  # once for this job, once for what came before


def test_an_answer_that_stops_coming_is_asked_for_elsewhere(world, group, blamed):
    whole = Answer({"stdout": b"answer" * 1000}).body()

    def stuck(job):
        headers = {wire.STATUS: "ok", wire.RETCODE: "0", wire.CDR: "0.1, 0"}
        pieces = iter([0.0] * 5 + [30.0])  # eventlet sends nothing before it has 4,096 bytes
        response = Response(status=200, headers=headers, app_iter=Body(whole, [], "stuck", pace=lambda: sleep(next(pieces))))
        response.content_length = len(whole)
        return response

    world.every(run=by_turns(stuck, good))
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"answer")
    assert len(asked(world)) == 2
    assert blamed == []
