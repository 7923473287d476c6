"""The filter of chains around an application that answers by a script, without Swift."""

from __future__ import annotations

import io
import json

import pytest
from swift.common.swob import Request

from zerocloud.chain import Settings
from zerocloud.chain.filter import JobChain, job_account

MAP = [("Content-Type", "application/json"), ("X-Zerovm-Execute", "1.0")]


class Body:
    """Pieces that know whether they were closed."""

    def __init__(self, *pieces):
        self._pieces = iter(pieces)
        self.closed = False

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._pieces)

    def close(self):
        self.closed = True


class Jobs:
    """What stands behind the filter: answers one job after the other, after reading so much of each one's body."""

    def __init__(self, *answers, reads=()):
        self.answers = list(answers)
        self.reads = list(reads)
        self.requests = []

    def __call__(self, environ, start_response):
        payload = environ.get("zerocloud.payload")
        taken = environ["wsgi.input"].read(self.reads.pop(0)) if self.reads else b""
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], taken, payload.remaining if payload else None))
        status, headers, body = self.answers.pop(0)
        start_response(status, headers)
        return body


def call(jobs, method="POST", path="/v1/a", body=b"", **options):
    application = JobChain(jobs, Settings.read(options))
    request = Request.blank(path, method=method, headers={"X-Zerovm-Execute": "1.0"}, body=body)
    return request.call_application(application)


def test_a_map_of_unknown_length_that_is_too_long_is_sent_on_as_it_comes():
    """It is not held in memory, nothing of it is lost, and whoever stops reading it closes it."""
    body = Body(b"[" * 60, b"x" * 60, b"never read before it is asked for")
    status, headers, answer = call(Jobs(("200 OK", MAP, body)), zerovm_maxconfig="100")
    assert (status, dict(headers)["X-Chain-Stopped"]) == ("200 OK", "a map has at most 100 bytes")
    pieces = iter(answer)
    assert (next(pieces), next(pieces)) == (b"[" * 60, b"x" * 60)
    assert not body.closed
    assert next(pieces).startswith(b"never")
    answer.close()
    assert body.closed


def test_an_answer_that_is_no_map_is_not_touched():
    body = Body(b"a", b"b")
    _, headers, answer = call(Jobs(("200 OK", [("Content-Type", "application/json")], body)))
    assert answer is body or b"".join(answer) == b"ab"
    assert {"X-Chain-Total-Time", "X-Chain-Jobs"} <= dict(headers).keys()
    assert float(dict(headers)["X-Chain-Total-Time"]) >= 0


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/jsonx", "Application/JSON", "text/plain"])
def test_the_type_must_be_exactly_that_of_a_map(kind):
    jobs = Jobs(("200 OK", [("Content-Type", kind), MAP[1]], [b"[]"]))
    call(jobs)
    assert len(jobs.requests) == 1


@pytest.mark.parametrize("status", ["300 Multiple Choices", "404 Not Found", "500 Failed"])
def test_only_what_succeeded_goes_on(status):
    jobs = Jobs((status, MAP, [b"[]"]))
    assert call(jobs)[0] == status
    assert len(jobs.requests) == 1


def test_the_answer_to_head_has_no_map():
    jobs = Jobs(("200 OK", MAP, []))
    call(jobs, "HEAD", "/open/a/c/o")
    assert len(jobs.requests) == 1


def test_maps_that_were_read_are_closed():
    first, last = Body(b"[", b"]"), Body(b"end")
    jobs = Jobs(("200 OK", MAP, first), ("200 OK", [], last))
    _, _, answer = call(jobs)
    assert (first.closed, b"".join(answer), last.closed) == (True, b"end", False)


def test_what_a_job_left_of_the_body_goes_on():
    """The first job reads three bytes, the second nothing: its own body is the map, the rest waits for who wants it."""
    steps = [("200 OK", MAP, [json.dumps([]).encode()]) for _ in range(2)]
    jobs = Jobs(*steps, ("200 OK", [], []), reads=[3])
    call(jobs, "PUT", "/api/a%20b/c/x?q=1", b"payload")
    (first, second, third) = jobs.requests
    assert first == ("PUT", "/api/a b/c/x", b"pay", None)
    assert second == third == ("POST", "/v1/a b", b"", 4)


@pytest.mark.parametrize("length", ["x", "-1", "1e9", ""])
def test_a_false_length_leaves_no_payload(length):
    jobs = Jobs(("200 OK", MAP, [b"[]"]), ("400 No", [], []))
    environ = Request.blank("/v1/a", method="POST", headers={"X-Zerovm-Execute": "1.0"}).environ
    environ.update({"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b"payload")})
    Request(environ).call_application(JobChain(jobs, Settings.read({})))
    assert jobs.requests[-1][3] == 0


@pytest.mark.parametrize(
    ("path", "execute", "account"),
    [
        ("/v1/a", "1.0", "a"),
        ("/v1/a/c/o", "", "a"),
        ("/v1/a", None, None),
        ("/open/a/c/o", None, "a"),
        ("/api/a/c", None, "a"),
        ("/info", "1.0", None),
        ("/v1//c", "1.0", None),
        ("x/v1/a", "1.0", None),
        ("", "1.0", None),
    ],
)
def test_what_is_a_job(path, execute, account):
    environ = {"PATH_INFO": path, **({} if execute is None else {"HTTP_X_ZEROVM_EXECUTE": execute})}
    assert job_account(environ) == account
