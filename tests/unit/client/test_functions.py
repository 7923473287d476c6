"""Functions as jobs: what is sent, and which can't be."""

from __future__ import annotations

import base64
import io
import json
import pickle
import tarfile

import pytest

from tests.unit.client.transport import Told, Transport, connection
from zerocloud.client import ClientError, JobFailed, WorkError


def size(file):
    return len(file.read())


def pairs(file):
    yield from ((word.decode(), 1) for word in file.read().split())


def add(key, values):
    return sum(values)


def members(body):
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return {member.name: archive.extractfile(member).read().decode() for member in archive}


def test_a_function_is_sent_as_its_text():
    transport = Transport(Told(200, b"3\n[4]\n"))
    assert connection(transport).map(size, ["swift://~/c/a", "swift://~/c/b"], retries=2) == [3, [4]]
    sent = members(transport.bodies[0])
    (group,) = json.loads(sent["boot/system.map"])
    assert (group["retries"], group["devices"][1]) == (2, {"name": "stdin", "path": ["swift://~/c/a", "swift://~/c/b"]})
    assert sent["mapper.py"].startswith("def size(file):")
    compile(sent["mapper.py"], "mapper.py", "exec")


def test_map_and_reduce():
    transport = Transport(Told(200, b'["a", 2]\n["b", 1]\n'))
    assert connection(transport).map_reduce(pairs, add, "swift://~/c/*", reducers=3) == [("a", 2), ("b", 1)]
    sent = members(transport.bodies[0])
    first, second = json.loads(sent["boot/system.map"])
    assert (first["connect"], second["name"], second["count"]) == (["reduce"], "reduce", 3)
    for name in ("mapper.py", "reducer.py"):
        compile(sent[name], name, "exec")


def test_functions_that_can_not_be_sent():
    around = object()

    def closed(file):
        return around

    transport = Transport(Told())
    for function in (lambda file: 1, len, closed, io.BytesIO):
        with pytest.raises(WorkError, match="can't be sent"):
            connection(transport).map(function, "swift://~/c/o")
    made: dict = {}
    exec("def typed(file): return 1", made)
    with pytest.raises(WorkError, match="source of typed"):
        connection(transport).map(made["typed"], "swift://~/c/o")
    assert transport.sent == []


def test_what_is_no_json():
    with pytest.raises(ClientError, match="node map-2 returned can't be read"):
        connection(Transport(Told(200, b"1\nhello 3\n"))).map(size, "swift://~/c/o")


def test_values_that_json_can_not_say():
    line = json.dumps(base64.b64encode(pickle.dumps({(1, 2)})).decode()).encode() + b"\n"
    transport = Transport(Told(200, line))
    assert connection(transport).map(size, "swift://~/c/o", returns="pickle") == [{(1, 2)}]
    compile(members(transport.bodies[0])["mapper.py"], "mapper.py", "exec")
    with pytest.raises(WorkError, match="can come as json, pickle, frame"):
        connection(transport).map(size, "swift://~/c/o", returns="yaml")


STORY = """Job 1 failed: 1 of 1 nodes failed.

Node map: The program exited with code 1. Exit code 1.
     0.002 s  asks somebody
Last lines of its stderr:
  printed: before
  Traceback (most recent call last):
    File "/mapper.py", line 9, in <module>
    File "/mapper.py", line 2, in broken
      {code}
  {last}
"""


def story(last, code="1 / 0"):
    headers = {"X-Nexe-System": "map", "X-Zerovm-Job": "1"}
    return Told(500, STORY.format(last=last, code=code).encode(), headers)


@pytest.mark.parametrize(
    ("last", "kind", "args"),
    [
        ("ZeroDivisionError: division by zero", ZeroDivisionError, ("division by zero",)),
        ("ValueError", ValueError, ()),
        ("KeyError: 'a: b'", KeyError, ("a: b",)),
        ("KeyError: odd", KeyError, ("odd",)),
        ("pandas.errors.ParserError: no table", JobFailed, None),
        ("Own: mine", JobFailed, None),
        ("SystemExit: 3", JobFailed, None),
        ("UnicodeDecodeError: 'utf-8' codec", JobFailed, None),
        ("print: no class", JobFailed, None),
    ],
)
def test_what_a_function_raised_is_raised_here(last, kind, args):
    with pytest.raises(kind) as caught:
        connection(Transport(story(last))).map(size, "swift://~/c/o")
    assert type(caught.value) is kind
    if args is not None:
        assert caught.value.args == args
        assert isinstance(caught.value.__cause__, JobFailed)
        assert 'File "/mapper.py", line 2, in broken' in str(caught.value.__cause__)


def test_a_failure_that_is_no_pythons_stays_one():
    with pytest.raises(JobFailed):
        connection(Transport(Told(500, b"Node map: killed", {"X-Nexe-System": "map"}))).map(size, "swift://~/c/o")
