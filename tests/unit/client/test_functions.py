"""Functions as jobs: what is sent, and which can't be."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from tests.unit.client.transport import Told, Transport, connection
from zerocloud.client import ClientError, WorkError


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
    nodes = [{"name": "map-1", "body": "3"}, {"name": "map-2", "body": "[4]"}]
    transport = Transport(Told(200, json.dumps({"nodes": nodes}).encode(), {"Content-Type": "application/json"}))
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
    body = json.dumps({"nodes": [{"name": "map", "body": "hello 3"}]}).encode()
    with pytest.raises(ClientError, match="node map returned is no JSON"):
        connection(Transport(Told(200, body, {"Content-Type": "application/json"}))).map(size, "swift://~/c/o")
