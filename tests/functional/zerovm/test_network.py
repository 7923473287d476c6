"""How the nodes of a job find each other, and who else is kept out (executor contract, sections 3 and 4)."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from zerocloud.zerovm import meeting
from zerocloud.zerovm.errors import ManifestError, NetworkError
from zerocloud.zerovm.handshake import NONCE, PROOF, Pair, WriterHandshake
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.nameserver import Address, Request, parse_request
from zerocloud.zerovm.network import OpenedNetwork
from zerocloud.zerovm.sources import DescriptorSource

from .nodes import TOKEN, connect, name_server, reads, started, writes
from .support import open_descriptors


def passes(writer: OpenedNetwork, reader: OpenedNetwork, number: int = 0, other: int = 0) -> None:
    """The two descriptors are ends of one stream."""
    word = os.urandom(8)
    os.write(writer.descriptors[number], word)
    assert os.read(reader.descriptors[other], 8) == word


@contextmanager
def ports_of(*nodes: int) -> Iterator[tuple[Address, dict[int, int], threading.Event]]:
    """A name server that also tells the test the ports that nodes have bound, in order of binding."""
    ports: dict[int, int] = {}
    known = threading.Event()

    def seen(packet: bytes, address: Address) -> None:
        for peer, port in parse_request(packet).binds:
            ports[peer] = port
            known.set()

    with name_server(*nodes, seen=seen) as server:
        yield server, ports, known


def test_two_nodes() -> None:
    before = open_descriptors()
    with name_server(1, 2) as server:
        one = partial(connect, 1, [writes("tcp:2:")], server)
        two = partial(connect, 2, [reads("tcp:1:0")], server)
        with started(one, two) as (writer, reader):
            passes(writer.result(), reader.result())
            assert os.get_blocking(writer.result().descriptors[0])
            assert not os.get_inheritable(writer.result().descriptors[0])
    assert open_descriptors() == before


def test_lines_are_rewritten_and_others_pass() -> None:
    with name_server(1, 2) as server:
        plain = "/dev/null,/dev/stdin,0,0,1,1,0,0"
        one = partial(connect, 1, [plain, writes("tcp:2:", "/dev/a"), writes("tcp:2:", "/dev/b")], server)
        two = partial(connect, 2, [reads("tcp:1:0", "/dev/c"), plain, reads("tcp:1:0", "/dev/d")], server)
        with started(one, two) as (writer, reader):
            lines = writer.result().lines
            assert lines[0] == ChannelLine.parse(plain)
            assert [line.sources for line in lines[1:]] == [(DescriptorSource(0),), (DescriptorSource(1),)]
            assert [line.alias for line in lines] == ["/dev/stdin", "/dev/a", "/dev/b"]
            passes(writer.result(), reader.result(), 0, 0)
            passes(writer.result(), reader.result(), 1, 1)


def test_all_call_all() -> None:
    nodes = range(1, 6)
    with name_server(*nodes) as server, ExitStack() as stack:
        calls = []
        for node in nodes:
            peers = [peer for peer in nodes if peer != node]
            lines = [reads(f"tcp:{peer}:0", f"/dev/in/{peer}") for peer in peers]
            lines += [writes(f"tcp:{peer}:", f"/dev/out/{peer}") for peer in peers]
            calls.append(partial(connect, node, lines, server, address=f"127.0.0.{node + 1}"))
        opened = [future.result() for future in stack.enter_context(started(*calls))]
        for node in nodes:
            for number, peer in enumerate([peer for peer in nodes if peer != node]):
                where = [other for other in nodes if other != peer].index(node)
                passes(opened[node - 1], opened[peer - 1], 4 + number, where)


def test_replicas_on_both_sides() -> None:
    with name_server(1, 2, 11, 12) as server, ExitStack() as stack:
        calls = [partial(connect, node, [writes("tcp:2:;tcp:12:")], server) for node in (1, 11)]
        calls += [partial(connect, node, [reads("tcp:1:0;tcp:11:0")], server) for node in (2, 12)]
        one, eleven, two, twelve = (future.result() for future in stack.enter_context(started(*calls)))
        assert [len(network.descriptors) for network in (one, eleven, two, twelve)] == [2, 2, 2, 2]
        passes(one, two, 0, 0)
        passes(one, twelve, 1, 0)
        passes(eleven, two, 0, 1)
        passes(eleven, twelve, 1, 1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_peers_by_address_need_no_name_server() -> None:
    port = free_port()
    with started(
        partial(connect, 0, [writes(f"tcp:127.0.0.1:{port}")], None),
        partial(connect, 0, [reads(f"tcp:127.0.0.1:{port}")], None),
    ) as (writer, reader):
        passes(writer.result(), reader.result())


def test_a_node_may_say_on_which_port_it_listens() -> None:
    port = free_port()
    with name_server(1, 2) as server:
        one = partial(connect, 1, [writes("tcp:2:")], server)
        two = partial(connect, 2, [reads(f"tcp:1:{port}")], server)
        with started(one, two) as (writer, reader):
            passes(writer.result(), reader.result())


def test_a_session_without_network_channels_asks_nobody() -> None:
    line = ChannelLine.parse("/dev/null,/dev/stdin,0,0,1,1,0,0")
    with connect(1, ["/dev/null,/dev/stdin,0,0,1,1,0,0"], ("127.0.0.1", 1)) as network:
        assert network.lines == (line,)
        assert network.descriptors == []


# What goes wrong.


def test_ids_need_a_name_server() -> None:
    with pytest.raises(ManifestError, match="needs a NameServer"):
        connect(1, [reads("tcp:2:0")], None)


def test_an_address_to_call_needs_a_port() -> None:
    with pytest.raises(ManifestError, match="needs a port"):
        connect(1, [writes("tcp:127.0.0.1:")], None)


def test_a_name_server_that_is_not_there() -> None:
    before = open_descriptors()
    with pytest.raises(NetworkError, match="no answer from the name server") as caught:
        connect(1, [reads("tcp:2:0")], ("127.0.0.1", free_port()), seconds=0.2)
    assert caught.value.errno == errno.ETIMEDOUT
    assert open_descriptors() == before


def test_a_peer_that_never_comes_is_named() -> None:
    with name_server(1, 2) as server:
        fake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fake.sendto(Request(2, ((1, 9),)).render(), server)
        with pytest.raises(NetworkError, match="node 1 could not be connected in time with 2"):
            connect(1, [reads("tcp:2:0")], server, seconds=0.4)
        fake.close()


def test_a_peer_without_a_channel_for_us() -> None:
    with name_server(1, 2) as server:
        fake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fake.sendto(Request(2).render(), server)
        with pytest.raises(NetworkError, match="node 2 has no channel for node 1"):
            connect(1, [writes("tcp:2:")], server)
        fake.close()


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(NetworkError, match=r"can't listen at 192\.0\.2\.1"):
        connect(1, [reads("tcp:192.0.2.1:0")], None)


# Attacks. Each leaves the job unharmed.


def attack(port: int, *messages: bytes) -> bytes:
    """Call a reader, send, and read until it hangs up or answers."""
    with socket.create_connection(("127.0.0.1", port), 10) as call:
        answer = b""
        try:
            for message in messages:
                call.sendall(message)
                answer = call.recv(1000)
        except ConnectionResetError:  # it hung up without having read everything
            return b""
        return answer


def test_a_stranger_without_the_token_is_dropped_and_the_peer_gets_in() -> None:
    with ports_of(1, 2) as (server, ports, known):
        two = partial(connect, 2, [reads("tcp:1:0")], server)
        with started(two) as (reader,):
            assert known.wait(10)
            for wrong in (Pair(1, 2), Pair(2, 1), Pair(7, 7)):
                hello = WriterHandshake(b"a guess", wrong).hello
                assert attack(ports[1], hello, bytes(PROOF)) == b""
            assert attack(ports[1], b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: everything, please\r\n\r\n") == b""
            with connect(1, [writes("tcp:2:")], server) as writer:
                passes(writer, reader.result())


def test_a_replayed_hello_does_not_take_the_peers_place() -> None:
    with ports_of(1, 2) as (server, ports, known):
        two = partial(connect, 2, [reads("tcp:1:0")], server)
        with started(two) as (reader,):
            assert known.wait(10)
            hello = WriterHandshake(TOKEN, Pair(1, 2)).hello  # as overheard
            with socket.create_connection(("127.0.0.1", ports[1]), 10) as call:
                call.sendall(hello)
                assert len(call.recv(1000)) == NONCE + PROOF
                with connect(1, [writes("tcp:2:")], server) as writer:
                    passes(writer, reader.result())


def test_silent_strangers_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "MAXIMUM_VISITORS", 8)
    with ports_of(1, 2) as (server, ports, known), ExitStack() as stack:
        two = partial(connect, 2, [reads("tcp:1:0")], server)
        with started(two) as (reader,):
            assert known.wait(10)
            for _ in range(20):
                stack.enter_context(socket.create_connection(("127.0.0.1", ports[1]), 10))
            start = time.monotonic()
            with connect(1, [writes("tcp:2:")], server) as writer:
                passes(writer, reader.result())
            assert time.monotonic() - start < meeting.VISITOR_SECONDS / 2


def test_a_stranger_is_dropped_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "VISITOR_SECONDS", 0.05)
    with ports_of(1, 2) as (server, ports, known):
        two = partial(connect, 2, [reads("tcp:1:0")], server, seconds=2)
        with started(two) as (reader,):
            assert known.wait(10)
            with socket.create_connection(("127.0.0.1", ports[1]), 10) as call:
                assert call.recv(1) == b""
            with connect(1, [writes("tcp:2:")], server) as writer:
                passes(writer, reader.result())


def test_another_jobs_node_is_kept_out() -> None:
    with name_server(1, 2) as server:
        one = partial(connect, 1, [writes("tcp:2:")], server, b"another job's token", 0.5)
        two = partial(connect, 2, [reads("tcp:1:0")], server, TOKEN, 0.5)
        with started(one, two) as futures:
            for future in futures:
                assert isinstance(future.exception(), NetworkError)


def test_a_reply_from_a_stranger_is_not_taken() -> None:
    """The forger knows everything but the name server's address: its packets come from elsewhere."""
    trap = socket.create_server(("127.0.0.1", 0))
    forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def forge(packet: bytes, address: Address) -> None:
        request = parse_request(packet)
        if request.connects:
            forger.sendto(request.render_reply([trap.getsockname()]), address)

    with name_server(1, 2, seen=forge) as server:
        one = partial(connect, 1, [writes("tcp:2:")], server)
        two = partial(connect, 2, [reads("tcp:1:0")], server)
        with started(one, two) as (writer, reader):
            passes(writer.result(), reader.result())
    trap.settimeout(0)
    with pytest.raises(BlockingIOError):
        trap.accept()
    trap.close()
    forger.close()


def test_a_false_name_server_gets_no_descriptor_out_of_a_writer() -> None:
    """It sends the writer to a listener that does not know the token."""
    trap = socket.create_server(("127.0.0.1", 0))
    false = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    false.bind(("127.0.0.1", 0))
    seen = []

    def answer() -> None:
        packet, address = false.recvfrom(1000)
        false.sendto(parse_request(packet).render_reply([trap.getsockname()]), address)
        call, _ = trap.accept()
        with call:
            seen.append(call.recv(1000))
            call.sendall(bytes(NONCE + PROOF))
            seen.append(call.recv(1000))

    thread = threading.Thread(target=answer)
    thread.start()
    with pytest.raises(NetworkError):
        connect(1, [writes("tcp:2:")], false.getsockname(), seconds=0.5)
    thread.join()
    assert TOKEN not in seen[0]
    assert seen[1] == b""
    trap.close()
    false.close()


GREEN = """
import eventlet
eventlet.monkey_patch(os=False, time=False, thread=False)
import os, socket, time
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.nameserver import NameService
from zerocloud.zerovm.network import open_network

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
service, ticks = NameService((1, 2)), []

def serve():
    while True:
        for answer in service.receive(*server.recvfrom(65536)):
            server.sendto(*answer)

def tick():
    while True:
        ticks.append(1)
        eventlet.sleep(0.01)

def connect(node, line, delay):
    eventlet.sleep(delay)
    lines = [ChannelLine.parse(line)]
    deadline = time.monotonic() + 20
    return open_network(lines, node, server.getsockname(), b"t", "127.0.0.1", deadline, sleep=eventlet.sleep)

eventlet.spawn(serve), eventlet.spawn(tick)
one = eventlet.spawn(connect, 1, "tcp:2:,/dev/out,0,0,0,0,1,1", 0.2)
two = eventlet.spawn(connect, 2, "tcp:1:0,/dev/in,0,0,1,1,0,0", 0)
writer, reader = one.wait(), two.wait()
assert len(ticks) >= 5, ticks
os.write(writer.descriptors[0], b"green")
assert os.get_blocking(reader.descriptors[0])
assert os.read(reader.descriptors[0], 9) == b"green"
print("good")
"""


def test_under_eventlet_nothing_blocks() -> None:
    done = subprocess.run([sys.executable, "-c", GREEN], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "good\n", done.stderr
