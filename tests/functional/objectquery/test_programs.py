"""A program that was sent once is there for the next session."""

import gzip
import hashlib
import socket
from contextlib import ExitStack, closing

import pytest

from tests.guests import compiled
from zerocloud import wire
from zerocloud.objectquery.programs import Programs
from zerocloud.objectquery.workspace import Workspace

from .conftest import CDR, READ, STDOUT, device, node, storage_server, tar_stream, wait_for

READS = node(device("stdin", READ), STDOUT)


def digest(guest):
    return hashlib.sha256(compiled(guest)).hexdigest()


def offered(server, program):
    """The first word of the server when this program is offered."""
    with socket.create_connection(("127.0.0.1", server.object_port), timeout=60) as connection:
        fields = server.headers(Content_Length="512", Expect="100-continue", X_Zerovm_Program=program)
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(f"POST /sda/0/a HTTP/1.1\r\n{head}\r\n".encode())
        return connection.recv(65536)


def without_program(server, data, program):
    members = [("sysmap", READS.to_json()), ("stdin", data)]
    return server.post("/a", members, X_Zerovm_Program=program)


def test_a_program_is_known_by_its_digest_once_it_was_sent(server):
    known = digest("copy")
    assert server.run("copy", READS, members=[("stdin", b"1")]).members == {"stdout": b"1"}
    assert offered(server, known).lower().splitlines()[1] == f"x-zerovm-program: {known}".encode()
    assert without_program(server, b"2", known).members == {"stdout": b"2"}
    wait_for(lambda: not server.leftovers(), "nothing is left on the device")


def test_what_was_not_sent_is_not_known(server):
    unknown = hashlib.sha256(b"something else").hexdigest()
    assert b"x-zerovm-program" not in offered(server, unknown).lower()
    answer = without_program(server, b"x", unknown)
    assert (answer.status, answer.body[:19]) == (400, b"No executable found")


def test_a_program_that_comes_nevertheless_wins(server):
    server.run("copy", READS, members=[("stdin", b"1")])
    answer = server.run("exit-3", node(STDOUT), X_Zerovm_Program=digest("copy"))
    assert answer.headers[wire.RETCODE] == "3"


def test_what_is_kept_has_a_limit(tmp_path):
    size = max(len(compiled("copy")), len(compiled("exit-3"))) + 1
    with storage_server(tmp_path, zerovm_kept_programs=str(size)) as server:
        server.run("copy", READS, members=[("stdin", b"1")])
        server.run("exit-3", node(STDOUT))
        assert wire.PROGRAM.lower().encode() not in offered(server, digest("copy")).lower()
        assert wire.PROGRAM.lower().encode() in offered(server, digest("exit-3")).lower()


def test_small_ones_do_not_take_all_descriptors(tmp_path):
    kept = Programs(1 << 20, pytest.fail, most_files=3)
    with closing(kept), ExitStack() as stack:
        for number in range(5):
            kept.keep(str(number), stack.enter_context(Workspace(str(tmp_path)).file()))
        found = [number for number in range(5) if kept.find(str(number), stack) is not None]
    assert found == [2, 3, 4]


def test_none_is_kept_where_the_operator_wants_none(tmp_path):
    with storage_server(tmp_path, zerovm_kept_programs="0") as server:
        server.run("copy", READS, members=[("stdin", b"1")])
        assert wire.PROGRAM.lower().encode() not in offered(server, digest("copy")).lower()


def test_a_body_may_come_in_chunks(server):
    body = tar_stream([("sysmap", READS.to_json()), ("boot", compiled("copy")), ("stdin", b"x" * 100000)])
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[at : at + 999]), body[at : at + 999]) for at in range(0, len(body), 999))
    with socket.create_connection(("127.0.0.1", server.object_port), timeout=60) as connection:
        fields = server.headers(Transfer_Encoding="chunked")
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.sendall(f"POST /sda/0/a HTTP/1.1\r\n{head}\r\n".encode() + chunks + b"0\r\n\r\n")
        assert server.answer(connection).members == {"stdout": b"x" * 100000}


def image_of(**programs):
    return tar_stream([(name, compiled(guest)) for name, guest in programs.items()]) + bytes(1024)


def named(image, form="tar"):
    return f"{form}:{hashlib.sha256(image).hexdigest()}"


def in_image(server, program, members=(), **headers):
    description = node(STDOUT, device("image", CDR), exe=f"file://image:{program}")
    return server.post("/a", [("sysmap", description.to_json()), *members], **headers)


def test_an_image_is_known_by_its_digest_once_it_was_sent_under_it(server):
    image = image_of(one="exit-3", two="copy")
    for _ in range(2):  # without a name it is not kept
        assert in_image(server, "one", [("image", image)]).headers[wire.RETCODE] == "3"
        assert in_image(server, "one", X_Zerovm_Image=named(image)).status == 400
    assert in_image(server, "one", [("image", image)], X_Zerovm_Image=named(image)).headers[wire.RETCODE] == "3"
    for program, code in (("one", "3"), ("two", "0"), ("one", "3")):
        answer = in_image(server, program, X_Zerovm_Image=named(image))
        assert (answer.status, answer.headers[wire.RETCODE]) == (200, code)
    assert in_image(server, "three", X_Zerovm_Image=named(image)).status == 400
    assert in_image(server, "one", X_Zerovm_Image=named(image, "gzip")).status == 400


def test_a_gzipped_image_is_known_by_what_came(server):
    image = gzip.compress(image_of(here="exit-3"))
    name = named(image, "gzip")
    assert in_image(server, "here", [("image.gz", image)], X_Zerovm_Image=name).headers[wire.RETCODE] == "3"
    assert in_image(server, "here", X_Zerovm_Image=name).headers[wire.RETCODE] == "3"
    assert in_image(server, "here", X_Zerovm_Image=named(image)).status == 400


def test_an_image_that_is_not_what_it_is_called_is_not_kept_under_that_name(server):
    other = named(image_of(evil="copy"))
    assert in_image(server, "good", [("image", image_of(good="exit-3"))], X_Zerovm_Image=other).headers[wire.RETCODE] == "3"
    assert in_image(server, "good", X_Zerovm_Image=other).status == 400
