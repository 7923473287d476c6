"""A transport of the tests' own: it answers as it is told, and keeps what was sent."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from zerocloud.client import Connection, Login

URL = "http://h/v1/AUTH_x"


@dataclass
class Told:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Transport(BaseAdapter):
    """``answer`` is what it answers, or raises, or a function of the request that tells."""

    def __init__(self, answer: Told | Exception | Callable[[requests.PreparedRequest], Told | Exception]) -> None:
        super().__init__()
        self.answer, self.sent, self.bodies = answer, [], []

    def send(self, request, **_):
        self.sent.append(request)
        body = request.body
        self.bodies.append(body.read() if hasattr(body, "read") else body)
        told = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(told, Exception):
            raise told
        response = requests.Response()
        response.status_code, response.request, response.url = told.status, request, request.url
        response.headers.update(told.headers)
        response.raw = HTTPResponse(body=io.BytesIO(told.body), preload_content=False)
        return response

    def close(self):
        pass


def connection(transport: Transport, **more) -> Connection:
    """A connection over the transport."""
    session = requests.Session()
    session.mount("http://", transport)
    return Connection(Login(URL, "secret"), session, **more)
