"""HTTP to a Zebra's proxy with nothing but the standard library: is it ready, and what is my token?"""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from zerocloud.zebra.errors import StartFailed, ZebraError
from zerocloud.zebra.settings import User, user_called

PROBE_USER = user_called("admin:admin")
PROBE_CONTAINER = ".zebra-probe"
ATTEMPT_SECONDS = 15.0
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Login:
    """What tempauth hands out."""

    storage_url: str
    token: str


def call(url: str, method: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """One request on a connection of its own. Raises OSError, HTTPException."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ATTEMPT_SECONDS)
    try:
        connection.request(method, parts.path, body, dict(headers))
        response = connection.getresponse()
        lowered = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lowered, response.read())
    finally:
        connection.close()


def log_in(url: str, user: User) -> Login:
    """A token of the Zebra at ``url``. Raises ZebraError."""
    try:
        answer = call(f"{url}/auth/v1.0", "GET", {"X-Auth-User": user.login, "X-Auth-Key": user.key})
    except (OSError, http.client.HTTPException) as error:
        raise ZebraError(f"the proxy at {url} does not answer: {error}") from error
    if answer.status != 200:
        raise ZebraError(f"the proxy at {url} refuses {user.login}: status {answer.status}")
    return Login(answer.headers["x-storage-url"], answer.headers["x-storage-token"])


def wait_until_ready(url: str, deadline: float, check: Callable[[], None]) -> None:
    """Return once a PUT and a GET through the proxy have succeeded, with every trace of them removed again.

    ``check`` is called before each attempt, and may raise. Raises StartFailed at the ``deadline`` (time.monotonic).
    """
    while True:
        check()
        try:
            trouble = _attempt(url)
        except (OSError, http.client.HTTPException, ZebraError) as error:
            trouble = str(error)
        if not trouble:
            return
        if time.monotonic() > deadline:
            raise StartFailed(f"the Zebra at {url} did not become ready in time: {trouble}")
        time.sleep(PAUSE_SECONDS)


def _attempt(url: str) -> str:
    """What stands in the way of a PUT and a GET, or nothing."""
    login = log_in(url, PROBE_USER)
    headers = {"X-Auth-Token": login.token}
    container = f"{login.storage_url}/{PROBE_CONTAINER}"
    content = secrets.token_bytes(16)
    for method, target, body, expected in (
        ("PUT", container, b"", (201, 202)),
        ("PUT", f"{container}/object", content, (201,)),
        ("GET", f"{container}/object", b"", (200,)),
        ("DELETE", f"{container}/object", b"", (204,)),
        ("DELETE", container, b"", (204, 404, 409)),
    ):
        answer = call(target, method, headers, body)
        if answer.status not in expected:
            return f"{method} {target}: status {answer.status}"
        if method == "GET" and answer.body != content:
            return f"GET {target}: other bytes than were stored"
    return ""
