"""The newer keys of the system map on a real cluster: parts of objects, many objects on a node, what a group asks for."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cluster.conftest import Client
from tests.cluster.jobs import node, nothing_left, program, run, stdin, stdout
from zerocloud.demo import corpus, job
from zerocloud.zebra import Zebra

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra):
    with nothing_left(zebra):
        yield


@pytest.fixture(scope="module")
def text() -> bytes:
    """Several megabytes of lines: short, long, empty, and the last one without an end."""
    draw = random.Random(7)
    words = [bytes(draw.choices(b"abcdefghij", k=draw.randint(1, 9))) for _ in range(500)]
    lines = (b" ".join(draw.choices(words, k=draw.choice((0, 1, 7, 30)))) for _ in range(90_000))
    return b"\n".join(lines) + b"\nthe end"


def split(container: str, name: str, size: int | str, on: str = "line", **keys: object) -> dict:
    return {**stdin(container, name), "split": {"size": size, "on": on, **keys}}


def test_the_parts_of_a_large_object_are_counted_like_the_whole(client: Client, container: str, text: bytes) -> None:
    mapper, reducer = (program(client, container, name) for name in (job.MAPPER, job.REDUCER))
    client.put(f"{container}/text", text)
    answer = run(
        client,
        {"name": "map", "exec": {"path": mapper}, "devices": [split(container, "text", MIB)], "connect": ["reduce"]},
        node(reducer, name="reduce", args="0"),
    )
    assert answer.status_code == 200, answer.text
    assert job.word_counts(answer.content) == corpus.top(corpus.count([text]), 1000)
    nodes = -(-len(text) // MIB)
    assert nodes > 4
    servers = Counter(answer.headers["X-Nexe-Server"].split(",")[:nodes])
    assert len(servers) == 3  # all replicas of the object took part
    assert sum(row.read for row in job.node_rows(answer.headers)[:nodes]) == len(text)


@pytest.mark.parametrize("on", ["line", "bytes"])
def test_the_parts_put_together_are_the_whole(client: Client, container: str, text: bytes, on: str) -> None:
    copy = program(client, container, "copy")
    client.put(f"{container}/text", text)
    answer = run(
        client, node(copy, devices=[split(container, "text", "700K", on), stdout(path=f"swift://~/{container}/*.out")])
    )
    assert answer.status_code == 200, answer.text
    names = answer.headers["X-Nexe-System"].split(",")
    parts = [client.get(f"{container}/{name}.out").content for name in names]
    assert b"".join(parts) == text
    if on == "line":
        assert all(part.endswith(b"\n") for part in parts[:-1])
        assert sum(part.count(b"\n") for part in parts) == text.count(b"\n")
    else:
        assert {len(part) for part in parts[:-1]} == {700 << 10}


def test_a_program_knows_its_part(client: Client, container: str) -> None:
    url = program(client, container, "arguments")
    client.put(f"{container}/object", b"x" * 250)
    answer = run(client, node(url, devices=[split(container, "object", 100, "bytes"), stdout(content_type="text/plain")]))
    assert answer.status_code == 200, answer.text
    words = [word.decode() for word in answer.content.split(b"\0") if word.startswith(b"SPLIT_")]
    assert sorted(words[:5]) == ["SPLIT_COUNT=3", "SPLIT_END=100", "SPLIT_INDEX=1", "SPLIT_SIZE=250", "SPLIT_START=0"]
    assert sorted(words[10:]) == ["SPLIT_COUNT=3", "SPLIT_END=250", "SPLIT_INDEX=3", "SPLIT_SIZE=250", "SPLIT_START=200"]


def test_records_of_an_object_that_lies_in_segments(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    records = [f"record {number} ".encode() + b"." * (number % 700) for number in range(3000)]
    data = b"<>".join(records) + b"<>"
    client.put(f"{container}/segments/1", data[: MIB // 2])
    client.put(f"{container}/segments/2", data[MIB // 2 :])
    client.put(f"{container}/dynamic", b"", X_Object_Manifest=f"{container}/segments/")
    client.put(f"{container}/link", b"", X_Symlink_Target=f"{container}/dynamic", Content_Type="application/symlink")
    for name in ("dynamic", "link"):
        devices = [split(container, name, "150K", "record", separator="<>"), stdout(content_type="text/plain")]
        answer = run(client, node(copy, devices=devices))
        assert answer.status_code == 200, answer.text
        assert answer.content == data
        assert answer.headers["X-Nexe-System"].count(",") == -(-len(data) // (150 << 10)) - 1


def test_sixteen_of_a_hundred_objects_on_each_node(client: Client, container: str) -> None:
    gather = program(client, container, "gather")
    for number in range(100):
        client.put(f"{container}/part-{number:03}", f"<{number}>")
    devices = [{"name": "input", "path": f"swift://~/{container}/part-*"}, stdout(content_type="text/plain")]
    answer = run(client, node(gather, devices=devices, each={"objects": 16}))
    assert answer.status_code == 200, answer.text
    found = sorted(int(number) for number in answer.text.strip("<>").split("><"))
    assert found == list(range(100))
    assert answer.headers["X-Nexe-System"].count(",") == 6


def test_objects_on_one_node_are_read_where_they_lie(zebra: Zebra, client: Client, container: str) -> None:
    gather = program(client, container, "gather")
    for number in range(32):
        client.put(f"{container}/part-{number:02}", b"x" * 10_000)
    devices = [{"name": "input", "path": f"swift://~/{container}/part-*"}, stdout(content_type="text/plain")]
    before = len(zebra.log_text("proxy"))
    answer = run(client, node(gather, devices=devices, each={"objects": 8}))
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == 320_000
    fetched = [
        line for line in zebra.log_text("proxy")[before:].splitlines() if f"{container}/part-" in line and " GET " in line
    ]
    assert len(fetched) <= 12, fetched


def test_a_list_of_paths_is_taken_in_its_order(client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    for name in ("a", "b-1", "b-2", "c"):
        client.put(f"{container}/{name}", name)
    paths = [f"swift://~/{container}/{name}" for name in ("c", "b-*", "a", "c")]
    answer = run(client, node(copy, devices=[{"name": "stdin", "path": paths}, stdout(content_type="text/plain")]))
    assert answer.status_code == 200, answer.text
    assert answer.text == "cb-1b-2a"


def test_a_job_is_explained_before_it_is_run(zebra: Zebra, client: Client, container: str, tmp_path: Path) -> None:
    copy = program(client, container, "copy")
    for name in ("a", "b"):
        client.put(f"{container}/{name}.txt", name * 1000)
    group = node(copy, devices=[stdin(container, "*.txt"), stdout(path=f"swift://~/{container}/*.out")])
    (tmp_path / "map.json").write_text(json.dumps([group]))
    login = zebra.login("test:tester")
    variables = {**os.environ, "OS_STORAGE_URL": login.storage_url, "OS_AUTH_TOKEN": login.token}
    words = [sys.executable, "-m", "zerocloud.cli", "explain", str(tmp_path / "map.json"), "--cluster", "--json"]
    told = json.loads(subprocess.run(words, env=variables, capture_output=True, text=True, check=True).stdout)
    assert [len(found["servers"]) for found in told["nodes"]] == [3, 3]
    assert told["totals"]["local_bytes"] == 2000
    assert client.names(container) == ["a.txt", "b.txt", "copy"]
    answer = run(client, group)
    servers = answer.headers["X-Nexe-Server"].split(",")
    assert all(server in found["servers"] for server, found in zip(servers, told["nodes"], strict=True))
    assert client.names(container) == ["a.out", "a.txt", "b.out", "b.txt", "copy"]


@pytest.fixture
def large(client: Client, container: str, text: bytes) -> str:
    """The text in segments: one as large as a part, one of five bytes, larger ones."""
    manifest = []
    for number, (start, end) in enumerate(pairwise([0, MIB, MIB + 5, 3 * MIB + 12345, len(text)])):
        client.put(f"{container}/segments/{number}", text[start:end])
        manifest.append({"path": f"/{container}/segments/{number}", "size_bytes": end - start})
    put = client.session.put(f"{client.url}/{container}/large?multipart-manifest=put", data=json.dumps(manifest))
    put.raise_for_status()
    return "large"


@pytest.mark.parametrize("on", ["line", "bytes"])
def test_the_parts_of_an_object_of_segments_are_the_whole(
    client: Client, container: str, text: bytes, large: str, on: str
) -> None:
    copy = program(client, container, "copy")
    answer = run(client, node(copy, devices=[split(container, large, MIB, on), stdout(content_type="text/plain")]))
    assert answer.status_code == 200, answer.text
    assert answer.content == text


def test_they_run_where_the_segments_lie(zebra: Zebra, client: Client, container: str, text: bytes, large: str) -> None:
    mapper, reducer = (program(client, container, name) for name in (job.MAPPER, job.REDUCER))
    groups = (
        {"name": "map", "exec": {"path": mapper}, "devices": [split(container, large, MIB)], "connect": ["reduce"]},
        node(reducer, name="reduce", args="0"),
    )
    run(client, *groups).raise_for_status()  # the programs have been brought
    before = _read_by_proxy(zebra)
    answer = run(client, *groups)
    assert job.word_counts(answer.content) == corpus.top(corpus.count([text]), 1000)
    assert _read_by_proxy(zebra) - before < len(text) / 4
    explained = client.request(
        "POST",
        "",
        json.dumps(groups),
        X_Zerovm_Execute="explain/1.0",
        Content_Type="application/json",
        Accept="application/json",
    )
    told = explained.json()
    places = {one["why"].rpartition("segments/")[2] for one in told["nodes"] if one["group"] == "map"}
    assert places == {"0", "1", "2", "3"}


def test_a_segment_that_has_changed_is_no_part_of_the_object(client: Client, container: str, large: str) -> None:
    copy = program(client, container, "copy")
    client.put(f"{container}/segments/2", b"x" * (2 * MIB + 12340))
    answer = run(client, node(copy, devices=[split(container, large, MIB), stdout(content_type="text/plain")]))
    assert answer.status_code >= 400
    assert b"xxxx" not in answer.content


def test_who_may_not_read_the_segments_sees_nothing_of_them(zebra: Zebra, client: Client, container: str, large: str) -> None:
    open_one = client.put_container(f"{container}-open", X_Container_Read="test2:tester2,.rlistings")
    manifest = client.session.get(f"{client.url}/{container}/{large}?multipart-manifest=get&format=raw").content
    client.session.put(f"{client.url}/{open_one}/large?multipart-manifest=put", data=manifest).raise_for_status()
    login = zebra.login("test2:tester2")
    other = Client(login.storage_url, login.token)
    mine = other.put_container(f"{container}-mine")
    copy = program(other, mine, "copy")
    path = f"swift://{client.url.rpartition('/')[2]}/{open_one}/large"
    device = {"name": "stdin", "path": path, "split": {"size": MIB}}
    answer = run(other, node(copy, devices=[device, stdout(content_type="text/plain")]))
    assert answer.status_code >= 400
    assert client.get(f"{container}/segments/0").content[:100] not in answer.content
    for one, name in ((client, open_one), (other, mine)):
        for entry in one.names(name):
            one.request("DELETE", f"{name}/{entry}")
        one.request("DELETE", name)
    other.close()


def _read_by_proxy(zebra: Zebra) -> int:
    """Bytes that the proxy has read so far, from wherever."""
    pid = zebra.state().member("proxy").process.pid
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])
