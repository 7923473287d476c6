"""Requests and answers, by a transport of the test's own."""

import json
from pathlib import Path

import pytest
import requests

from tests.unit.client.transport import Told, Transport, connection
from zerocloud.client import JobCancelled, JobFailed, Login, NotReachable, Refused, Source, WorkError


def test_a_job_is_posted_with_the_token():
    transport = Transport(Told(200, b"out", {"X-Zerovm-Job": "j1", "X-Nexe-Status": "ok"}))
    with connection(transport) as cloud:
        answer = cloud.run([{"name": "n"}])
    (sent,) = transport.sent
    assert (sent.method, sent.url, json.loads(sent.body)) == ("POST", "http://h/v1/AUTH_x", [{"name": "n"}])
    assert (sent.headers["X-Auth-Token"], sent.headers["X-Zerovm-Execute"]) == ("secret", "1.0")
    assert (answer.job, answer.status, answer.body, answer.headers["X-Nexe-Status"]) == ("j1", 200, b"out", "ok")


def test_a_text_is_sent_as_it_is():
    transport = Transport(Told(200, b"table"))
    assert connection(transport).explain("[ ]", "text/vnd.mermaid") == "table"
    assert transport.sent[0].body == b"[ ]"
    assert transport.sent[0].headers["X-Zerovm-Execute"] == "explain/1.0"
    assert transport.sent[0].headers["Accept"].startswith("text/vnd.mermaid")


def test_errors_tell_what_the_cluster_said():
    problems = [{"pointer": "/0", "reason": "r", "cure": ""}]
    body = json.dumps({"error": "/0: r", "problems": problems}).encode()
    with pytest.raises(Refused) as caught:
        connection(Transport(Told(400, body, {"Content-Type": "application/json"}))).run("[]")
    assert (str(caught.value), caught.value.status, caught.value.problems) == ("/0: r", 400, tuple(problems))
    with pytest.raises(Refused, match="node n failed"):
        connection(Transport(Told(500, b"node n failed\n", {"Content-Type": "text/plain"}))).run("[]")
    with pytest.raises(Refused, match="status 503"):
        connection(Transport(Told(503))).run("[]")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
def test_json_that_is_none_is_told_as_it_is(body):
    with pytest.raises(Refused):
        connection(Transport(Told(500, body, {"Content-Type": "application/json"}))).run("[]")


def test_who_does_not_answer_is_named():
    with pytest.raises(NotReachable, match="http://h/v1/AUTH_x does not answer"):
        connection(Transport(requests.ConnectionError("refused"))).run("[]")


def test_every_form_of_a_job_has_its_type(tmp_path: Path):
    tar = b"x" * 257 + b"ustar" + bytes(250)
    forms = {
        b"[]": "application/json",
        b"#!file://p:p\n": "text/x-script",
        b"\x1f\x8bzapp": "application/x-gzip",
        tar: "application/x-tar",
    }
    for body, kind in forms.items():
        (tmp_path / "file").write_bytes(body)
        for work in (body, tmp_path / "file"):
            transport = Transport(Told())
            connection(transport).run(work)
            assert (transport.sent[0].headers["Content-Type"], transport.bodies[0]) == (kind, body)
            assert transport.sent[0].headers["Content-Length"] == str(len(body))


def test_what_is_no_job_is_not_sent(tmp_path: Path):
    transport = Transport(Told())
    for work, says in (
        (b"hello", "neither"),
        (tmp_path / "none", "can't be read: No such file"),
        ([{"x": object()}], "no JSON"),
    ):
        with pytest.raises(WorkError, match=says):
            connection(transport).run(work)
    assert transport.sent == []


def test_a_stored_job_with_a_payload():
    transport = Transport(Told())
    connection(transport).run(Source("swift://~/c/ü.zapp", b"data"), {"X-Mine": "1"}, timeout=7)
    sent = transport.sent[0]
    assert sent.headers["X-Zerovm-Source"] == "swift://~/c/%C3%BC.zapp"
    assert (transport.bodies[0], sent.headers["X-Mine"], sent.headers["X-Zerovm-Timeout"]) == (b"data", "1", "7")


def test_a_body_goes_into_a_file_in_pieces(tmp_path: Path):
    body = bytes(range(256)) * 1000
    with (tmp_path / "out").open("wb") as into:
        assert connection(Transport(Told(200, body))).run("[]", into=into).body == b""
    assert (tmp_path / "out").read_bytes() == body


def test_a_failed_job_brings_its_nodes():
    headers = {"X-Nexe-System": "a,b", "X-Nexe-Status": "ok,exit code 3", "X-Nexe-Retcode": "0,3", "X-Zerovm-Job": "j"}
    with pytest.raises(JobFailed, match="story") as caught:
        connection(Transport(Told(500, b"the story", headers))).run("[]")
    assert [(node.name, node.exit_code) for node in caught.value.answer.nodes] == [("a", 0), ("b", 3)]
    with pytest.raises(JobCancelled):
        connection(Transport(Told(409, b"cancelled", headers))).run("[]")


def test_an_expired_token_is_renewed_once():
    transport = Transport(lambda request: Told(200 if request.headers["X-Auth-Token"] == "fresh" else 401))
    cloud = connection(transport, renew=lambda: Login("http://h/v1/AUTH_x", "fresh"))
    assert cloud.run("[]").status == 200
    assert [request.headers["X-Auth-Token"] for request in transport.sent] == ["secret", "fresh"]
    stale = Transport(Told(401, b"no"))
    with pytest.raises(Refused, match="no"):
        connection(stale, renew=lambda: Login("http://h/v1/AUTH_x", "secret")).run("[]")
    assert len(stale.sent) == 1


def test_a_token_follows_no_redirection():
    transport = Transport(Told(302, b"", {"Location": "http://evil/"}))
    assert connection(transport).run("[]").status == 302
    assert [request.url for request in transport.sent] == ["http://h/v1/AUTH_x"]


JSON = {"Content-Type": "application/json", "X-Nexe-System": "a,b"}


def test_each_node_by_itself():
    nodes = [
        {"name": "a", "succeeded": True, "server": None, "exit_code": "0", "headers": {"X": "1"}, "size": 2, "body": "é"},
        {"name": "b", "succeeded": True, "server": "h:1", "exit_code": "3", "error": "", "base64": "/w=="},
        {"name": "c", "succeeded": False, "error": "it was cancelled"},
    ]
    transport = Transport(Told(200, json.dumps({"job": "j", "nodes": nodes}).encode(), JSON))
    first, second, third = connection(transport).run_each("[]")
    assert transport.sent[0].headers["Accept"] == "application/json"
    assert (first.name, first.text, first.headers, first.exit_code) == ("a", "é", {"X": "1"}, 0)
    assert (second.body, second.server, second.exit_code) == (b"\xff", "h:1", 3)
    assert (third.body, third.text, third.succeeded, third.error) == (None, "", False, "it was cancelled")


def test_a_failure_told_node_by_node():
    body = json.dumps({"job": "j", "status": 500, "error": "node a failed", "nodes": [{"name": "a"}]}).encode()
    with pytest.raises(JobFailed, match="node a failed") as caught:
        connection(Transport(Told(500, body, JSON))).run_each("[]")
    assert caught.value.answer.job == "j"
    with pytest.raises(JobFailed, match="own") as caught:  # a program's own answer, which is JSON by chance
        connection(Transport(Told(500, b'{"its": "own"}', JSON))).run("[]")
    assert len(caught.value.answer.nodes) == 2
    for odd in (b"[]", b"{", b'{"nodes": [5]}', b'{"nodes": [{}]}', b'{"nodes": [{"name": "a", "base64": "x"}]}'):
        with pytest.raises(NotReachable, match="node by node"):
            connection(Transport(Told(200, odd))).run_each("[]")


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_page_for_browsers_is_told_as_a_sentence(status: int):
    page = Told(status, b"<html><h1>No</h1></html>", {"Content-Type": "text/html; charset=UTF-8"})
    with pytest.raises(Refused, match=rf"^{status}\b[^<\n]+$"):
        connection(Transport(page)).run("[]")
