"""``zerocloud self-check``: each step, and the first that fails."""

from __future__ import annotations

import io
import json
import tarfile

import pytest
from click.testing import CliRunner

from tests.unit.client.transport import Told, Transport, connection
from zerocloud.cli import self_check as module
from zerocloud.cli.command import main
from zerocloud.client import LoginError


@pytest.fixture
def check(monkeypatch):
    def invoke(*words, **answers):
        transport = Transport(lambda request: answer(request, answers))
        monkeypatch.setattr(module, "connect", lambda: connection(transport))
        return CliRunner().invoke(main, ["self-check", *words]), transport

    return invoke


def answer(request, answers):
    if request.url.endswith("/info"):
        return answers.get("info", Told(200, b'{"zerocloud": {"version": "9"}, "swift": {"version": "2.38"}}'))
    if request.method == "POST":
        return answers.get("job", Told(200, module.GREETING, {"X-Nexe-System": "check", "X-Nexe-Server": "h:1"}))
    return answers.get("store", Told(200, module.GREETING))


def test_all_is_well(check):
    result, transport = check("--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"]) == (0, True)
    assert [step["name"] for step in told["checks"]] == ["sign in", "cluster", "storage", "job"]
    methods = [(request.method, request.url.count("/")) for request in transport.sent]
    assert methods[-3:] == [("DELETE", 6), ("DELETE", 5), ("POST", 4)]
    with tarfile.open(fileobj=io.BytesIO(transport.bodies[-1])) as archive:
        assert archive.getnames() == ["boot/system.map", "check.wasm"]


@pytest.mark.parametrize(
    ("answers", "steps", "says"),
    [
        ({"info": Told(200, b'{"swift": {}}')}, 2, "no ZeroCloud"),
        ({"info": Told(200, b"<html>")}, 2, "no information of a Swift"),
        ({"store": Told(403, b"Forbidden")}, 3, "Forbidden"),
        ({"store": Told(200, b"other")}, 3, "reads differently"),
        ({"job": Told(503, b"no server could take a node")}, 4, "no server"),
        ({"job": Told(200, b"\x1b[31m")}, 4, "not what it writes"),
    ],
)
def test_the_first_failure_is_the_last_step(check, answers, steps, says):
    result, _ = check(**answers)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) == steps
    assert lines[-1].startswith("failed")
    assert says in lines[-1]
    assert "\x1b" not in result.stdout


def test_without_credentials(monkeypatch):
    def refuse():
        raise LoginError("There are no credentials.")

    monkeypatch.setattr(module, "connect", refuse)
    result = CliRunner().invoke(main, ["self-check"])
    assert (result.exit_code, result.stdout) == (1, "failed sign in: There are no credentials.\n")
