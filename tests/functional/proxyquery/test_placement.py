"""Placement on real rings, and the name server on real sockets."""

import random
import re
from collections import Counter
from dataclasses import replace

import pytest
from swift.common.concurrency import Timeout, socket
from swift.common.storage_policy import POLICIES

from tests.functional.proxyquery.harness import Answer, device, node
from zerocloud.proxyquery.errors import JobError
from zerocloud.proxyquery.nameservice import NameServers
from zerocloud.proxyquery.placement import Placer, standalone_policies
from zerocloud.proxyquery.scheduler import Tier
from zerocloud.swiftadapter import NoErrorLimits
from zerocloud.sysmap import Node, SwiftPath
from zerocloud.zerovm.nameserver import Request


def a_node(number=1, path_info="/AUTH_test/c/o", access="GET"):
    return Node(number, "n", "n", SwiftPath("a", "c", "exe"), "n", access=access, path_info=path_info)


def placer(world, limits=None, show=True):
    return Placer(str(world.directory), (0,), limits or NoErrorLimits(), random.Random(1), show)


def first_policy(path):
    return 0


def test_an_attached_node_belongs_to_its_objects_replicas(world):
    place = placer(world).place(a_node(), first_policy)
    partition, devices = POLICIES.get_object_ring(0, str(world.directory)).get_nodes("AUTH_test", "c", "o")
    assert place.partition == partition
    assert {server.host for server in place.servers} == {device["ip"] for device in devices}
    assert (place.path, place.policy, place.local) == ("/AUTH_test/c/o", 0, True)
    handoffs = place.spares()
    assert {server.tier for server in handoffs} == {Tier.HANDOFF}
    assert not {server.name for server in handoffs} & {server.name for server in place.servers}


def test_the_replicas_take_turns(world):
    one = placer(world)
    first = Counter(one.place(a_node(number), first_policy).servers[0].name for number in range(30))
    assert set(first.values()) == {10}


def test_a_node_on_a_container_goes_to_its_database(world):
    place = placer(world).place(a_node(path_info="/AUTH_test/c"), first_policy)
    assert (place.path, place.policy, place.local) == ("/AUTH_test/c", None, True)
    assert len(place.servers) == 3


@pytest.mark.parametrize(("path_info", "access"), [("/AUTH_test", ""), ("/AUTH_test/c/o", "PUT")])
def test_a_node_without_an_input_may_run_anywhere(world, path_info, access):
    one = placer(world)
    places = [one.place(a_node(number, path_info, access), first_policy) for number in range(20)]
    assert {place.path for place in places} == {"/AUTH_test"}
    assert not any(place.local for place in places)
    assert {server.host for place in places for server in place.servers} == {server.address for server in world.servers}


def test_nodes_of_one_location_choose_from_the_same_servers(wide):
    one = placer(wide)
    places = [one.place(replace(a_node(number, "/AUTH_test", ""), location="here"), first_policy) for number in range(20)]
    assert len({place.servers for place in places}) == 1
    elsewhere = [
        one.place(replace(a_node(number, "/AUTH_test", ""), location=f"{number}"), first_policy) for number in range(20)
    ]
    assert len({place.servers for place in elsewhere}) > 1


def test_servers_that_swift_avoids_come_last(world):
    class Limits(NoErrorLimits):
        def limited(self, device):
            return device["ip"] == "127.0.0.1"

    for number in range(6):
        for server in placer(world, Limits()).place(a_node(number), first_policy).servers:
            assert (server.tier is Tier.LIMITED) == (server.host == "127.0.0.1")


def test_hidden_servers_have_names_that_say_nothing(world):
    names = {server.name for server in placer(world, show=False).place(a_node(), first_policy).servers}
    assert len(names) == 3
    assert all(re.fullmatch("server-[0-9a-f]{8}", name) for name in names)


def test_policies_by_name_and_index_and_unknown_ones(world):
    warned = []
    assert standalone_policies((POLICIES.default.name, "lead", "0", "77"), warned.append) == (int(POLICIES.default), 0)
    assert warned == ["Could not load storage policy: lead", "Could not load storage policy: 77"]
    assert standalone_policies(("lead",), warned.append) == (0,)


def test_attached_sessions_are_spread_over_the_cluster(world):
    for number in range(40):
        world.pipeline.put(f"c/in-{number:02}", b"")
    world.every(run=lambda job: Answer({"stdout": b""}))
    world.post(node(world, device("stdin", "c/in-*"), device("stdout")))
    counts = [len(server.jobs) for server in world.servers]
    assert sum(counts) == 40
    assert max(counts) <= 14


def ask(request, address):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.sendto(request.render(), address)
    return listener


def told(listener, request):
    with Timeout(5):
        packet, _ = listener.recvfrom(65507)
    listener.close()
    return request.parse_reply(packet)


def test_a_gang_finds_each_other(world):
    network = NameServers("", 10).open({1, 2})
    scheme, host, port = network.address_for("127.0.0.3").split(":")
    assert (scheme, host) == ("udp", "127.0.0.1")
    assert network.address_for("127.0.0.4") == f"udp:127.0.0.1:{port}"
    reader, writer = Request(1, binds=((2, 4000),)), Request(2, connects=(1,))
    stranger = ask(Request(7, connects=(1,)), (host, int(port)))
    stranger.sendto(b"garbage", (host, int(port)))
    sockets = [ask(one, (host, int(port))) for one in (reader, writer)]
    assert told(sockets[0], reader) == ()
    assert told(sockets[1], writer) == (("127.0.0.1", 4000),)
    stranger.settimeout(0.05)
    with pytest.raises(TimeoutError):
        stranger.recvfrom(100)
    stranger.close()
    network.close()
    network.close()


def test_only_so_many_networks_at_a_time(world):
    servers = NameServers("", 2)
    networks = [servers.open({1}) for _ in range(2)]
    with pytest.raises(JobError, match="2 networks"):
        servers.open({1})
    networks[0].close()
    servers.open({1}).close()
    networks[1].close()


def test_a_network_that_cannot_be_bound_is_an_error(world):
    network = NameServers("", 2).open({1})
    with pytest.raises(JobError, match="Cannot bind name service"):
        network.address_for("256.0.0.1")
    network.close()


def test_no_network_outlives_its_job(world):
    groups = (node(world, name="a", connect=["b"]), node(world, device("stdout"), name="b"))
    world.every(run=lambda job: Answer({"stdout": b""}) if job.node["name"] == "b" else Answer(error="It failed.", retcode=1))
    for _ in range(3):
        assert world.post(*groups).status_int == 500
    assert world.filter._name_servers._open == 0


def test_texts_that_are_no_unicode_are_refused(world):
    for path in ("c/\ud800", "\udcff/o"):
        group = node(world, {"name": "stdin", "path": f"swift://~/{path}"}, device("stdout"))
        assert world.post(group).status_int == 400
