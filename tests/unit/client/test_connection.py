"""Requests and answers, by a transport of the test's own."""

import io
import json

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from zerocloud.client import Connection, Login, NotReachable, Refused


class Transport(BaseAdapter):
    """Answers as it is told, and keeps what was sent."""

    def __init__(self, status=200, body=b"", headers=None, error=None):
        super().__init__()
        self.answer, self.error, self.sent = (status, body, headers or {}), error, []

    def send(self, request, **_):
        self.sent.append(request)
        if self.error:
            raise self.error
        status, body, headers = self.answer
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url
        response.headers.update(headers)
        response.raw = HTTPResponse(body=io.BytesIO(body), preload_content=False)
        return response

    def close(self):
        pass


def connection(transport):
    session = requests.Session()
    session.mount("http://", transport)
    return Connection(Login("http://h/v1/AUTH_x", "secret"), session)


def test_a_job_is_posted_with_the_token():
    transport = Transport(200, b"out", {"X-Zerovm-Job": "j1", "X-Nexe-Status": "ok"})
    with connection(transport) as cloud:
        answer = cloud.run([{"name": "n"}])
    (sent,) = transport.sent
    assert (sent.method, sent.url, json.loads(sent.body)) == ("POST", "http://h/v1/AUTH_x", [{"name": "n"}])
    assert (sent.headers["X-Auth-Token"], sent.headers["X-Zerovm-Execute"]) == ("secret", "1.0")
    assert (answer.job, answer.status, answer.body, answer.headers["X-Nexe-Status"]) == ("j1", 200, b"out", "ok")


def test_a_text_is_sent_as_it_is():
    transport = Transport(200, b"table")
    assert connection(transport).explain("[ ]", "text/vnd.mermaid") == "table"
    assert transport.sent[0].body == b"[ ]"
    assert transport.sent[0].headers["X-Zerovm-Execute"] == "explain/1.0"
    assert transport.sent[0].headers["Accept"].startswith("text/vnd.mermaid")


def test_errors_tell_what_the_cluster_said():
    problems = [{"pointer": "/0", "reason": "r", "cure": ""}]
    body = json.dumps({"error": "/0: r", "problems": problems}).encode()
    with pytest.raises(Refused) as caught:
        connection(Transport(400, body, {"Content-Type": "application/json"})).run("[]")
    assert (str(caught.value), caught.value.status, caught.value.problems) == ("/0: r", 400, tuple(problems))
    with pytest.raises(Refused, match="node n failed"):
        connection(Transport(500, b"node n failed\n", {"Content-Type": "text/plain"})).run("[]")
    with pytest.raises(Refused, match="status 503"):
        connection(Transport(503)).run("[]")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
def test_json_that_is_none_is_told_as_it_is(body):
    with pytest.raises(Refused):
        connection(Transport(500, body, {"Content-Type": "application/json"})).run("[]")


def test_who_does_not_answer_is_named():
    with pytest.raises(NotReachable, match="http://h/v1/AUTH_x does not answer"):
        connection(Transport(error=requests.ConnectionError("refused"))).run("[]")
