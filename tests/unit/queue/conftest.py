"""Queues over a fake Swift, and clients of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
import simplejson
from swift.common.swob import HTTPForbidden, HTTPUnauthorized, Request, str_to_wsgi

from tests.unit.queue.fake_swift import FakeSwift, wsgi_path
from zerocloud.queue import Settings, ZeroQueue

OWNER, STRANGER, ANONYMOUS = "owner", "stranger", None


def authorizer(user: str | None) -> Any:
    """Says yes to the owner, and to whom the access list names. It is asked by container and object as in Swift."""

    def authorize(request: Any) -> Any:
        _, _, container, name = request.split_path(1, 4, True)
        by_list = container and (name or request.method in ("GET", "HEAD"))
        listed = by_list and user in (getattr(request, "acl", None) or "").split(",")
        if user == OWNER or listed:
            return None
        return HTTPForbidden(request=request) if user else HTTPUnauthorized(request=request)

    return authorize


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return simplejson.loads(self.body)


class Caller:
    """A client of the filter. ``extra`` goes into every request's environment."""

    def __init__(self, application: Any, client_id: str | None, user: str | None = OWNER, **extra: Any) -> None:
        self._application = application
        self._client = client_id
        self._user = user
        self._extra = extra

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """A request; ``path`` follows ``/queue/A``, unquoted but for a query."""
        path, _, query = path.partition("?")
        environ = Request.blank("/", environ={"REQUEST_METHOD": method}).environ
        environ |= {"PATH_INFO": wsgi_path(f"/queue/A{path}"), "QUERY_STRING": query, "swift.authorize": authorizer(self._user)}
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body)), "swift.infocache": {}}
        if self._client is not None:
            environ["HTTP_CLIENT_ID"] = str_to_wsgi(self._client)
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        request = Request({**environ, **self._extra})
        response = request.get_response(self._application)
        return Answer(response.status_int, response.headers, response.body)

    def post(self, value: Any, query: str = "", queue: str = "q") -> dict[str, Any]:
        answer = self("POST", f"/{queue}/message{query}", simplejson.dumps(value).encode())
        assert answer.status == 201, answer.text
        return dict(answer.json())

    def claim(self, query: str = "", queue: str = "q") -> list[dict[str, Any]]:
        answer = self("POST", f"/{queue}/claim{query}")
        assert answer.status == 200, answer.text
        return list(answer.json())

    def read(self, query: str = "?limit=1000&echo=true", queue: str = "q") -> list[Any]:
        answer = self("GET", f"/{queue}/message{query}")
        assert answer.status == 200, answer.text
        return [message["data"] for message in answer.json()]

    def delete(self, message: Mapping[str, Any], queue: str = "q") -> int:
        return self("DELETE", f"/{queue}/message/{message['claim_id']}").status


def over(application: Any, **options: str) -> ZeroQueue:
    """The filter as paste makes it, with a logger that needs no system log."""
    return ZeroQueue(application, Settings.read(options), "Policy-0", logging.getLogger("queue"))


@pytest.fixture
def swift() -> Iterator[FakeSwift]:
    fake = FakeSwift()
    yield fake
    assert fake.open == 0, "responses were left open"


@pytest.fixture
def queues(swift: FakeSwift) -> Any:
    """The filter with default limits."""
    return over(swift)


@pytest.fixture
def alice(queues: Any) -> Caller:
    return Caller(queues, "alice")


@pytest.fixture
def bob(queues: Any) -> Caller:
    return Caller(queues, "bob")


@pytest.fixture
def queue(alice: Caller) -> str:
    assert alice("PUT", "/q").status == 201
    return "q"


class Clock:
    """A time that the test moves on; queues and the fake Swift go by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, swift: FakeSwift) -> None:
        self._ahead = 0.0
        self._real = time.time
        swift.now = self.now
        monkeypatch.setattr("zerocloud.queue.messages.time", SimpleNamespace(time=self.now, monotonic=time.monotonic))

    def now(self) -> float:
        return self._real() + self._ahead

    def pass_by(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, swift: FakeSwift) -> Clock:
    return Clock(monkeypatch, swift)
