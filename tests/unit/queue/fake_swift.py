"""The part of Swift that queues need, in memory: containers and objects behind WSGI, each operation taking a moment.

As in Swift a conditional PUT looks first and writes later, and a PUT that began earlier than what is there is 202.
``refuse`` makes requests fail. Responses count their bodies: ``open`` is how many were neither read to the end nor closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any
from urllib.parse import parse_qs

import simplejson
from swift.common.concurrency import sleep
from swift.common.swob import HeaderKeyDict, Request, Response, str_to_wsgi, wsgi_to_str

REMEMBERED = ("content-type", "x-object-sysmeta-", "x-delete-at")


@dataclass
class Container:
    headers: dict[str, str]
    objects: dict[str, tuple[int, HeaderKeyDict, bytes]] = field(default_factory=dict)


class Body:
    def __init__(self, swift: FakeSwift, data: bytes) -> None:
        self._swift, self._pieces, self._over = swift, iter([data]), False
        swift.open += 1

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            self.close()
            raise

    def close(self) -> None:
        if not self._over:
            self._over = True
            self._swift.open -= 1


class FakeSwift:
    """The application at the end of a pipeline."""

    def __init__(self, seed: int = 0) -> None:
        self.containers: dict[str, Container] = {}
        self.open = 0
        self.now = time.time
        self.requests: list[tuple[str, str]] = []
        self.refuse: Callable[[str, str], int | None] = lambda method, path: None
        self._stamps = count(1)
        self._random = Random(seed)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        path = wsgi_to_str(request.path_info)
        _, version, _, container, name = [*path.split("/", 4), "", ""][:5]
        assert version == "v1", path
        self.requests.append((request.method, path))
        refusal = self._authorize(request, container, name)
        if refusal is not None:
            return refusal(environ, start_response)
        if (status := self.refuse(request.method, path)) is not None:
            return Response(status=status, body=b"refused")(environ, start_response)
        status, headers, body = self._answer(request, container, name)
        response = Response(status=status, headers=headers, app_iter=Body(self, body))
        response.content_length = len(body)
        return response(environ, start_response)

    def names(self, container: str) -> list[str]:
        """What is in a container, expired or not."""
        return sorted(self.containers[container].objects)

    def _authorize(self, request: Any, container: str, name: str) -> Any:
        found = self.containers.get(container)
        right = "X-Container-Read" if request.method in ("GET", "HEAD") else "X-Container-Write"
        if found is not None and (name or right == "X-Container-Read"):
            request.acl = found.headers.get(right)
        authorize = request.environ.get("swift.authorize")
        return authorize(request) if authorize else None

    def _answer(self, request: Any, container: str, name: str) -> tuple[int, dict[str, str], bytes]:
        self._pause()
        if not container:
            return self._account(request)
        if not name:
            return self._container(request, container)
        if container not in self.containers:
            return 404, {}, b""
        if request.method == "PUT":
            return self._put(request, self.containers[container].objects, name)
        return self._object(request, self.containers[container].objects, name)

    def _account(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        entries = [{"name": name, "count": len(found.objects)} for name, found in sorted(self.containers.items())]
        return self._listed(request, entries)

    def _container(self, request: Any, name: str) -> tuple[int, dict[str, str], bytes]:
        found = self.containers.get(name)
        if request.method == "PUT":
            kept = {key: value for key, value in request.headers.items() if key.lower().startswith("x-container-")}
            self.containers.setdefault(name, Container({})).headers.update(kept)
            return (201 if found is None else 202), {}, b""
        if found is None:
            return 404, {}, b""
        if request.method == "DELETE":
            if found.objects:
                return 409, {}, b"There was a conflict"
            del self.containers[name]
            return 204, {}, b""
        if request.method == "HEAD":
            return 204, dict(found.headers), b""
        return self._listed(request, [{"name": name} for name in sorted(found.objects)])

    def _listed(self, request: Any, entries: list[dict[str, Any]]) -> tuple[int, dict[str, str], bytes]:
        query = {key: values[0] for key, values in parse_qs(request.query_string).items()}
        marker, end, prefix = query.get("marker", ""), query.get("end_marker"), query.get("prefix", "")
        entries = [entry for entry in entries if entry["name"] > marker and entry["name"].startswith(prefix)]
        entries = [entry for entry in entries if end is None or entry["name"] < end]
        return 200, {}, simplejson.dumps(entries[: int(query.get("limit", 10000))]).encode()

    def _put(self, request: Any, objects: dict[str, Any], name: str) -> tuple[int, dict[str, str], bytes]:
        stamp, body = next(self._stamps), request.body_file.read()
        headers = HeaderKeyDict({key: value for key, value in request.headers.items() if key.lower().startswith(REMEMBERED)})
        if "X-Delete-After" in request.headers:
            headers["X-Delete-At"] = str(int(self.now() + int(request.headers["X-Delete-After"])))
        if "X-Delete-At" in headers and int(headers["X-Delete-At"]) < self.now():
            return 400, {}, b"X-Delete-At in past"
        if request.headers.get("If-None-Match") == "*" and self._living(objects, name):
            return 412, {}, b""
        self._pause()
        if name in objects and objects[name][0] > stamp:
            return 202, {}, b""
        objects[name] = (stamp, headers, body)
        self._pause()
        return 201, {}, b""

    def _object(self, request: Any, objects: dict[str, Any], name: str) -> tuple[int, dict[str, str], bytes]:
        found = self._living(objects, name)
        if request.method == "DELETE":
            objects.pop(name, None)
            return (204 if found else 404), {}, b""
        if found is None:
            return 404, {}, b""
        assert request.method == "GET", request.method
        self._pause()
        return 200, dict(found[1]), found[2]

    def _living(self, objects: dict[str, Any], name: str) -> Any:
        found = objects.get(name)
        if found is None or int(found[1].get("X-Delete-At", 1 << 40)) <= self.now():
            return None
        return found

    def _pause(self) -> None:
        for _ in range(self._random.randrange(4)):
            sleep(0)


def wsgi_path(path: str) -> str:
    """A native path as WSGI has it."""
    return str(str_to_wsgi(path))
