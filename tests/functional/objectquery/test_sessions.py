"""Sessions from request to answer, on a real object server with a real executor and WebAssembly guests."""

import gzip
import hashlib
import io
import tarfile

import pytest

from tests.guests import compiled
from zerocloud import wire

from .conftest import (
    CDR,
    RANDOM_WRITE,
    READ,
    STDOUT,
    WRITE,
    device,
    node,
    tar_stream,
    wait_for,
)

OBJECT = "/a/c/o"
URL = "swift://a/c/o"


def image_of(**files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def test_a_program_reads_the_local_object_in_place(server):
    data = b"0123456789abcdef" * 10000
    server.put(OBJECT, data)
    answer = server.run("copy", node(device("stdin", READ, URL), STDOUT), OBJECT, X_Zerovm_Access="GET")
    assert answer.status == 200, answer
    assert answer.members == {"stdout": data}
    assert answer.records["stdout"] == {
        "Content-Length": str(len(data)),
        "Content-Type": "text/plain",
        "X-Zerovm-Device": "stdout",
    }
    headers = answer.headers
    assert headers["Content-Type"] == "application/x-gtar"
    assert headers[wire.SYSTEM] == "n"
    assert headers[wire.STATUS] == "ok"
    assert headers[wire.RETCODE] == "0"
    assert headers[wire.POLICY] == "gold"
    assert headers[wire.ETAG] == f"/dev/stdout {hashlib.md5(data).hexdigest()}"
    assert wire.ERROR not in headers
    fields = headers[wire.CDR].partition(", ")[2].split()
    assert (int(fields[3]), int(fields[5])) == (len(data), len(data))


def test_a_pushed_member_wins_over_the_local_object(server):
    server.put(OBJECT, b"local")
    answer = server.run("copy", node(device("stdin", READ, URL), STDOUT), OBJECT, [("stdin", b"pushed")])
    assert answer.members == {"stdout": b"pushed"}


def test_arguments_and_environment(server):
    server.put(OBJECT, b"12345", X_Object_Meta_Colour="green")
    described = node(device("stdin", READ, URL), STDOUT, exe_name="my program", args='-a "b c" d', env={"Z": "1,2"})
    answer = server.run("arguments", described, OBJECT, X_Zerovm_Access="GET")
    words = set(answer.members["stdout"].rstrip(b"\0").split(b"\0"))
    assert {b"my program", b"-a", b"b c", b"d", b"Z=1,2"} <= words
    assert {
        b"LOCAL_OBJECT=on",
        b"LOCAL_CONTENT_LENGTH=5",
        b"LOCAL_PATH_INFO=/a/c/o",
        b"LOCAL_DOCUMENT_ROOT=/dev/stdin",
    } <= words
    assert b"LOCAL_HTTP_X_OBJECT_META_COLOUR=green" in words
    assert b"LOCAL_HTTP_ETAG=" + hashlib.md5(b"12345").hexdigest().encode() in words


def test_of_a_segment_only_what_the_proxy_says_of_the_whole_is_told(server):
    server.put(OBJECT, b"12345", X_Object_Meta_Colour="green", Content_Encoding="gzip")
    told = {"LOCAL_OBJECT": "on", "LOCAL_PATH_INFO": "/a/c/whole", "LOCAL_HTTP_ETAG": "e"}
    described = node(device("stdin", READ, URL), STDOUT, env=told)
    answer = server.run("arguments", described, OBJECT, X_Zerovm_Access="GET")
    words = answer.members["stdout"].decode().rstrip("\0").split("\0")
    assert {word for word in words if word.startswith("LOCAL_")} == {f"{name}={value}" for name, value in told.items()}


def test_outputs_with_a_path_come_first_and_keep_their_type(server):
    described = node(STDOUT, device("output", RANDOM_WRITE, "swift://a/c/new", content_type="image/png"))
    answer = server.run("copy", described, members=[])
    assert list(answer.members.items()) == [("output", b""), ("stdout", b"")]
    assert answer.records["output"]["Content-Type"] == "image/png"


def test_small_outputs_are_left_out(server):
    described = node(device("stdin", READ), device("stdout", WRITE, min_size=6))
    assert server.run("copy", described, members=[("stdin", b"12345")]).members == {}
    assert server.run("copy", described, members=[("stdin", b"123456")]).members == {"stdout": b"123456"}


def test_an_answer_with_headers_of_its_own(server):
    described = node(device("stdin", READ), device("stdout", WRITE, content_type="message/cgi"))
    message = b"Status: 202 Later\nContent-Type: text/x\n\nbody"
    answer = server.run("copy", described, members=[("stdin", message)])
    assert answer.members == {"stdout": b"body"}
    assert answer.records["stdout"]["Status"] == "202 Later"
    assert answer.records["stdout"]["Content-Type"] == "text/x"


@pytest.mark.parametrize(
    ("guest", "status", "retcode", "error"),
    [
        ("exit-3", "ok", "3", "The program exited with code 3."),
        ("trap", "trapped", "0", "The program did what WebAssembly forbids and was stopped there."),
        ("loop", "session timeout", "0", "The program ran longer than its time limit and was stopped."),
        ("flood", "output limit", "13", "The program failed after a channel refused to take more output than its limit."),
    ],
)
def test_a_program_that_fails(server, guest, status, retcode, error):
    described = node(STDOUT, timeout=1)
    answer = server.run(guest, described)
    assert answer.status == 200
    assert answer.headers[wire.STATUS].startswith(status), answer.headers[wire.STATUS]
    assert answer.headers[wire.ERROR].startswith(error)
    if guest != "flood":
        assert answer.headers[wire.RETCODE] == retcode


def test_a_failed_program_is_told_with_what_it_said(server):
    answer = server.run("exit-3", node(STDOUT))
    assert answer.members == {"stdout": b"half an answer\n", wire.STORY_MEMBER: b"what went wrong\n"}
    described = node(STDOUT, device("stderr", WRITE))
    assert server.run("exit-3", described).members == {"stdout": b"half an answer\n", "stderr": b"what went wrong\n"}


def test_what_is_no_program(server):
    answer = server.post("/a", [("sysmap", node(STDOUT).to_json()), ("boot", b"#!/bin/sh\nrm -rf /\n")])
    assert answer.status == 200
    assert answer.headers[wire.VALIDATION] == "1"
    assert answer.headers[wire.ERROR].startswith("The program is not a valid WebAssembly module")


def test_the_program_from_the_jobs_image(server):
    image = image_of(bin__x=b"not this", x=compiled("copy"))
    described = node(device("stdin", READ), device("image", CDR, removable=True), STDOUT, exe="file://image:x")
    members = [("sysmap", described.to_json()), ("stdin", b"in"), ("image.gz", gzip.compress(image))]
    answer = server.post("/a", members)
    assert answer.members == {"stdout": b"in"}, answer
    members = [("image", image), ("stdin", b"in"), ("sysmap", described.to_json())]
    assert server.post("/a", members).members == {"stdout": b"in"}


def test_the_program_from_an_image_that_lies_here(server):
    server.put(OBJECT, image_of(x=compiled("copy")))
    for exe in ("file://image:x", "file://x"):
        described = node(device("stdin", READ), device("image", CDR, URL, removable=True), STDOUT, exe=exe)
        members = [("sysmap", described.to_json()), ("stdin", b"in")]
        answer = server.post(OBJECT, members, **{"X-Zerovm-Access": "GET"})
        assert answer.members == {"stdout": b"in"}, answer


def test_an_images_program_goes_before_the_one_that_was_sent_if_it_is_there(server):
    image, sent = image_of(x=compiled("copy")), compiled("exit-3")
    for path, expected in (
        ("x", {"stdout": b"in"}),
        ("absent", {"stdout": b"half an answer\n", wire.STORY_MEMBER: b"what went wrong\n"}),
    ):
        described = node(device("stdin", READ), device("image", CDR), STDOUT, exe=f"file://image:{path}")
        members = [("boot", sent), ("image", image), ("stdin", b"in"), ("sysmap", described.to_json())]
        assert server.post("/a", members).members == expected


def test_headers_that_are_none_are_left_in_the_output(server):
    described = node(device("stdin", READ), device("stdout", WRITE, content_type="message/http"))
    answer = server.run("copy", described, members=[("stdin", b"no status line\n\nbody")])
    assert answer.members == {"stdout": b"no status line\n\nbody"}
    assert answer.records["stdout"]["Content-Type"] == "message/http"


def test_a_program_that_the_image_lacks(server):
    described = node(device("image", CDR), STDOUT, exe="file://image:absent")
    answer = server.post("/a", [("sysmap", described.to_json()), ("image", image_of(x=b""))])
    assert (answer.status, answer.body) == (
        400,
        b"No executable found in request: file://image:absent is neither here nor sent",
    )
    answer = server.post("/a", [("sysmap", described.to_json()), ("image", b"no tar" * 1000)])
    assert (answer.status, answer.body.partition(b":")[0]) == (400, b"The image with the program absent is broken")


def test_an_overwritten_object_stays_readable(server):
    server.put(OBJECT, b"old" * 1000)
    body = tar_stream([("sysmap", node(device("stdin", READ, URL), STDOUT).to_json()), ("boot", compiled("copy"))])
    with server.started(OBJECT, len(body), X_Zerovm_Access="GET") as connection:
        server.put(OBJECT, b"new")
        connection.sendall(body)
        answer = server.answer(connection)
    assert answer.members == {"stdout": b"old" * 1000}


def test_names_beyond_ascii(server):
    path = "/a/cé/ö 日本/x?y%20"
    server.put(path, b"data")
    described = node(device("stdin", READ, f"swift:/{path}"), STDOUT, name="knöten")
    answer = server.run("copy", described, path, X_Zerovm_Access="GET")
    assert answer.members == {"stdout": b"data"}
    assert answer.headers[wire.SYSTEM].encode("latin-1").decode() == "knöten"


def test_the_containers_database(server):
    port = server.container_port
    server.request("PUT", "/a/c", headers={"X-Timestamp": server.timestamp(), "X-Backend-Storage-Policy-Index": "0"}, port=port)
    for name in ("one", "two"):
        fields = {"X-Timestamp": server.timestamp(), "X-Size": "5", "X-Content-Type": "text/x", "X-Etag": "e"}
        assert server.request("PUT", f"/a/c/{name}", headers=fields, port=port).status == 201
    described = node(device("stdin", READ, "swift://a/c"), STDOUT)
    answer = server.run("copy", described, "/a/c", port=port, X_Zerovm_Access="GET")
    assert answer.status == 200, answer
    database = server.root / "snapshot.db"
    database.write_bytes(answer.members["stdout"])
    assert rows(database) == [("one", 5, 0), ("two", 5, 0)]


def rows(path):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return database.execute("SELECT name, size, deleted FROM object ORDER BY name").fetchall()


def test_the_proof_of_a_place(server):
    answer = server.run("copy", node(STDOUT), X_Nexe_Colocated="salt:127.0.0.1:6200")
    assert len(answer.headers[wire.COLOCATED]) == 40


def test_a_session_has_its_line_in_the_log(server):
    server.run("exit-3", node(STDOUT, name="told"))

    def logged():
        text = (server.root / "server.log").read_text()
        return "node: told status: ok cdr: " in text

    wait_for(logged, "the session's line in the log")


def test_a_server_tells_what_has_become_of_its_sessions(server):
    before = server.recon()["counts"]
    assert server.run("exit-3", node()).status == 200
    assert server.run("copy", node(device("stdin", READ), device("stdout", WRITE)), members=[("stdin", b"12345")]).status == 200
    assert server.post("/a", b"no tar").status >= 400
    told = server.recon()
    counts = {name: number - before.get(name, 0) for name, number in told["counts"].items()}
    assert (counts["sessions.succeeded"], counts["sessions.failed.exited"]) == (1, 1)
    assert sum(number for name, number in counts.items() if name.startswith("refused.")) == 1
    assert counts["bytes.read"] >= 5
    assert (counts["session"], counts["admission"]) == (2, 3)
    assert told["milliseconds"]["session"] >= 0
