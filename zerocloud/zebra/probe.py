"""HTTP to a Zebra with nothing but the standard library: is it ready, and what is my token?"""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import simplejson

from zerocloud.zebra.errors import StartFailed, ZebraError
from zerocloud.zebra.keystone.people import STORE, sign_in
from zerocloud.zebra.settings import ADMINISTRATOR, KEYSTONE, Settings, User

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
    """What the authentication hands out."""

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


def log_in(known: Settings, user: User) -> Login:
    """A token of this Zebra. Raises ZebraError."""
    by_keystone = known.auth == KEYSTONE
    where = f"the Keystone at {known.keystone_url}" if by_keystone else f"the proxy at {known.url}"
    try:
        answer = _ask_keystone(known, user) if by_keystone else _ask_proxy(known, user)
        if answer.status not in (200, 201):
            raise ZebraError(f"{where} refuses {user.login}: status {answer.status}")
        if by_keystone:
            catalog = simplejson.loads(answer.body)["token"]["catalog"]
            return Login(store_in(catalog, known.url), answer.headers["x-subject-token"])
        return Login(answer.headers["x-storage-url"], answer.headers["x-storage-token"])
    except (OSError, http.client.HTTPException) as error:
        raise ZebraError(f"{where} does not answer: {error}") from error


def _ask_proxy(known: Settings, user: User) -> Answer:
    return call(f"{known.url}/auth/v1.0", "GET", {"X-Auth-User": user.login, "X-Auth-Key": user.key})


def _ask_keystone(known: Settings, user: User) -> Answer:
    headers = {"Content-Type": "application/json"}
    return call(f"{known.keystone_url}/auth/tokens", "POST", headers, simplejson.dumps(sign_in(user)).encode())


def store_in(catalog: Iterable[Mapping[str, Any]], proxy: str) -> str:
    """The account's URL at this Zebra's proxy: a catalog may have other stores, and endpoints, that people have put there.

    Raises ZebraError.
    """
    stores = (service["endpoints"] for service in catalog if service["type"] == STORE)
    urls = (str(endpoint["url"]) for endpoint in chain.from_iterable(stores) if endpoint["interface"] == "public")
    found = next((url for url in urls if url.startswith(f"{proxy}/")), None)
    if found is None:
        raise ZebraError(f"Keystone's catalog has no object store at {proxy}: 'zebra down' and 'zebra up' put it there again")
    return found


def wait_until_ready(known: Settings, deadline: float, check: Callable[[], None]) -> None:
    """Return once a PUT and a GET through the proxy have succeeded, with every trace of them removed again.

    ``check`` is called before each attempt, and may raise. Raises StartFailed at the ``deadline`` (time.monotonic).
    """
    while True:
        check()
        try:
            trouble = _attempt(known)
        except (OSError, http.client.HTTPException, ZebraError) as error:
            trouble = str(error)
        if not trouble:
            return
        if time.monotonic() > deadline:
            raise StartFailed(f"the Zebra at {known.url} did not become ready in time: {trouble}")
        time.sleep(PAUSE_SECONDS)


def _attempt(known: Settings) -> str:
    """What stands in the way of a PUT and a GET, or nothing."""
    login = log_in(known, ADMINISTRATOR)
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
