"""``zerocloud run``: what is sent, what is printed where, and what is left behind."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.unit.client.transport import Told, Transport, connection
from zerocloud.cli import live
from zerocloud.cli import run as module
from zerocloud.cli.command import main

REPORT = {
    "X-Zerovm-Job": "j1",
    "X-Nexe-System": "map-1",
    "X-Nexe-Server": "h:1",
    "X-Nexe-Status": "ok",
    "X-Nexe-Retcode": "0",
    "X-Nexe-Cdr-Line": "1.5, 0.5, 0.1 0.2 1 2048 3 4 5 6 7 8",
    "Content-Type": "text/plain",
}


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Runs the command in a folder with a job, against a transport that answers so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.json").write_text("[]")

    def invoke(told, *words, input=None):
        transport = Transport(told)
        monkeypatch.setattr(module, "connect", lambda: connection(transport))
        return CliRunner().invoke(main, ["run", *words], input=input), transport

    return invoke


def test_the_answer_is_on_standard_output(play):
    result, transport = play(Told(200, b"words\xff\n", REPORT), "job.json", "--summary", "--timeout", "9")
    assert (result.exit_code, result.stdout_bytes) == (0, b"words\xff\n")
    assert "map-1" in result.stderr
    assert "2.0 KiB" in result.stderr
    assert "\x1b" not in result.stderr
    assert transport.sent[0].headers["X-Zerovm-Timeout"] == "9"


def test_the_summary_of_a_large_job_says_where_the_rest_is(play):
    result, _ = play(Told(200, b"", {**REPORT, "X-Nexe-More": "899"}), "job.json", "--summary")
    assert "and 899 more: zerocloud job show j1 --nodes 900" in result.stderr


@pytest.mark.parametrize(("body", "key", "told"), [(b"a", "body", "a"), (b"\xff", "body_base64", "/w==")])
def test_json(play, body, key, told):
    result, transport = play(Told(200, body, REPORT), "-", "--json", input="[1]")
    value = json.loads(result.stdout)
    assert (value["job"], value["status"], value[key], value["content_type"]) == ("j1", 200, told, "text/plain")
    assert value["nodes"][0]["counters"]["bytes_read"] == 2048
    assert transport.bodies == [b"[1]"]


def test_a_file_has_its_name_when_it_is_whole(play, tmp_path):
    (tmp_path / "out").write_bytes(b"old")
    result, _ = play(Told(500, b"node map-1 failed\n", REPORT), "job.json", "-o", "out")
    assert (result.exit_code, (tmp_path / "out").read_bytes()) == (1, b"old")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.json", "out"]
    result, _ = play(Told(200, b"new", REPORT), "job.json", "-o", "out")
    assert (result.exit_code, result.stdout, (tmp_path / "out").read_bytes()) == (0, "", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.json", "out"]
    result, transport = play(Told(), "job.json", "-o", "nowhere/out")
    assert (result.exit_code, transport.sent) == (1, [])
    assert "nowhere/out can't be written: No such file" in result.stderr


def test_a_failed_job_is_a_story_and_an_exit_code(play):
    result, _ = play(Told(500, b"node map-1 failed\n", REPORT), "job.json", "--summary")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: node map-1 failed" in result.stderr
    assert "h:1" in result.stderr
    result, _ = play(Told(500, b"node map-1 failed\n", REPORT), "job.json", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, 500)


def test_what_a_program_wrote_does_not_steer_the_terminal(play):
    result, _ = play(Told(500, b"node map-1 failed\n  | \x1b[2Jgone\x07\n", REPORT), "job.json")
    assert result.stderr.splitlines() == ["Error: node map-1 failed", "  |  [2Jgone "]


def test_a_detached_job_is_named(play):
    told = Told(200, b"swift://AUTH_x/.zvm/jobs/j1/result", REPORT)
    result, transport = play(told, "job.json", "--detach")
    assert (result.exit_code, result.stdout) == (0, "j1\n")
    assert transport.sent[0].headers["X-Zerovm-Deferred"] == "always"
    assert json.loads(play(told, "job.json", "--detach", "--json")[0].stdout) == {"job": "j1"}


def test_a_stored_job_gets_its_payload(play, tmp_path):
    (tmp_path / "data").write_bytes(b"payload")
    result, transport = play(Told(200, b"", REPORT), "swift://~/apps/a.zapp", "--payload", "data")
    assert result.exit_code == 0
    assert transport.sent[0].headers["X-Zerovm-Source"] == "swift://~/apps/a.zapp"
    assert transport.bodies == [b"payload"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("none.json",), 2, "none.json: there is no such file"),
        (("job.json", "--payload", "job.json"), 2, "--payload"),
        (("job.json", "--json", "-o", "x"), 2, "--output"),
        (("job.json", "--detach", "--summary"), 2, "--detach"),
        (("job.json", "--timeout", "0"), 2, "timeout"),
    ],
)
def test_mistakes(play, words, code, says):
    result, transport = play(Told(), *words)
    assert (result.exit_code, transport.sent) == (code, [])
    assert says in result.stderr
    assert "Traceback" not in result.output


EVENTS = b"""event: job
data: {"id": "j1", "state": "running", "counts": {"running": 1, "queued": 2}}

event: node
data: {"id": 1}

event: end
data: {"id": "j1", "state": "succeeded", "counts": {"succeeded": 3}}

"""


@pytest.fixture
def on_a_terminal(monkeypatch):
    shown = []

    class Screen(live.Console):
        is_terminal = True

    screen = Screen(stderr=True, force_terminal=True)
    monkeypatch.setattr(live.look, "errors", lambda: screen)
    kept = live._progress
    monkeypatch.setattr(live, "_progress", lambda event: shown.append(kept(event)) or shown[-1])
    return shown


def cluster(request):
    if request.method == "POST":
        return Told(200, b"swift://AUTH_x/r/o", REPORT)
    if "events" in request.url:
        return Told(200, EVENTS)
    if "zerovm=job" in request.url:
        return Told(200, json.dumps({"id": "j1", "state": "succeeded", "status": 200}).encode())
    return Told(200, json.dumps(REPORT).encode() if request.url.endswith(".headers") else b"answer")


def test_progress_is_shown_on_a_terminal(play, on_a_terminal):
    result, _ = play(cluster, "job.json")
    assert (result.exit_code, result.stdout) == (0, "answer")
    assert on_a_terminal == [
        {"description": "running", "total": 3, "completed": 0},
        None,
        {"description": "succeeded", "total": 3, "completed": 3},
    ]


def test_ctrl_c_cancels(play, on_a_terminal, monkeypatch):
    def interrupt(event):
        raise KeyboardInterrupt

    monkeypatch.setattr(live, "_progress", interrupt)
    result, transport = play(cluster, "job.json", "-o", "out")
    assert result.exit_code == 130
    assert transport.sent[-1].method == "DELETE"
