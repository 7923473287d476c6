"""What is refused, in which words, and that it is refused before the body is sent (executing server, section 3)."""

import socket

import pytest

from zerocloud import wire

from .conftest import READ, STDOUT, device, node, tar_stream

OBJECT = "/a/c/o"


def refusal(answer, status, text):
    assert (answer.status, answer.body.decode()) == (status, text)
    if wire.STATUS in answer.headers:
        assert answer.headers[wire.STATUS] == wire.NOT_RUN
    return answer.headers


def test_other_requests_pass_by(server):
    assert server.request("GET", "/a/c/absent", headers={wire.EXECUTE: "1.0"}).status == 404
    assert server.request("POST", "/a/c/absent", headers={"X-Timestamp": "1700000000.00000"}).status == 404


def test_default_headers(server):
    headers = refusal(server.post("/a/c/absent", b"", X_Zerovm_Access="GET"), 404, "Object /a/c/absent is not on this server")
    assert headers[wire.RETCODE] == "0"
    assert headers[wire.VALIDATION] == "0"
    assert headers[wire.POLICY] == "gold"
    elapsed, _, record = headers[wire.CDR].partition(", ")
    assert float(elapsed) < 5
    assert [float(field) for field in record.split()] == [0.0] * 10


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"X_Zerocloud_Id": None}, 500, "X-Zerocloud-Id header is missing"),
        ({"Content_Type": None}, 400, "No content type"),
        ({"Content_Type": "application/json"}, 400, "Invalid Content-Type"),
        ({"X_Zerovm_Pool": "Swimming"}, 400, "Cannot find pool swimming"),
        ({"X_Zerovm_Patience": "-1"}, 400, "X-Zerovm-Patience: -1: expected seconds"),
        ({"X_Zerovm_Timeout": "soon"}, 400, "X-Zerovm-Timeout: soon: expected whole seconds, 1 or more"),
        ({"X_Backend_Storage_Policy_Index": "7"}, 503, "No policy with index 7"),
    ],
)
def test_heads(server, headers, status, text):
    refusal(server.post("/a", b"", **headers), status, text)


def test_a_path_that_is_not_utf8(server):
    connection = socket.create_connection(("127.0.0.1", server.object_port))
    with connection:
        connection.sendall(b"POST /sda/0/a/c/%FF HTTP/1.1\r\nX-Zerovm-Execute: 1.0\r\nContent-Length: 0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 412 ")


def test_a_body_that_is_too_large_is_refused_unread(server):
    connection = socket.create_connection(("127.0.0.1", server.object_port))
    with connection:
        fields = server.headers(Content_Length=str((1 << 30) + 1), Expect="100-continue")
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(f"POST /sda/0/a HTTP/1.1\r\n{head}\r\n".encode())
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"RPC request too large" in answer


def test_a_missing_device(server):
    (server.root / "devices" / "sda").rename(server.root / "devices" / "gone")
    try:
        refusal(server.post(OBJECT, b"", X_Zerovm_Access="GET"), 507, "Device sda is not available")
        colocated = server.post(OBJECT, b"", X_Zerovm_Access="GET", X_Nexe_Colocated="salt:127.0.0.1:1")
        refusal(colocated, 404, "Device sda is not available")
    finally:
        (server.root / "devices" / "gone").rename(server.root / "devices" / "sda")


@pytest.mark.parametrize(
    ("kind", "meta"),
    [
        ("slo", {"X_Static_Large_Object": "True"}),
        ("dlo", {"X_Object_Manifest": "c/prefix"}),
        ("symlink", {"X_Object_Sysmeta_Symlink_Target": "c/other"}),
        ("encrypted", {"X_Object_Sysmeta_Crypto_Body_Meta": "{}"}),
    ],
)
def test_objects_whose_bytes_are_elsewhere(server, kind, meta):
    server.put(f"/a/c/{kind}", b"not the object", **meta)
    answer = server.post(f"/a/c/{kind}", b"", X_Zerovm_Access="GET")
    assert (answer.status, answer.headers[wire.NOT_LOCAL]) == (409, kind)
    assert answer.body.startswith(f"/a/c/{kind} is ".encode())


def test_an_erasure_coded_object(server):
    answer = server.post("/a/c/coded", b"", X_Zerovm_Access="GET", X_Backend_Storage_Policy_Index="1")
    assert (answer.status, answer.headers[wire.NOT_LOCAL], answer.headers[wire.POLICY]) == (409, "erasure-coded", "coded")


def test_what_was_deleted(server):
    server.put("/a/c/late", b"x")
    assert server.request("DELETE", "/a/c/late", headers={"X-Timestamp": server.timestamp()}).status == 204
    refusal(server.post("/a/c/late", b"", X_Zerovm_Access="GET"), 404, "Object /a/c/late is not on this server")
    port = server.container_port
    for method in ("PUT", "DELETE"):
        fields = {"X-Timestamp": server.timestamp(), "X-Backend-Storage-Policy-Index": "0"}
        assert server.request(method, "/a/late", headers=fields, port=port).status < 300
    refusal(server.post("/a/late", b"", port, X_Zerovm_Access="GET"), 404, "Container /a/late is not on this server")


def test_a_fault_of_ours_is_for_the_log_only(server):
    folder, away = server.device / "tmp", server.device / "away"
    folder.mkdir(exist_ok=True)
    folder.rename(away)
    folder.write_bytes(b"")  # no folder: nothing that a request could bring about
    try:
        answer = server.post("/a", [("sysmap", node().to_json()), ("boot", b"x")])
    finally:
        folder.unlink()
        away.rename(folder)
    refusal(answer, 500, "The storage server failed; its log has the cause")
    assert "Traceback" in (server.root / "server.log").read_text()


def test_containers(server):
    port = server.container_port
    refusal(server.post("/a/absent", b"", port, X_Zerovm_Access="GET"), 404, "Container /a/absent is not on this server")
    refusal(server.post("/a/c", b"", port, X_Zerovm_Access="PUT"), 405, "'PUT' requests on containers are not supported.")


@pytest.mark.parametrize(
    ("members", "status", "text"),
    [
        ([], 400, "No system map found in request"),
        ([("sysmap", b"{")], 400, "Cannot parse system map: node description: not JSON"),
        ([("sysmap", b"{}")], 400, "Cannot parse system map: node description: id has the wrong type"),
        (
            [("sysmap", node().to_json())],
            400,
            "No executable found in request: swift://a/c/exe is neither here nor sent",
        ),
        (
            [("sysmap", node(device("input", READ, "swift://a/c/other")).to_json()), ("boot", b"x")],
            400,
            'Could not resolve channel path "swift://a/c/other" for device: input',
        ),
        (
            [("sysmap", node(device("image", 16)).to_json()), ("boot", b"x")],
            400,
            'Could not resolve channel path "" for device: image',
        ),
        (
            [("sysmap", node(device("debug", 8, "tcp://10.0.0.1:6200")).to_json()), ("boot", b"x")],
            400,
            "Device debug: a server's programs may not open connections of their own",
        ),
        (
            [("sysmap", node(STDOUT, STDOUT).to_json()), ("boot", b"x")],
            400,
            "Device stdout of node n is described twice",
        ),
        ([("image.gz", b"no gzip"), ("sysmap", node().to_json())], 422, "Failed to inflate gzipped image"),
        (
            [("sysmap", node(STDOUT, memory=1000).to_json()), ("boot", b"x")],
            400,
            "Node n: Memory: 1000 bytes are not between 25165825 and 4294967296",
        ),
    ],
)
def test_bodies(server, members, status, text):
    refusal(server.post("/a", members), status, text)


def test_a_body_that_ends_early(server):
    body = tar_stream([("sysmap", node().to_json()), ("boot", b"x" * 5000)])
    connection = socket.create_connection(("127.0.0.1", server.object_port))
    with connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in server.headers(Content_Length=len(body) + 10).items())
        connection.sendall(f"POST /sda/0/a HTTP/1.1\r\n{head}\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 499 ")


def test_refusals_come_before_the_body(server):
    connection = socket.create_connection(("127.0.0.1", server.object_port))
    with connection:
        fields = server.headers(Content_Length="100", Expect="100-continue", X_Zerovm_Access="GET")
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(f"POST /sda/0/a/c/absent HTTP/1.1\r\n{head}\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 404 ")
