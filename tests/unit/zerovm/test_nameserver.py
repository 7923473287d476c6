"""The name server's packets and its state, without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.nameserver import UNKNOWN, NameServerError, NameService, Request, parse_request

ids = st.integers(0, 2**32 - 1)
ports = st.integers(0, 2**16 - 1)
requests = st.builds(Request, ids, st.lists(st.tuples(ids, ports)).map(tuple), st.lists(ids).map(tuple))
addresses = st.tuples(st.ip_addresses(v=4).map(str), ports)


def test_the_bytes_of_a_request() -> None:
    packet = Request(1, ((2, 0x1234),), (3,)).render()
    assert packet.hex() == "000000010000000100000001" + "000000021234" + "000000030000"


def test_the_bytes_of_a_reply() -> None:
    packet = Request(1, ((2, 0x1234),), (3,)).render_reply([("127.0.0.9", 80)])
    assert packet.hex() == "000000010000000100000001" + "000000021234" + "7f0000090050"


@given(requests)
def test_requests_come_back_as_they_were(request: Request) -> None:
    assert parse_request(request.render()) == request
    assert parse_request(request.render() + b"\0") == request


@given(requests, st.data())
def test_replies_come_back_as_they_were(request: Request, data: st.DataObject) -> None:
    count = len(request.connects)
    found = data.draw(st.lists(addresses, min_size=count, max_size=count))
    reply = request.render_reply(found)
    assert request.parse_reply(reply) == tuple(found)
    assert request.parse_reply(reply + b"\0") == tuple(found)


@given(st.binary(max_size=100))
def test_random_bytes_are_read_or_refused_cleanly(packet: bytes) -> None:
    try:
        assert parse_request(packet).render()[:4] == packet[:4]
    except NameServerError:
        pass
    assert NameService({1}).receive(packet, ("127.0.0.1", 1)) == [] or packet[:4] == b"\0\0\0\1"


@pytest.mark.parametrize("packet", [b"", b"\0" * 11, b"\0" * 11 + b"\1", b"\xff" * 12, b"\0" * 14])
def test_counts_that_do_not_fit_the_packet(packet: bytes) -> None:
    with pytest.raises(NameServerError):
        parse_request(packet)


def test_a_reply_is_only_taken_if_it_answers_the_request() -> None:
    request = Request(1, ((2, 5),), (3,))
    good = request.render_reply([("10.0.0.1", 7)])
    for bad in (
        Request(2, ((2, 5),), (3,)).render_reply([("10.0.0.1", 7)]),
        Request(1, ((2, 6),), (3,)).render_reply([("10.0.0.1", 7)]),
        Request(1, ((2, 5),), (3, 4)).render_reply([("10.0.0.1", 7)] * 2),
        good[:-1],
        good + b"\0\0",
        good + b"x",
        b"",
    ):
        with pytest.raises(NameServerError):
            request.parse_reply(bad)


def test_too_many_channels_for_a_packet() -> None:
    with pytest.raises(NameServerError, match="20000 network channels"):
        Request(1, ((2, 1),) * 20000).render()


def test_all_are_answered_once_all_have_asked() -> None:
    service = NameService({1, 2})
    one, two = Request(1, ((2, 11),), (2,)), Request(2, ((1, 22),), (1,))
    here, there = ("127.0.0.2", 5001), ("127.0.0.3", 5002)
    assert service.receive(one.render(), here) == []
    assert (service.complete, service.missing) == (False, {2})
    answers = {address: packet for packet, address in service.receive(two.render(), there)}
    assert one.parse_reply(answers[here]) == (("127.0.0.3", 22),)
    assert two.parse_reply(answers[there]) == (("127.0.0.2", 11),)
    assert service.complete


def test_a_repeated_request_is_answered_again_to_its_sender_only() -> None:
    service = NameService({1, 2})
    service.receive(Request(1).render(), ("127.0.0.1", 1))
    service.receive(Request(2).render(), ("127.0.0.1", 2))
    assert [address for _, address in service.receive(Request(1).render(), ("127.0.0.1", 1))] == [("127.0.0.1", 1)]


def test_a_node_started_anew_elsewhere_is_told_to_all() -> None:
    service = NameService({1, 2})
    caller = Request(1, (), (2,))
    service.receive(caller.render(), ("127.0.0.1", 1))
    service.receive(Request(2, ((1, 50),)).render(), ("127.0.0.1", 2))
    answers = service.receive(Request(2, ((1, 60),)).render(), ("127.0.0.7", 9))
    assert {address: packet for packet, address in answers}[("127.0.0.1", 1)] == caller.render_reply([("127.0.0.7", 60)])


def test_strangers_do_not_count_and_are_not_answered() -> None:
    service = NameService({1, 2})
    assert service.receive(Request(7).render(), ("127.0.0.1", 7)) == []
    service.receive(Request(1).render(), ("127.0.0.1", 1))
    assert not service.complete
    assert service.receive(Request(2).render(), ("::1", 2)) == []
    assert not service.complete


def test_a_peer_that_has_no_port_for_the_caller() -> None:
    service = NameService({1, 2})
    caller = Request(1, (), (2, 9))
    service.receive(caller.render(), ("127.0.0.1", 1))
    answers = {address: packet for packet, address in service.receive(Request(2).render(), ("127.0.0.1", 2))}
    assert caller.parse_reply(answers[("127.0.0.1", 1)]) == (UNKNOWN, UNKNOWN)


def test_several_channels_between_two_nodes_get_their_ports_in_order() -> None:
    service = NameService({1, 2})
    caller = Request(1, (), (2, 2))
    service.receive(caller.render(), ("127.0.0.1", 1))
    answers = service.receive(Request(2, ((1, 50), (3, 70), (1, 60))).render(), ("127.0.0.1", 2))
    packet = {address: packet for packet, address in answers}[("127.0.0.1", 1)]
    assert caller.parse_reply(packet) == (("127.0.0.1", 50), ("127.0.0.1", 60))
