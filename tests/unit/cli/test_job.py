"""``zerocloud job``: what it says and how it leaves, against answers as the HTTP API describes them."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.unit.client.transport import Told, Transport, connection
from zerocloud.cli.command import main
from zerocloud.client import waiting

EVIL = "it [bold]fell[/]"
CREATED = "2026-11-25T02:50:00.000Z"


def shown(job, state, **more):
    """A job of two nodes as the API shows it."""
    rows = [
        {"id": 1, "name": "good", "state": "succeeded", "server": "A", "attempts": 1, "exit_code": 0, "error": ""},
        {
            "id": 2,
            "name": "bad\x1b[2J",
            "state": "failed",
            "server": None,
            "attempts": 3,
            "exit_code": 7,
            "error": "it [bold]fell[/]",
        },
    ]
    value = {"id": job, "state": state, "created": CREATED, "ended": "2026-11-25T02:50:02.500Z", "nodes": 2, "status": 500}
    value |= {"user": "test:tester", "timeout": 60, "result": None, "counts": {"succeeded": 1, "failed": 1}, "error": ""}
    value |= {"headers": {}, "body": {"size": 4, "base64": ""}, "table": rows, "omitted": 0, "map": [{"name": "n"}]}
    value["failures"] = {"2": {"story": [[0.5, "asks A"]], "stderr": "first\n\x1b]0;evil\x07last\n"}}
    return value | more


def sse(*events):
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events).encode()


class Api:
    """The cluster: its jobs, the events of one, what was asked of it."""

    def __init__(self, monkeypatch):
        self.jobs = {"b2": shown("b2", "failed"), "a1": shown("a1", "succeeded")}
        self.events = b""
        self.transport = Transport(self.answer)
        monkeypatch.setattr("zerocloud.cli.job.connect", lambda: connection(self.transport))

    def answer(self, request):
        query = {key: values[0] for key, values in parse_qs(urlsplit(request.url).query, keep_blank_values=True).items()}
        if request.method == "POST":
            self.jobs["c3"] = shown("c3", "succeeded")
            return Told(200, b"swift://AUTH_x/.zvm/jobs/c3/result", {"X-Zerovm-Job": "c3"})
        if query["zerovm"] == "jobs":
            wanted = query.get("state", "").split(",")
            found = [job for job in self.jobs.values() if wanted == [""] or job["state"] in wanted]
            return self._json({"jobs": found[: int(query["limit"])], "next": None})
        if query["id"] not in self.jobs:
            return Told(404, b"There is no job")
        job = self.jobs[query["id"]]
        if request.method == "DELETE":
            running = job["state"] == "running"
            return self._json(job) if running else Told(409, b"It had ended before")
        if "events" in query:
            return Told(200, self.events)
        return Told(200, b"body") if query.get("part") == "body" else self._json(job)

    def _json(self, value):
        return Told(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)
    return Api(monkeypatch)


def job(*words):
    return CliRunner().invoke(main, ["job", *words])


def test_the_list(api):
    done = job("list")
    assert done.exit_code == 0, done.output
    first, second = done.output.splitlines()[1:]
    assert first.split()[:2] == ["b2", "failed"]
    assert first.split()[-3:] == ["2.5", "2", "500"]
    assert second.startswith("a1")
    assert [one["id"] for one in json.loads(job("list", "--state", "failed", "--json").output)] == ["b2"]
    assert job("list", "--state", "odd").exit_code == 2


def test_a_job_with_its_nodes(api):
    done = job("show", "last")
    assert done.exit_code == 0, done.output
    assert "test:tester" in done.output
    assert "it [bold]fell[/]" in done.output
    assert "1 succeeded, 1 failed" in done.output
    assert "\x1b" not in done.output
    assert "and 1 more" in job("show", "b2", "--nodes", "1").output
    assert json.loads(job("show", "b2", "--json").output)["id"] == "b2"
    assert json.loads(job("show", "b2", "--map").output) == [{"name": "n"}]
    assert job("show", "b2", "--body").output == "body"


def test_a_job_that_is_not_there_is_a_sentence(api):
    done = job("show", "zz")
    assert (done.exit_code, done.output) == (1, "Error: There is no job\n")
    api.jobs.clear()
    assert job("show", "last").output == "Error: There is no job yet\n"


def test_logs_do_not_steer_the_terminal(api):
    done = job("logs", "b2")
    assert done.exit_code == 0
    assert "asks A" in done.output
    assert "| first" in done.output
    assert "\x1b" not in done.output
    assert "\x07" not in done.output
    assert json.loads(job("logs", "b2", "--json").output)[0]["stderr"].startswith("first\n")
    api.jobs["a1"]["failures"] = {}
    assert "nothing is kept" in job("logs", "a1").output


def test_cancelling(api):
    api.jobs["r4"] = shown("r4", "running")
    done = job("cancel", "r4", "a1")
    assert done.exit_code == 0
    assert done.output.splitlines() == ["r4 is cancelled", "a1 had ended before"]
    assert json.loads(job("cancel", "a1", "--json").output) == [{"id": "a1", "cancelled": False}]


@pytest.mark.parametrize(
    "words", ["show", "logs", "watch", "watch --json", "cancel", "cancel --json", "wait", "rerun", "rerun --wait"]
)
def test_a_job_that_is_not_there(api, words):
    done = job(*words.split(), "none")
    assert (done.exit_code, done.output.splitlines()[-1][:22]) == (1, "Error: There is no job")


def test_what_can_be_cancelled_is_though_others_are_not_there(api):
    api.jobs["r4"] = shown("r4", "running")
    done = job("cancel", "none", "r4")
    assert (done.exit_code, done.output.splitlines()[:1]) == (1, ["r4 is cancelled"])
    assert "There is no job none" in done.output


@pytest.mark.parametrize(
    ("states", "code"),
    [(["succeeded"], 0), (["succeeded", "failed"], 1), (["cancelled"], 3), (["lost", "cancelled"], 4), (["failed", "lost"], 1)],
)
def test_the_exit_code_tells_how_jobs_ended(api, states, code):
    api.jobs = {f"j{number}": shown(f"j{number}", state) for number, state in enumerate(states)}
    done = job("wait", *api.jobs)
    assert done.exit_code == code, done.output
    assert done.output.split()[1::2] == states


def test_waiting_has_an_end(api):
    api.jobs["r4"] = shown("r4", "running")
    done = job("wait", "r4", "--timeout", "0", "--json")
    assert (done.exit_code, json.loads(done.output)) == (5, {"r4": "running"})


def test_watching(api):
    head = {"id": "b2", "state": "failed", "counts": {"failed": 1}}
    api.events = sse(("node", api.jobs["b2"]["table"][1]), ("job", head), ("end", head))
    done = job("watch", "b2")
    assert (done.exit_code, "bad" in done.output, "\x1b" in done.output) == (1, True, False)
    assert "b2 failed: 1 failed" in done.output
    lines = [json.loads(line) for line in job("watch", "b2", "--json").output.splitlines()]
    assert [line["event"] for line in lines] == ["node", "job", "end"]


def test_watching_on_a_terminal(api, monkeypatch):
    screen = Console(file=io.StringIO(), force_terminal=True, width=100, height=20, color_system=None)
    monkeypatch.setattr("zerocloud.cli.look.output", lambda: screen)
    rows = [{"id": number, "name": f"n{number}", "state": "succeeded", "attempts": 1} for number in range(1, 101)]
    rows[70] |= {"state": "failed", "error": EVIL}
    head = {"id": "b2", "state": "running", "created": CREATED, "ended": None, "nodes": 100}
    head["counts"] = {"succeeded": 99, "failed": 1}
    api.events = sse(*(("node", row) for row in rows), ("job", head), ("end", head | {"state": "failed"}))
    assert job("watch", "b2").exit_code == 1
    shown = screen.file.getvalue().rpartition("b2  failed")[2]
    assert "99 succeeded, 1 failed" in shown
    assert "n71" in shown
    assert EVIL in shown
    assert "and 86 more" in shown


def test_running_again(api):
    done = job("rerun", "b2", "--timeout", "7")
    assert (done.exit_code, done.output) == (0, "c3\n")
    assert json.loads(api.transport.bodies[-1]) == [{"name": "n"}]
    assert api.transport.sent[-1].headers["X-Zerovm-Timeout"] == "7"
    api.jobs["b2"]["timeout"] = 90.0
    assert json.loads(job("rerun", "b2", "--json").output) == {"id": "c3", "again": "b2"}
    assert float(api.transport.sent[-1].headers["X-Zerovm-Timeout"]) == 90
    api.events = sse(("end", {"id": "c3", "state": "succeeded"}))
    assert job("rerun", "b2", "--wait").exit_code == 0
    api.jobs["b2"]["brought"] = True
    done = job("rerun", "b2")
    assert (done.exit_code, "send it again" in done.output) == (1, True)


def test_ids_are_completed(api, monkeypatch):
    from zerocloud.cli.job import complete_id

    assert [item.value for item in complete_id(None, None, "b")] == ["b2"]
    api.transport.answer = Told(401)
    assert complete_id(None, None, "") == []
