from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from zerocloud.zebra import ports
from zerocloud.zebra.errors import PortTaken
from zerocloud.zebra.settings import Settings, address_of

SETTINGS = Settings(nodes=2, ec=False, hash_prefix="", hash_suffix="", fernet_key="")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_every_server_listens_at_its_own_address(stack: ExitStack) -> None:
    sockets = ports.bind(SETTINGS, None, stack)
    numbers = ports.numbers(sockets)
    assert set(numbers) == set(SETTINGS.servers)
    for server, number in numbers.items():
        socket.create_connection((address_of(server), number), timeout=5).close()


def test_ports_stay(stack: ExitStack) -> None:
    with ExitStack() as first:
        numbers = ports.numbers(ports.bind(SETTINGS, None, first))
    assert ports.numbers(ports.bind(SETTINGS.with_ports(numbers), None, stack)) == numbers


def test_a_port_that_was_taken_meanwhile_is_replaced(stack: ExitStack) -> None:
    with ExitStack() as first:
        numbers = ports.numbers(ports.bind(SETTINGS, None, first))
    for server in ("proxy", "object-2"):
        thief = stack.enter_context(socket.socket())
        thief.bind((address_of(server), numbers[server]))
        thief.listen()
    again = ports.numbers(ports.bind(SETTINGS.with_ports(numbers), None, stack))
    assert {server for server in numbers if again[server] != numbers[server]} == {"proxy", "object-2"}


def test_a_port_that_the_user_asked_for_is_not_replaced(stack: ExitStack) -> None:
    thief = stack.enter_context(socket.socket())
    thief.bind(("127.0.0.1", 0))
    thief.listen()
    number = thief.getsockname()[1]
    with pytest.raises(PortTaken, match=f"port {number} of 127.0.0.1 is taken"):
        ports.bind(SETTINGS, number, stack)


def test_asking_for_another_port_than_before(stack: ExitStack) -> None:
    with ExitStack() as first:
        numbers = ports.numbers(ports.bind(SETTINGS, None, first))
        free = numbers["object-1"]
    again = ports.numbers(ports.bind(SETTINGS.with_ports({**numbers, "object-1": 0}), free, stack))
    assert again["proxy"] == free


def test_sockets_are_closed_with_the_stack() -> None:
    with ExitStack() as stack:
        sockets = ports.bind(SETTINGS, None, stack)
    assert all(bound.fileno() == -1 for bound in sockets.values())
