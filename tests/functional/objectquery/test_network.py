"""Two connected nodes of one job on the same server: their network is opened while the server keeps serving."""

import os
import socket
import threading
from contextlib import contextmanager

from zerocloud import wire
from zerocloud.zerovm.nameserver import NameService

from .conftest import READ, STDOUT, device, node

TOKEN = os.urandom(16).hex()


@contextmanager
def name_server(*nodes):
    """A name server for these node ids; gives its address as a node's description names it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        service = NameService(nodes)

        def serve():
            while (packet := listening.recvfrom(65536))[0] != b"end":
                for reply in service.receive(*packet):
                    listening.sendto(*reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        host, port = listening.getsockname()
        try:
            yield f"udp:{host}:{port}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"end", (host, port))
            thread.join()


def sender(**more):
    line = "tcp:2:,/dev/stdout,0,0,0,0,1000,1000000"
    return node(device("stdin", READ), id=1, name="sender", connect=(line,), token=TOKEN, **more)


def receiver(**more):
    line = "tcp:1:0,/dev/stdin,0,0,1000,1000000,0,0"
    return node(STDOUT, id=2, name="receiver", bind=(line,), token=TOKEN, **more)


def test_a_stream_between_two_nodes(server):
    data = os.urandom(1000) * 300
    answers = {}
    with name_server(1, 2) as address:

        def send():
            answers["sender"] = server.run(
                "copy", sender(name_service=address), members=[("stdin", data)], X_Zerovm_Pool="cluster"
            )

        thread = threading.Thread(target=send)
        thread.start()
        answers["receiver"] = server.run("copy", receiver(name_service=address), X_Zerovm_Pool="cluster")
        thread.join()
    assert answers["sender"].status == 200, answers["sender"]
    assert answers["receiver"].members == {"stdout": data}
    assert answers["sender"].headers[wire.STATUS] == "ok"
    fields = answers["sender"].headers[wire.CDR].partition(", ")[2].split()
    assert int(fields[9]) == len(data)


def test_a_peer_that_never_comes_is_the_nodes_failure(server):
    with name_server(1, 2) as address:
        answer = server.run("copy", sender(name_service=address, timeout=1), members=[("stdin", b"")])
    assert answer.status == 200
    assert answer.headers[wire.STATUS].startswith("peer lost")
    assert answer.headers[wire.ERROR].startswith("The other side of a network channel went away, or never came.")


def test_a_bad_name_server_or_token_is_refused(server):
    answer = server.run("copy", sender(name_service="tcp:1:2"))
    assert (answer.status, answer.body) == (400, b"Node sender: name server 'tcp:1:2' is not udp:host:port")
    described = node(id=1, connect=("tcp:2:,/dev/stdout,0,0,0,0,1,1",), name_service="udp:127.0.0.1:1", token="xyz")
    assert server.run("copy", described).body == b"Node n: its network token is not hexadecimal"
