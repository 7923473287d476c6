"""Jobs on a real cluster, as a user runs them: what works, and what a user sees when something doesn't."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
import requests

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import node, nothing_left, program, run, stdin, stdout
from zerocloud.demo import corpus, job
from zerocloud.zebra import Zebra


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra):
    with nothing_left(zebra):
        yield


def test_a_program_reads_the_object_where_it_lies(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    data = bytes(range(256)) * 4000
    client.put(f"{container}/input", data)
    answer = run(client, node(copy, devices=[stdin(container, "input"), stdout(content_type="text/x-copy")]))
    assert answer.status_code == 200, answer.text
    assert answer.content == data
    assert answer.headers["Content-Type"].startswith("text/x-copy")
    assert answer.headers["X-Nexe-System"] == "node"
    assert answer.headers["X-Nexe-Status"] == "ok"
    assert answer.headers["X-Nexe-Retcode"] == "0"
    assert f"/dev/stdout {hashlib.md5(data).hexdigest()}" in answer.headers["X-Nexe-Etag"]


def test_arguments_and_environment_reach_the_program(client: Client, container: str) -> None:
    url = program(client, container, "arguments")
    group = node(url, name="greeter", args="one two\\x20words \\x2c")
    group["exec"]["env"] = {"COLOUR": "blue, green"}
    answer = run(client, group)
    assert answer.status_code == 200, answer.text
    words = answer.content.split(b"\0")
    assert words[:4] == [b"greeter", b"one", b"two words", b","]
    assert b"COLOUR=blue, green" in words
    assert b"REQUEST_METHOD=POST" in words
    assert not any(word.startswith((b"HTTP_X_AUTH", b"HTTP_COOKIE")) for word in words)


def test_a_wildcard_gives_a_node_for_each_object_and_answers_in_order(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    for name in ("a 1.log", "b/2.log", "ü3.log", "other.txt"):
        client.put(f"{container}/{name}", f"<{name}>")
    answer = run(client, node(copy, name="cat", devices=[stdin(container, "*.log"), stdout(content_type="text/plain")]))
    assert answer.status_code == 200, answer.text
    assert answer.content.decode() == "<a 1.log><b/2.log><ü3.log>"
    assert answer.headers["X-Nexe-System"] == "cat-1,cat-2,cat-3"


def test_an_output_with_a_path_becomes_an_object(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    for name in ("in-1", "in-2"):
        client.put(f"{container}/{name}", name * 100)
    devices = [
        stdin(container, "in-*"),
        stdout(path=f"swift://~/{container}/out-*", content_type="text/x-out", meta={"colour": "red"}),
    ]
    answer = run(client, node(copy, devices=devices))
    assert answer.status_code == 200, answer.text
    assert answer.content == b""
    for number in "12":
        stored = client.get(f"{container}/out-{number}")
        assert stored.text == f"in-{number}" * 100
        assert stored.headers["Content-Type"].startswith("text/x-out")
        assert stored.headers["X-Object-Meta-Colour"] == "red"


def test_map_and_reduce_over_network_channels(client: Client, container: str) -> None:
    mapper, reducer = (program(client, container, name) for name in (job.MAPPER, job.REDUCER))
    words: Counter[bytes] = Counter()
    for number in range(6):
        text = b"the quick brown fox jumps over the lazy dog " * (1000 + number) + b"x" * (number + 1)
        words += corpus.count([text])
        client.put(f"{container}/text-{number}", text)
    answer = run(
        client,
        {"name": "map", "exec": {"path": mapper}, "devices": [stdin(container, "text-*")], "connect": ["reduce"]},
        {"name": "reduce", "exec": {"path": reducer}, "count": 2, "connect": ["collect"]},
        node(reducer, name="collect", args="0"),
    )
    assert answer.status_code == 200, answer.text
    assert job.word_counts(answer.content) == corpus.top(words, 1000)
    assert answer.headers["X-Nexe-System"].split(",") == [*(f"map-{n}" for n in range(1, 7)), "reduce-1", "reduce-2", "collect"]
    assert set(answer.headers["X-Nexe-Status"].split(",")) == {"ok"}


def test_inputs_that_lie_elsewhere_are_brought(client: Client, container: str) -> None:
    mapper = program(client, container, "copy")
    client.put(f"{container}/here", b"h" * 10)
    client.put(f"{container}/there", b"t" * 3_000_000)
    devices = [{"name": "input", "path": f"swift://~/{container}/here"}, stdin(container, "there"), stdout()]
    answer = run(client, node(mapper, devices=devices))
    assert answer.status_code == 200, answer.text
    assert answer.content == b"t" * 3_000_000


@pytest.mark.parametrize(
    ("guest", "retcode", "says"),
    [
        ("exit-3", "3", "3"),
        ("trap", "0", "unreachable"),
    ],
)
def test_a_failing_program_tells_its_story(client: Client, container: str, guest: str, retcode: str, says: str) -> None:
    url = program(client, container, guest)
    answer = run(client, node(url, name="culprit"))
    assert answer.status_code == 500
    assert answer.headers["X-Nexe-System"] == "culprit"
    assert answer.headers["X-Nexe-Retcode"] == retcode
    assert "culprit" in answer.text
    assert says in answer.text
    if guest == "exit-3":
        assert "what went wrong" in answer.text
        assert "half an answer" in answer.text


def test_a_program_that_loops_is_stopped_at_the_timeout(client: Client, container: str) -> None:
    url = program(client, container, "loop")
    answer = run(client, node(url, name="spinner"), X_Zerovm_Timeout="2")
    assert answer.status_code >= 400
    assert "spinner" in answer.text
    assert "2 s" in answer.text


def test_a_program_that_takes_all_memory_is_stopped_at_its_limit(client: Client, container: str) -> None:
    url = program(client, container, "grow")
    answer = run(client, node(url, name="hungry", memory=64 << 20))
    assert answer.status_code == 500
    assert "hungry" in answer.text
    assert answer.headers["X-Nexe-Retcode"] == "12"  # the guest was told that there is no more


def test_nothing_of_a_failed_node_is_stored(client: Client, container: str) -> None:
    url = program(client, container, "exit-3")
    answer = run(client, node(url, devices=[stdout(path=f"swift://~/{container}/result")]))
    assert answer.status_code == 500
    assert client.request("GET", f"{container}/result").status_code == 404


def test_a_missing_object_is_named(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    for groups in (
        [node(copy, devices=[stdin(container, "missing"), stdout()])],
        [node(f"swift://~/{container}/missing")],
    ):
        answer = run(client, *groups)
        assert answer.status_code == 404
        assert f"{container}/missing" in answer.text


def test_a_mistake_in_the_map_is_a_sentence(client: Client, container: str) -> None:
    answer = run(client, {"name": "n", "exec": {"path": "swift://~/c/o"}, "devices": [{"name": "stdout"}], "count": 0})
    assert answer.status_code == 400
    assert "count" in answer.text
    assert client.execute("[{").status_code == 422


def test_who_may_not_is_refused(zebra: Zebra, client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    client.put(f"{container}/secret", b"secret")
    group = node(copy, devices=[stdin(container, "secret"), stdout()])
    nobody = Client(client.url, None)
    assert run(nobody, group).status_code == 401
    stranger = connect(zebra, "test2:tester2")
    assert run(Client(client.url, stranger.session.headers["X-Auth-Token"]), group).status_code == 403
    account = client.url.rpartition("/")[2]
    reading = node(
        copy.replace("~", account), devices=[{"name": "stdin", "path": f"swift://{account}/{container}/secret"}, stdout()]
    )
    answer = run(stranger, reading)
    assert answer.status_code == 403
    assert "secret" not in answer.text.replace(f"{container}/secret", "")


def test_a_client_cannot_pose_as_the_proxy(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    client.put(f"{container}/input", b"data")
    answer = run(
        client,
        node(copy, devices=[stdin(container, "input"), stdout()]),
        X_Zerovm_Access="PUT",
        X_Zerovm_Pool="nonsense",
        X_Zerovm_Valid="true",
        X_Zerovm_Daemon="x",
        X_Zerocloud_Id="0",
    )
    assert answer.status_code == 200, answer.text
    assert answer.content == b"data"


def test_more_nodes_than_slots_wait_for_their_turn(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    for number in range(100):
        client.put(f"{container}/part-{number:03}", f"{number} ")
    answer = run(client, node(copy, devices=[stdin(container, "part-*"), stdout()]))
    assert answer.status_code == 200, answer.text
    assert answer.text == "".join(f"{number} " for number in range(100))


@pytest.mark.parametrize("path", ["", "out"])
def test_copies_run_on_different_servers_and_are_compared(client: Client, container: str, path: str) -> None:
    client.put(f"{container}/in", b"data")
    target = stdout(path=f"swift://~/{container}/{path}") if path else stdout()
    for name, differ in (("copy", False), ("dice", True)):
        url = program(client, container, name)
        answer = run(client, node(url, replicate=3, devices=[stdin(container, "in"), target]))
        assert answer.status_code == 200, answer.text
        assert len({server.partition(":")[0] for server in answer.headers["X-Nexe-Server"].split(",")}) == 3
        assert ("wrote different outputs" in answer.headers.get("X-Nexe-Error", "")) == differ
        assert len(client.get(f"{container}/{path}").content if path else answer.content) == (16 if differ else 4)


def test_two_jobs_at_once_do_not_meet(client: Client, container: str) -> None:
    mapper, reducer = (program(client, container, name) for name in (job.MAPPER, job.REDUCER))
    client.put(f"{container}/text", b"one two two " * 1000)
    groups = (
        {"name": "map", "exec": {"path": mapper}, "devices": [stdin(container, "text")], "connect": ["reduce"]},
        node(reducer, name="reduce", args="0"),
    )
    from concurrent.futures import ThreadPoolExecutor

    def once(_: int) -> requests.Response:
        return run(Client(client.url, client.session.headers["X-Auth-Token"]), *groups)

    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(once, range(8)):
            assert answer.status_code == 200, answer.text
            assert answer.text == "2000 two\n1000 one\n"
