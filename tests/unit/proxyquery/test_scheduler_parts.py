"""The scheduler's parts by themselves: the line of those who wait, what is known of servers, what has become of nodes."""

from tests.unit.proxyquery.play import A, B, C, session
from zerocloud.proxyquery.scheduler import Phase, Server, Tier
from zerocloud.proxyquery.scheduler.choice import Servers
from zerocloud.proxyquery.scheduler.gang import gangs_of
from zerocloud.proxyquery.scheduler.line import Line
from zerocloud.proxyquery.scheduler.model import Record
from zerocloud.proxyquery.scheduler.nodes import Nodes


def gangs(*sizes):
    sessions = [session(10 * gang + number, gang=gang) for gang, size in enumerate(sizes, 1) for number in range(size)]
    return gangs_of([Record(one) for one in sessions])


def taken(line, now=0.0):
    """The ids of those that start now."""
    found = []
    while (gang := line.take(now)) is not None:
        line.count(gang.size)
        found.append(gang.id)
    return found


def test_gangs_start_in_their_order_as_far_as_there_is_room():
    line = Line(gangs(1, 2, 1, 1), window=4)
    assert taken(line) == [1, 2, 3]
    assert line.room == 0
    line.count(-1)
    assert taken(line) == [4]
    assert not line


def test_a_gang_that_does_not_fit_is_not_overtaken_and_starts_when_nothing_else_runs():
    line = Line(gangs(1, 3, 1), window=2)
    assert taken(line) == [1]
    line.count(-1)
    assert taken(line) == [2]
    line.count(-3)
    assert taken(line) == [3]


def test_who_found_no_slot_waits_until_its_time_or_until_one_comes_free():
    line = Line((), window=8)
    first, second = gangs(1, 1)
    line.put_off(second, 5.0)
    line.put_off(first, 3.0)
    assert (line.next_time, taken(line, 2.0), bool(line)) == (3.0, [], True)
    line.slot_came_free()
    assert taken(line, 2.0) == [1]
    line.count(-1)
    assert taken(line, 5.0) == [2]
    assert line.next_time is None


def test_the_window_is_what_the_cluster_took_and_one_more_with_every_success():
    line = Line((), window=8)
    line.count(3)
    line.put_off(gangs(1)[0], 1.0)
    assert line.room == 0
    line.widen()
    assert line.room == 1
    for _ in range(20):
        line.widen()
    assert line.room == 5
    line.put_off(gangs(4)[0], 1.0)
    assert line.room == 5  # the others of a gang hold slots meanwhile: what it found says little
    line.clear()
    assert not line


def test_a_server_is_chosen_by_copies_location_tier_trouble_and_load():
    servers = Servers()
    limited = Server("L:1/d", "L", Tier.LIMITED)
    one = Record(session(1, servers=(A, B, C, limited)))
    servers.count(A, 1)
    assert servers.choose(one, ()) is B
    servers.failed(B)
    assert servers.choose(one, ()) is C
    assert servers.choose(one, (A.host, B.host, C.host)) is limited
    one.busy.add(C.name)
    one.excluded[B.name] = (503, "no")
    assert servers.choose(one, ()) is A


def test_a_location_is_where_its_first_session_went_until_that_leaves():
    servers = Servers()
    first, second = (Record(session(number, location="x")) for number in (1, 2))
    assert servers.choose(first, ()) is A
    servers.count(A, 5)
    assert servers.choose(second, ()) is A
    servers.leave(first, A)
    assert servers.choose(second, ()) is B
    assert servers.choose(first, ()) is B


def test_spares_are_asked_for_when_all_others_are_out_of_the_question():
    spare, calls = Server("S:1/d", "S"), []
    one = Record(session(1, spares=lambda: calls.append(1) or (spare,)))
    servers = Servers()
    one.busy.update(server.name for server in (A, B, C))
    assert (servers.choose(one, ()), calls) == (None, [])
    one.excluded.update({server.name: (404, "") for server in (A, B, C)})
    assert servers.choose(one, ()) is spare
    assert servers.choose(one, ()) is spare
    assert calls == [1]


def test_a_unit_is_complete_when_every_node_has_a_winner():
    records = [Record(session(number, node=node, unit=7)) for number, node in ((1, 1), (2, 1), (3, 2))]
    nodes = Nodes(records)
    assert nodes.first(records[1]) is records[1]
    assert nodes.first(records[0]) is records[1]
    assert nodes.winners_of_unit(records[0]) == []
    nodes.first(records[2])
    assert nodes.winners_of_unit(records[0]) == [records[1], records[2]]
    nodes.lose(records[0])
    nodes.lose(records[1])
    assert (nodes.winner(1), nodes.winner(2)) == (None, records[2])


def test_a_node_ends_with_its_winner_when_others_have_been_compared():
    first, second = records = [Record(session(number, node=1)) for number in (1, 2)]
    nodes = Nodes(records)
    first.phase, second.phase = Phase.PUBLISHED, Phase.RUNNING
    nodes.first(first)
    nodes.compare(1, 8.0)
    assert (nodes.has_ended(1, 7.0), nodes.has_ended(1, 8.0)) == (False, True)
    assert (nodes.compared(7.0), nodes.compared(8.0), nodes.next_time) == ([], [1], 8.0)
    nodes.close(1)
    assert (nodes.over, nodes.next_time, nodes.is_open(second)) == (True, None, False)


def test_a_node_without_a_winner_ends_when_none_is_left_to_win():
    first, second = records = [Record(session(number, node=1)) for number in (1, 2)]
    nodes = Nodes(records)
    first.phase = Phase.FAILED
    assert (nodes.has_ended(1, 0.0), nodes.has_other(first), nodes.has_other(second)) == (False, True, False)
    second.phase = Phase.RESERVED
    assert (nodes.has_ended(1, 0.0), nodes.has_other(first)) == (True, False)
