"""Jobs through the whole filter: what is sent to storage servers, and what is made of their answers."""

import hashlib
import json

import pytest

from tests.functional.proxyquery import harness
from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, text
from zerocloud import wire


def test_a_node_gets_its_description_and_its_program_where_its_object_is(world):
    world.pipeline.put("c/input", b"data")
    world.every(run=lambda job: Answer({"stdout": b"result"}))
    answer = world.post(node(world, device("stdin", "c/input"), device("stdout", content_type="text/x-test")))
    assert (answer.status_int, answer.body) == (200, b"result")
    (job,) = world.jobs()
    assert job.path.endswith(f"/{ACCOUNT}/c/input")
    assert list(job.members) == ["sysmap", "boot"]
    assert job.members["boot"] == b"\0asm"
    assert job.headers["Content-Type"] == "application/x-tar"
    assert job.headers["X-Zerovm-Access"] == "GET"
    assert job.headers["X-Zerovm-Pool"] == "default"
    assert job.headers["X-Zerocloud-Id"] == answer.headers["X-Zerovm-Job"]
    assert "X-Timestamp" not in job.headers  # a server without our filter must not take this for an update of metadata
    assert job.node["path_info"] == f"/{ACCOUNT}/c/input"
    assert job.node["env"]["REQUEST_METHOD"] == "POST"


def test_the_answer_tells_every_nodes_report_in_order(world):
    for name in ("a", "b", "c"):
        world.pipeline.put(f"c/in-{name}", name.encode())
    world.every(run=lambda job: Answer({"stdout": job.node["path_info"][-1:].encode()}))
    answer = world.post(node(world, device("stdin", "c/in-*"), device("stdout"), name="m"))
    assert answer.body == b"abc"
    assert answer.content_length == 3
    headers = answer.headers
    assert headers["X-Nexe-System"] == "m-1,m-2,m-3"
    assert headers["X-Nexe-Status"] == "ok,ok,ok"
    assert headers["X-Nexe-Policy"] == "gold,gold,gold"
    assert headers["X-Nexe-Colocated"] == "0,0,0"
    assert "X-Nexe-Error" not in headers
    fields = headers["X-Nexe-Cdr-Line"].split(",")
    assert len(fields) == 7
    assert fields[2] == " 0.01 0.00 1 2 3 4 5 6 7 8"


def test_an_executable_is_read_once_for_all_nodes(world):
    for number in range(20):
        world.pipeline.put(f"c/in-{number:02}", b"x")
    program = bytes(range(256)) * 5000  # larger than what the spool keeps in memory
    group = node(world, device("stdin", "c/in-*"), device("stdout"))
    world.pipeline.put("c/exe", program)
    answer = world.post(group)
    assert answer.status_int == 200
    assert world.pipeline.count("GET", "c/exe") == 1
    assert {hashlib.md5(job.members["boot"]).digest() for job in world.jobs()} == {hashlib.md5(program).digest()}
    assert len(world.jobs()) == 20


def test_remote_inputs_are_brought_and_local_ones_are_not(wide):
    there = wide.away_from("c/here")
    wide.pipeline.put("c/here", b"here")
    wide.pipeline.put(there, b"there" * 1000)
    group = node(wide, device("input", "c/here"), device("stdin", there), device("stdout"), attach="input")
    assert wide.post(group).status_int == 200
    (job,) = wide.jobs()
    assert list(job.members) == ["sysmap", "boot", "stdin"]
    assert job.members["stdin"] == b"there" * 1000
    assert wide.pipeline.count("GET", "c/here") == 0


def test_one_object_may_be_two_inputs(wide):
    there = wide.away_from("c/here")
    for path in ("c/here", there):
        wide.pipeline.put(path, b"twice")
    near = node(wide, device("stdin", "c/here"), device("input", "c/here"), device("stdout"))
    far = node(
        wide, device("script", "c/here"), device("stdin", there), device("input", there), device("stdout"), attach="script"
    )
    for group, members, reads in ((near, [], 0), (far, [b"twice", b"twice"], 1)):
        assert wide.post(group).status_int == 200
        (job,) = wide.jobs()
        assert [job.members[name] for name in ("stdin", "input") if name in job.members] == members
        assert wide.pipeline.count("GET", there) == reads
        for server in wide.servers:
            server.jobs.clear()


@pytest.mark.parametrize("newest", ["yes", "no"])
def test_what_is_read_may_be_the_newest(tmp_path, newest):
    with harness.world(tmp_path, servers=8, zerovm_uses_newest=newest) as wide:
        there = wide.away_from("c/here")
        for path in ("c/here", there):
            wide.pipeline.put(path, b"x")
        group = node(wide, device("script", "c/here"), device("stdin", there), device("stdout"), attach="script")
        assert wide.post(group).status_int == 200
        read = {f"{ACCOUNT}/{path}" for path in (there, "c/exe")}
        assert set(wide.pipeline.newest) == (read if newest == "yes" else set())


def test_of_several_answers_of_a_node_the_first_listed_counts(world):
    world.every(run=lambda job: Answer({"stderr": b"words", "stdout": b"data"}))
    assert world.post(node(world, device("stderr"), device("stdout"))).body == b"words"


def test_outputs_with_paths_are_stored_with_type_and_metadata(world):
    world.every(
        run=lambda job: Answer(
            {"output": b"object", "stdout": b"body"},
            {"output": {"Content-Type": "text/x-own", "X-Object-Meta-Own": "é"}},
        )
    )
    group = node(world, device("output", "c/result", content_type="text/x-map", meta={"Key": "value"}), device("stdout"))
    answer = world.post(group)
    (job,) = world.jobs()
    told = {name: value for name, value in job.node["env"].items() if name.startswith("LOCAL_")}
    assert told == {
        "LOCAL_DOCUMENT_ROOT": "/dev/output",
        "LOCAL_OBJECT": "on",
        "LOCAL_PATH_INFO": f"/{ACCOUNT}/c/result",
        "LOCAL_CONTENT_TYPE": "text/x-map",
        "LOCAL_HTTP_X_OBJECT_META_KEY": "value",
    }
    assert (answer.status_int, answer.body) == (200, b"body")
    data, headers = world.pipeline.objects[f"{ACCOUNT}/c/result"]
    assert data == b"object"
    assert headers["Content-Type"] == "text/x-own"
    assert headers["X-Object-Meta-Key"] == "value"
    assert headers["X-Object-Meta-Own"] == "é".encode().decode("latin-1")


def test_outputs_appear_all_together_or_not_at_all(world):
    for name in ("a", "b"):
        world.pipeline.put(f"c/in-{name}", b"")
    good, bad = Answer({"stdout": b"x"}), Answer({"stdout": b"x"}, retcode=1, error="The program exited with code 1.")
    world.every(run=lambda job: good if job.node["name"] == "n-1" else bad)
    group = node(world, device("stdin", "c/in-*"), device("stdout", "c/out-*"))
    assert world.post(group).status_int == 500
    assert not [name for name in world.pipeline.objects if "out-" in name]
    world.every(run=lambda job: good)
    assert world.post(group).status_int == 200
    assert len([name for name in world.pipeline.objects if "out-" in name]) == 2


def test_a_failed_node_tells_its_story(world):
    failed = Answer({"stdout": b"half", wire.STORY_MEMBER: b"went wrong\n"}, retcode=3, error="The program exited with code 3.")
    world.every(run=lambda job: failed)
    answer = world.post(node(world, device("stdout", content_type="image/png"), name="culprit"))
    assert answer.status_int == 500
    text = answer.body.decode()
    assert "Node culprit: The program exited with code 3." in text
    assert "went wrong" in text
    assert text.endswith("half")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Nexe-Error"] == "The program exited with code 3."
    assert answer.headers["X-Nexe-Retcode"] == "3"
    assert answer.content_length == len(answer.body)


def test_an_exit_code_may_be_ignored(world):
    world.every(run=lambda job: Answer({"stdout": b"x"}, retcode=3, error="The program exited with code 3."))
    answer = world.post(node(world, device("stdout"), on_exit="ignore"))
    assert (answer.status_int, answer.body) == (200, b"x")
    assert answer.headers["X-Nexe-Retcode"] == "3"
    world.every(run=lambda job: Answer(status="session timeout", error="It ran out of time."))
    assert world.post(node(world, device("stdout"), on_exit="ignore")).status_int == 500


def test_a_program_may_write_its_own_status_and_headers(world):
    records = {"Status": "302 Found", "Location": "/elsewhere", "X-Nexe-Status": "forged", "Transfer-Encoding": "chunked"}
    world.every(run=lambda job: Answer({"stdout": b""}, {"stdout": records}))
    answer = world.post(node(world, device("stdout", content_type="message/http")))
    assert answer.status_int == 302
    assert answer.headers["Location"].endswith("/elsewhere")
    assert answer.headers["X-Nexe-Status"] == "ok"
    assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize("status", [201, 204, 207, 208, 300, 308, 418, 421, 429, 451, 511, 599])
def test_any_status_will_do(world, status):
    world.every(run=lambda job: Answer({"stdout": b"said"}, {"stdout": {"Status": f"{status} of its own"}}))
    group = node(world, device("stdout", content_type="message/cgi"))
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (status, b"" if status == 204 else b"said")
    told = world.post(group, Accept="application/json")
    assert (told.status_int, json.loads(told.body)["status"]) == (200 if status == 204 else status, status)


def test_a_header_with_a_line_break_never_reaches_the_client(world):
    records = {"X-Good": "fine", "X-Bad": "a\r\nSet-Cookie: stolen", "Bad\nName": "x"}
    world.every(run=lambda job: Answer({"stdout": b"x"}, {"stdout": records}))
    answer = world.post(node(world, device("stdout", content_type="message/cgi")))
    assert answer.headers["X-Good"] == "fine"
    assert not any("\n" in name + value or "\r" in name + value for name, value in answer.headers.items())


def test_connected_nodes_share_a_network_and_its_secret(world):
    groups = (node(world, name="a", connect=["b"]), node(world, device("stdout"), name="b"), node(world, name="c"))
    assert world.post(*groups).status_int == 200
    first, second, alone = world.jobs()
    assert first.headers["X-Zerovm-Pool"] == second.headers["X-Zerovm-Pool"] == "cluster"
    assert first.node["token"] == second.node["token"]
    assert len(first.node["token"]) == 64
    assert first.node["name_service"].startswith("udp:127.0.0.")
    assert (alone.node["token"], alone.node["name_service"]) == (None, None)
    assert first.node["connect"]
    assert second.node["bind"]


def test_names_may_be_any_unicode(world):
    world.pipeline.put("c/dé jà %41", b"x")
    group = node(world, device("stdin", "c/dé%20jà%20%2541"), device("stdout", "c/ö ut"), name="größe")
    answer = world.post(group)
    assert answer.status_int == 200, answer.body
    (job,) = world.jobs()
    assert job.path.endswith(f"/{ACCOUNT}/c/dé jà %41")
    assert f"{ACCOUNT}/c/ö ut" in world.pipeline.objects
    assert answer.headers["X-Nexe-System"].encode("latin-1").decode() == "größe"


def test_the_environment_has_no_credentials(world):
    headers = {"X_Auth_Token": "secret", "Cookie": "secret", "Authorization": "secret", "X_Custom": "shown"}
    world.post(node(world, device("stdout")), **headers)
    (job,) = world.jobs()
    assert job.node["env"]["HTTP_X_CUSTOM"] == "shown"
    assert "secret" not in str(job.node["env"])
    assert "secret" not in str(job.headers)


def test_each_node_by_itself_for_who_asks(world):
    world.every(run=lambda job: Answer({"stdout": job.node["name"].encode()}))
    groups = [node(world, device("stdout"), name=name) for name in ("a", "b")]
    told = json.loads(world.post(*groups, Accept="application/json").body)
    assert [(one["name"], one["body"], one["status"]) for one in told["nodes"]] == [("a", "a", "ok"), ("b", "b", "ok")]
    parts = world.post(*groups, Accept="multipart/mixed")
    assert parts.content_type == "multipart/mixed"
    for accept in ("*/*", "application/json, text/plain, */*", "text/html", "image/*"):
        assert text(world.post(*groups, Accept=accept)) == "ab"
