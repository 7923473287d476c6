"""What an operator limits, and what is told when it is reached (executing server, sections 2, 3 and 13)."""

import http.client
import select

import pytest

from tests.guests import compiled
from zerocloud import wire

from .conftest import READ, STDOUT, device, node, storage_server, tar_stream, wait_for

MOST = 100_000
OBJECT, URL = "/a/c/o", "swift://a/c/o"
COPY = node(device("stdin", READ, URL), STDOUT)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """A server with small limits, that tells its operator everything."""
    options = {"zerovm_maxinput": str(MOST), "zerovm_maxnexe": "4000", "max_upload_time": "1", "zerovm_debug": "yes"}
    with storage_server(tmp_path_factory.mktemp("narrow"), **options) as server:
        yield server


@pytest.fixture(autouse=True)
def clean(narrow):
    yield
    wait_for(lambda: not narrow.leftovers(), "nothing left")


def test_a_local_object_of_the_largest_size_and_a_larger_one(narrow):
    for size in (MOST, MOST + 1):
        narrow.put(OBJECT, bytes(size))
        answer = narrow.run("copy", COPY, OBJECT, X_Zerovm_Access="GET")
        found = (answer.status, answer.body if answer.status != 200 else len(answer.members["stdout"]))
        assert found == ((200, MOST) if size == MOST else (413, b"Data object too large"))


def test_a_containers_database_that_is_too_large(narrow):
    port, path = narrow.container_port, "/a/many"
    index = {"X-Backend-Storage-Policy-Index": "0"}
    narrow.request("PUT", path, headers={"X-Timestamp": narrow.timestamp(), **index}, port=port)
    described = node(device("stdin", READ, f"swift:/{path}"), STDOUT)
    for number in range(40):
        name = f"{path}/{number:03}{'x' * 3000}"
        fields = {"X-Timestamp": narrow.timestamp(), "X-Size": "1", "X-Content-Type": "t" * 200, "X-Etag": "e", **index}
        assert narrow.request("PUT", name, headers=fields, port=port).status == 201
    answer = narrow.run("copy", described, path, port=port, X_Zerovm_Access="GET")
    assert (answer.status, answer.body) == (413, b"Data object too large")


def test_a_body_without_a_length_is_counted_as_it_comes(narrow):
    connection = http.client.HTTPConnection("127.0.0.1", narrow.object_port, timeout=60)
    pieces = iter([tar_stream([("sysmap", COPY.to_json()), ("stdin", bytes(2 * MOST))])])
    connection.request("POST", "/sda/0/a", pieces, narrow.headers(Transfer_Encoding="chunked"), encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, response.read()) == (413, b"RPC request too large")
    connection.close()


def test_a_body_that_never_ends_is_ended(narrow):
    """Each piece comes in time, but they are too many."""
    body = tar_stream([("sysmap", COPY.to_json()), ("stdin", bytes(50_000))])
    with narrow.started("/a", len(body)) as connection:
        for at in range(0, len(body), 100):
            connection.sendall(body[at : at + 100])
            if select.select([connection], [], [], 0.02)[0]:
                break
        answer = narrow.answer(connection)
    assert (answer.status, answer.body.partition(b":")[0]) == (408, b"The request's body came too slowly")


def test_a_program_that_is_too_large(narrow):
    large = compiled("copy") + b"\0\xff\xff\x00" + bytes(5000)
    answer = narrow.post("/a", [("sysmap", node(STDOUT).to_json()), ("boot", large)])
    assert answer.status == 200
    assert answer.headers[wire.VALIDATION] == "1"
    assert "4000" in answer.headers[wire.ERROR], answer.headers[wire.ERROR]


def test_the_operator_may_see_a_sessions_files(narrow):
    narrow.run("arguments", node(STDOUT, name="seen", env={"COLOUR": "blue"}), X_Trans_Id="tx-seen")

    def told():
        lines = [line for line in (narrow.root / "server.log").read_text().splitlines() if "tx-seen node seen: " in line]
        return {kind for kind in ("NVRAM", "manifest", "report") if any(f"{kind}: " in line for line in lines)}

    wait_for(lambda: told() == {"NVRAM", "manifest", "report"}, "all three in the log")
    assert "COLOUR" in (narrow.root / "server.log").read_text()
