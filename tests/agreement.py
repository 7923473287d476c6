"""Jobs, and what must come of them: on a cluster, and over the folders of a machine alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import simplejson

from tests import guests
from zerocloud.client import Connection

DEMO_GUESTS = Path(guests.__file__).parents[1] / "zerocloud/demo/guests"
TEXTS = {"text-1": b"a b a\nc\n", "text-2": b"b b\n", "text-3": b"c a\nd"}
TOLD = ("X-Nexe-System", "X-Nexe-Status", "X-Nexe-Retcode")


def group(program: str, *devices: dict[str, Any], name: str = "node", args: str = "", **keys: Any) -> dict[str, Any]:
    """A group; ``C`` in paths is the container."""
    return {"name": name, "exec": {"path": f"swift://~/C/{program}", "args": args}, "devices": list(devices), **keys}


def reads(pattern: str, name: str = "stdin", **keys: Any) -> dict[str, Any]:
    return {"name": name, "path": f"swift://~/C/{pattern}", **keys}


def writes(path: str = "", **keys: Any) -> dict[str, Any]:
    return {"name": "stdout", **({"path": f"swift://~/C/{path}"} if path else {}), **keys}


@dataclass(frozen=True)
class Case:
    """A job, and what must come of it. ``body`` is the whole of it, ``says`` are parts of it; ``stored`` names and contents."""

    name: str
    groups: tuple[dict[str, Any], ...]
    status: int = 200
    body: bytes | None = None
    says: tuple[bytes, ...] = ()
    told: tuple[str, ...] = ()
    stored: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


TEXT = {"content_type": "text/plain"}
CASES = (
    Case("one object", (group("copy", reads("text-1"), writes(**TEXT)),), body=b"a b a\nc\n", told=("node", "ok", "0")),
    Case(
        "a wildcard",
        (group("copy", reads("text-*"), writes(**TEXT), name="cat"),),
        body=b"".join(TEXTS.values()),
        told=("cat-1,cat-2,cat-3", "ok,ok,ok", "0,0,0"),
    ),
    Case(
        "a list",
        (group("copy", reads("") | {"path": ["swift://~/C/text-3", "swift://~/C/text-1"]}, writes()),),
        body=b"c a\nda b a\nc\n",
    ),
    Case(
        "several objects on a node",
        (group("gather", reads("text-*", "input"), writes(**TEXT), each={"objects": 2}),),
        # Which two share a node is for their places to say.
        says=tuple(TEXTS.values()),
    ),
    Case(
        "parts of an object", (group("copy", reads("text-1", split={"size": 3, "on": "line"}), writes()),), body=TEXTS["text-1"]
    ),
    Case(
        "arguments",
        (group("arguments", writes(), name="greeter", args="one two\\x20words"),),
        says=(b"greeter\0one\0two words\0",),
    ),
    Case(
        "objects from objects",
        (group("copy", reads("text-*"), writes("out/copy-*", content_type="text/x-out", meta={"colour": "red"})),),
        body=b"",
        stored={f"out/copy-{number}": (TEXTS[f"text-{number}"], "text/x-out") for number in (1, 2, 3)},
    ),
    Case(
        "map and reduce",
        (
            group("wordmap.wasm", reads("text-*"), name="map", connect=["reduce"]),
            group("wordreduce.wasm", name="reduce", count=2, connect=["collect"]),
            group("wordreduce.wasm", writes(**TEXT), name="collect", args="0"),
        ),
        says=(b"3 a", b"3 b", b"2 c", b"1 d"),
        told=("map-1,map-2,map-3,reduce-1,reduce-2,collect", "ok,ok,ok,ok,ok,ok", "0,0,0,0,0,0"),
    ),
    Case(
        "a container",
        (group("copy", {"name": "stdin", "path": "swift://~/C"}, writes(), attach="stdin"),),
        says=(b"SQLite format 3\0", b"text-1", b"text-3"),
    ),
    Case(
        "an answer of its own", (group("copy", reads("cgi"), writes(content_type="message/cgi")),), status=404, body=b"not here"
    ),
    Case(
        "a failure",
        (group("exit-3", writes("never")), group("copy", reads("text-*"), writes("neither-*"), name="others")),
        status=500,
        says=(b"node", b"3", b"what went wrong"),
    ),
    Case(
        "an exit code of no interest",
        (group("exit-3", writes(), on_exit="ignore"),),
        body=b"half an answer\n",
        told=("node", "ok", "3"),
    ),
    Case("a trap", (group("trap", writes()),), status=500, says=(b"unreachable",)),
    Case("a time limit", (group("loop", writes(), timeout=1),), status=500, says=(b"node", b"time limit")),
    Case("an object that is missing", (group("copy", reads("none"), writes()),), status=404, says=(b"none",)),
    Case("no matches", (group("copy", reads("none-*"), writes()),), status=400, says=(b"none-*",)),
    Case("a mistake", (group("copy", writes(), count=0),), status=400, says=(b"count",)),
    Case(
        "two copies",
        (group("copy", reads("text-1"), writes(), replicate=2),),
        body=TEXTS["text-1"],
        told=("node,node", "ok,ok", "0,0"),
    ),
)
"""The programs are guests of the tests, or of the demo; the objects are :data:`TEXTS`, and ``cgi``."""


@contextmanager
def stored(cloud: Connection, container: str) -> Iterator[str]:
    """A container with the programs and objects of the cases; removed afterwards."""
    cloud.request("PUT", f"/{container}")
    for name in ("copy", "gather", "arguments", "exit-3", "trap", "loop"):
        cloud.request("PUT", f"/{container}/{name}", data=guests.compiled(name))
    for name in ("wordmap.wasm", "wordreduce.wasm"):
        cloud.request("PUT", f"/{container}/{name}", data=(DEMO_GUESTS / name).read_bytes())
    for name, text in {**TEXTS, "cgi": b"Status: 404 None\r\nContent-Type: text/x-none\r\n\r\nnot here"}.items():
        cloud.request("PUT", f"/{container}/{name}", data=text)
    yield container
    for name in names(cloud, container):
        cloud.request("DELETE", f"/{container}/{quote(name)}")
    cloud.request("DELETE", f"/{container}")


def names(cloud: Connection, container: str) -> list[str]:
    return cloud.request("GET", f"/{container}").text.splitlines()


def check(cloud: Connection, container: str, case: Case) -> None:
    """Run a case and see what comes of it."""
    before = set(names(cloud, container))
    text = simplejson.dumps(case.groups).replace("swift://~/C", f"swift://~/{container}")
    headers = {"X-Zerovm-Execute": "1.0", "Content-Type": "application/json", "X-Auth-Token": cloud.login.token}
    answer = cloud._session.post(cloud.login.storage_url, data=text, headers=headers, timeout=120)
    assert answer.status_code == case.status, answer.text
    if case.body is not None:
        assert answer.content == case.body
    assert [part for part in case.says if part not in answer.content] == []
    assert [answer.headers.get(name) for name, _ in zip(TOLD, case.told, strict=False)] == list(case.told)
    found = {}
    for name in set(names(cloud, container)) - before:
        got = cloud.request("GET", f"/{container}/{quote(name)}")
        found[name] = (got.content, got.headers["Content-Type"].partition(";")[0])
    assert found == dict(case.stored)


__all__ = ["CASES", "Case", "check", "stored"]
