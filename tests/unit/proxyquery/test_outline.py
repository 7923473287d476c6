"""From a plan to sessions: gangs, units, copies, environments, and what has to be sent."""

from hypothesis import given
from hypothesis import strategies as st

from zerocloud.proxyquery.environment import node_environment, request_environment
from zerocloud.proxyquery.outline import WHOLE_JOB, gangs_of, outline
from zerocloud.proxyquery.placement import Place
from zerocloud.proxyquery.scheduler import Server
from zerocloud.proxyquery.sources import Need
from zerocloud.proxyquery.work import Work
from zerocloud.sysmap import Access, Channel, Connection, Node, Plan, SwiftPath

EXE = SwiftPath("a", "c", "exe")
PLACE = Place("/a/c/o", 3, 0, True, (Server("A:1/d", "A"),), tuple, "")


def make(number, connects=(), **changes):
    lines = tuple(Connection(f"out/{peer}", (peer,), f"tcp:{peer}:") for peer in connects)
    return Node(number, f"n{number}", "n", EXE, f"n{number}", connects=lines, **changes)


def lay_out(*nodes, hold=100):
    return outline(Plan(nodes), lambda node: PLACE, {}, 60.0, hold, True)


def test_connected_nodes_are_a_gang_however_far_apart():
    plan = Plan((make(1, (3,)), make(2), make(3, (5,)), make(4), make(5)))
    assert gangs_of(plan) == {1: 1, 2: 2, 3: 1, 4: 4, 5: 1}


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(1, n), st.integers(1, n))))))
def test_gangs_are_the_components_of_the_graph(graph):
    count, edges = graph
    nodes = [make(number, [b for a, b in edges if a == number]) for number in range(1, count + 1)]
    gangs = gangs_of(Plan(tuple(nodes)))
    assert all(gangs[a] == gangs[b] for a, b in edges)
    assert all(gangs[gangs[node]] == gangs[node] <= node for node in gangs)


def test_copies_of_a_connected_node_belong_to_its_gang_and_others_stand_alone():
    second = make(2, binds=(Connection("in/1", (1, 4), "tcp:1:0;tcp:4:0"),))
    sessions = lay_out(make(1, (2,), replicate=2), second, make(3, replicate=2)).sessions
    assert [(one.id, one.node, one.gang) for one in sessions] == [(1, 1, 1), (4, 1, 1), (2, 2, 1), (3, 3, 3), (6, 3, 6)]
    assert [one.networked for one in sessions] == [True, True, True, False, False]


def test_copies_of_a_location_are_together_and_apart_from_its_others():
    sessions = lay_out(make(1, location="x", replicate=2), make(2, location="x", replicate=2), make(3)).sessions
    places = {one.id: one.location for one in sessions}
    assert places[1] == places[2] != places[4] == places[5]
    assert places[3] == ""


def test_a_small_job_publishes_together_and_a_large_one_gang_by_gang():
    nodes = (make(1, (2,)), make(2, (1,)), make(3))
    assert {one.unit for one in lay_out(*nodes).sessions} == {WHOLE_JOB}
    assert [one.unit for one in lay_out(*nodes, hold=2).sessions] == [1, 1, 3]
    going_on = (make(1, continue_on_error=True), make(2))
    assert [one.unit for one in lay_out(*going_on).sessions] == [1, 2]


def test_a_nodes_own_timeout_can_only_be_shorter():
    works = lay_out(make(1, timeout=5), make(2, timeout=500), make(3)).works
    assert [works[number].timeout for number in (1, 2, 3)] == [5, 60.0, 60.0]


def reading(device, name, access=Access.READABLE):
    return Channel(device, access, SwiftPath("a", "c", name))


def test_what_has_to_be_sent_comes_in_the_order_of_the_channels_after_the_program():
    channels = (reading("input", "o"), reading("stdin", "p"), Channel("stdout", Access.WRITABLE))
    remote = {"stdin": SwiftPath("a", "c", "p"), "boot": EXE}
    node = make(1, channels=channels, remote=remote, access="GET", path_info="/a/c/o")
    work = Work(1, node, PLACE, {}, 60.0)
    assert work.program == EXE
    assert work.inputs(push=False) == (("stdin", Need(SwiftPath("a", "c", "p"))),)
    assert [name for name, _ in work.inputs(push=True)] == ["input", "stdin"]


def test_a_pushed_node_is_described_without_its_place():
    node = make(1, channels=(reading("input", "o"),), access="GET", path_info="/a/c/o")
    work = Work(1, node, PLACE, {"K": "v"}, 60.0)
    here, pushed = work.description(False, None, None), work.description(True, "udp:h:1", "t")
    assert (here.access, here.path_info) == ("GET", "/a/c/o")
    assert (pushed.access, pushed.path_info) == ("", "/a")
    assert (pushed.name_service, pushed.token, pushed.env) == ("udp:h:1", "t", {"K": "v"})


REQUEST = {
    "REQUEST_METHOD": "POST",
    "PATH_INFO": "/v1/AUTH_x/\xc3\xa9",
    "QUERY_STRING": "a=b&c",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_USER": "x,x:y,AUTH_x",
    "HTTP_HOST": "example.org:8080",
    "HTTP_X_CUSTOM": "caf\xc3\xa9",
    "HTTP_X_BROKEN": "\xff",
    "HTTP_X_EMPTY": "",
    "HTTP_X_A#B": "no configuration can hold this name",
    **{f"HTTP_{name}": "secret" for name in ("X_AUTH_TOKEN", "X_AUTH_KEY", "COOKIE", "X_STORAGE_TOKEN", "AUTHORIZATION")},
    **{f"HTTP_{name}": "secret" for name in ("X_BACKEND_X", "X_OBJECT_SYSMETA_X", "X_SERVICE_TOKEN", "CONTENT_TYPE")},
    "CONTENT_TYPE": "application/json",
    "CONTENT_LENGTH": "3",
}


def test_the_request_is_told_as_cgi_without_credentials():
    found = request_environment(REQUEST)
    assert found["PATH_INFO"] == "/AUTH_x/é"
    assert found["REQUEST_URI"] == "/v1/AUTH_x/%C3%A9?a=b&c"
    assert (found["SERVER_NAME"], found["SERVER_PORT"]) == ("example.org", "8080")
    assert found["REMOTE_USER"] == "x"
    assert found["HTTP_X_CUSTOM"] == "café"
    assert found["HTTP_X_BROKEN"] == "\ufffd"
    assert "secret" not in found.values()
    assert not {"HTTP_X_EMPTY", "HTTP_X_A#B", "CONTENT_TYPE", "CONTENT_LENGTH"} & found.keys()


def test_hosts_without_ports_are_on_80():
    for host, expected in (("example.org", "example.org"), ("[::1]", "[::1]"), ("[::1]:99", "[::1]")):
        found = request_environment({"HTTP_HOST": host})
        assert (found["SERVER_NAME"], found["SERVER_PORT"]) == (expected, "99" if host.endswith(":99") else "80")


def test_the_request_wins_over_the_map():
    node = make(1, env={"REQUEST_METHOD": "forged", "SCRIPT_NAME": "forged", "OWN": "kept"})
    found = node_environment({"REQUEST_METHOD": "POST"}, node)
    assert found == {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "n1", "SCRIPT_FILENAME": EXE.url, "OWN": "kept"}
