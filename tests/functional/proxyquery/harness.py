"""A small world around the proxy filter: a pipeline that counts what is left open, and storage servers that do as told.

Everything runs in green threads of the test's own process.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from greenlet import GreenletExit
from swift.common import utils
from swift.common.concurrency import GreenPool, listen, sleep, spawn, wsgi
from swift.common.constraints import check_utf8
from swift.common.ring import RingBuilder
from swift.common.storage_policy import POLICIES
from swift.common.swob import Request, Response, wsgi_to_str

from zerocloud import wire
from zerocloud.objectquery.pulse import signs_of_life
from zerocloud.proxyquery import filter_factory

ACCOUNT = "AUTH_test"


class Body:
    """A response's body that remembers whether it was closed."""

    def __init__(self, data: bytes, opened: list[Body], name: str, pace: Callable[[], None] = lambda: None) -> None:
        self._pieces = iter([data[at : at + 1000] for at in range(0, len(data), 1000)])
        self._opened = opened
        self._pace = pace
        self.name = name
        opened.append(self)

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        self._pace()
        return next(self._pieces)

    def close(self) -> None:
        if self in self._opened:
            self._opened.remove(self)


class Pipeline:
    """What stands right of the filter: accounts, containers and objects in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.containers: dict[str, dict[str, str]] = {f"{ACCOUNT}/c": {}}
        self.requests: list[tuple[str, str]] = []
        self.newest: list[str] = []
        self.ranges: list[tuple[str, str]] = []
        self.listed: dict[str, int] = {}
        self.open: list[Body] = []
        self.refuse: dict[str, int] = {}
        self.cut: set[str] = set()
        self.unsized: set[str] = set()
        self.stored: dict[str, float] = {}
        self.full: set[str] = set()
        self.pace: Callable[[], None] = lambda: None
        self.ended = False

    def put(self, path: str, data: bytes, **headers: str) -> None:
        self.objects[f"{ACCOUNT}/{path}"] = (data, headers)

    def count(self, method: str, path: str) -> int:
        return self.requests.count((method, f"{ACCOUNT}/{path}"))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self.ended:
            raise GreenletExit
        request = Request(environ)
        if not check_utf8(wsgi_to_str(request.path_info), internal=True):  # as Swift does
            return Response(status=412, request=request)(environ, start_response)
        path = request.path_info.encode("latin-1").decode().removeprefix("/v1/")
        self.requests.append((request.method, path))
        if request.headers.get("X-Newest") == "true":
            self.newest.append(path)
        denied = self._authorize(environ, request, path)
        response = denied or self._answer(request, path)
        return response(environ, start_response)

    def _authorize(self, environ: dict[str, Any], request: Any, path: str) -> Any:
        if "swift.authorize" not in environ or path.count("/") < 1:
            return None
        container = "/".join(path.split("/")[:2])
        kind = "X-Container-Read" if request.method in ("GET", "HEAD") else "X-Container-Write"
        request.acl = self.containers.get(container, {}).get(kind)
        return environ["swift.authorize"](request)

    def _answer(self, request: Any, path: str) -> Any:
        if path in self.refuse:
            return Response(status=self.refuse[path], request=request)
        if "/" not in path and request.method == "HEAD":
            return Response(status=204, request=request)
        if path.count("/") == 1 and request.method == "HEAD":
            found = path in self.containers
            return Response(status=204 if found else 404, headers=self.containers.get(path, {}), request=request)
        if path.count("/") == 1 and request.method == "PUT":
            self.containers[path] = {}
            return Response(status=201, request=request)
        if path.count("/") == 1:
            return self._listing(request, path)
        if request.method == "DELETE":
            return self._delete(request, path)
        if request.method == "PUT" and path.startswith(tuple(self.full)):
            return Response(status=413, request=request)
        if request.method == "PUT" and "/".join(path.split("/")[:2]) not in self.containers:
            return Response(status=404, request=request)  # as Swift does, before it reads anything
        if request.method == "PUT":
            data = b"".join(iter(lambda: request.environ["wsgi.input"].read(1000), b""))
            if len(data) != int(request.environ["CONTENT_LENGTH"]):
                return Response(status=499, request=request)
            self.objects[path] = (data, dict(request.headers))
            self.stored[path] = time.time()
            return Response(status=201, request=request)
        if path not in self.objects:
            return Response(status=404, request=request)
        data, headers = self.objects[path]
        status, wanted = 200, data
        if request.range:
            self.ranges.append((path, request.headers["Range"].removeprefix("bytes=")))
            status, wanted, headers = self.answer_range(request, data, headers)
        whole = wanted[: len(wanted) // 2] if path in self.cut else wanted
        response = Response(status=status, headers=headers, request=request)
        if "X-Timestamp" in headers:  # a whole object, as Swift tells of it
            response.etag, response.conditional_response = hashlib.md5(data).hexdigest(), True
        response.app_iter = Body(whole, self.open, path, self.pace)
        response.last_modified = self.stored.get(path, 0)
        if path not in self.unsized:  # as Swift's are, of a dynamic large object of many segments
            response.content_length = len(wanted)
        return response

    def _delete(self, request: Any, path: str) -> Any:
        """As Swift does: what has a later time than the DELETE stays."""
        if path not in self.objects:
            return Response(status=404, request=request)
        if self.objects[path][1].get("X-Timestamp", "") >= request.headers.get("X-Timestamp", "~"):
            return Response(status=409, request=request)
        del self.objects[path]
        return Response(status=204, request=request)

    def answer_range(self, request: Any, data: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        etag = hashlib.md5(data).hexdigest()
        if request.headers.get("If-Match", etag) != etag:
            return 412, b"", headers
        if not (ranges := request.range.ranges_for_length(len(data))):
            return 416, b"", headers
        ((start, end),) = ranges
        return 206, data[start:end], {**headers, "Etag": etag, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}

    def _listing(self, request: Any, path: str) -> Any:
        if path not in self.containers:
            return Response(status=404, request=request)
        query = parse_qs(request.query_string)
        prefix, marker, limit, reverse = (
            query.get(key, [default])[0] for key, default in (("prefix", ""), ("marker", ""), ("limit", "9"), ("reverse", ""))
        )
        names = [name.removeprefix(f"{path}/") for name in self.objects if name.startswith(f"{path}/{prefix}")]
        names.sort(reverse=bool(reverse))
        sizes = {name: len(self.objects[f"{path}/{name}"][0]) for name in names}
        sizes |= {name: self.listed[f"c/{name}"] for name in names if f"c/{name}" in self.listed}
        entries = [
            {"name": name, "bytes": sizes[name], **self._told(f"{path}/{name}")}
            for name in names
            if not marker or (name < marker if reverse else name > marker)
        ]
        return Response(status=200, body=json.dumps(entries[: int(limit)]).encode(), request=request)

    def _told(self, path: str) -> dict[str, str]:
        when = datetime.fromtimestamp(self.stored.get(path, 0), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return {"content_type": self.objects[path][1].get("Content-Type", ""), "last_modified": when}


@dataclass
class Job:
    """One session as a storage server gets it."""

    path: str
    headers: dict[str, str]
    members: dict[str, bytes]

    @property
    def node(self) -> dict[str, Any]:
        return json.loads(self.members[wire.SYSMAP_MEMBER])


@dataclass
class Answer:
    """What a storage server answers: outputs by device, with pax headers, and the report."""

    outputs: dict[str, bytes] = field(default_factory=dict)
    records: dict[str, dict[str, str]] = field(default_factory=dict)
    status: str = "ok"
    retcode: int = 0
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        stream = io.BytesIO()
        for device, data in self.outputs.items():
            member = tarfile.TarInfo(device)
            member.size = len(data)
            member.pax_headers = {"X-Zerovm-Device": device, "Content-Type": "text/plain", **self.records.get(device, {})}
            stream.write(member.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % 512))
        return stream.getvalue()


Behaviour = Callable[[Job], Answer | Response]


class Server:
    """A storage server. ``before`` may answer instead of 100 Continue, ``take`` reads a body, ``run`` answers a session.

    With a ``pulse`` it announces a sign of life every so many seconds, and sends them unless it ``hangs``.
    """

    def __init__(self, address: str) -> None:
        self.socket = listen((address, 0))
        self.address, self.port = self.socket.getsockname()[:2]
        self.jobs: list[Job] = []
        self.programs: set[str] = set()
        self.images: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.gone = 0
        self.before: Callable[[dict[str, str]], Any] = lambda headers: None
        self.pulse = 0.0
        self.hangs = False
        self.take: Callable[[Any], bytes] = lambda stream: stream.read()
        self.run: Behaviour = lambda job: Answer({"stdout": b""} if _writes(job, "stdout") else {})
        self.connections: Any = GreenPool()
        self.thread = spawn(
            wsgi.server,
            self.socket,
            self._serve,
            log=utils.NullLogger(),
            custom_pool=self.connections,
            capitalize_response_headers=False,
            debug=False,
        )

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        headers = dict(request.headers)
        self.asked.append(headers)
        refusal = self.before(headers)
        if refusal is not None:
            return refusal(environ, start_response)
        known = ((wire.PROGRAM, self.programs), (wire.IMAGE, self.images))
        here = [(name, headers[name]) for name, names in known if headers.get(name) in names]
        if self.pulse:
            here.append((wire.PULSE, str(self.pulse)))
        if here:
            environ["wsgi.input"].set_hundred_continue_response_headers(here)
        job = Job(unquote(request.path), headers, _unpack(self.take(environ["wsgi.input"])))
        self.jobs.append(job)
        with signs_of_life({**environ, "HTTP_EXPECT": "100-continue"}, 0 if self.hangs else self.pulse):
            answer = self.run(job)
        if isinstance(answer, Answer):
            response = Response(status=200, body=answer.body(), content_type="application/x-gtar", request=request)
            for name, value in (
                (wire.STATUS, answer.status),
                (wire.RETCODE, str(answer.retcode)),
                (wire.ETAG, "disabled"),
                (wire.VALIDATION, "0"),
                (wire.CDR, "0.010, 0.01 0.00 1 2 3 4 5 6 7 8"),
                (wire.POLICY, "gold"),
                *([(wire.ERROR, answer.error)] if answer.error else []),
                *answer.headers.items(),
            ):
                response.headers[name] = value
            answer = response
        return answer(environ, start_response)

    def die(self) -> None:
        """Its connections break and nobody listens any more."""
        self.thread.kill()
        self.socket.close()
        for one in list(self.connections.coroutines_running):
            one.kill()


def _writes(job: Job, device: str) -> bool:
    return any(channel["device"] == device for channel in job.node["channels"])


def _unpack(data: bytes) -> dict[str, bytes]:
    members = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|") as archive:
        for member in archive:
            members[member.name] = archive.extractfile(member).read()
    return members


def refusal(status: int, text: str = "", **headers: str) -> Callable[[dict[str, str]], Any]:
    """An answer instead of 100 Continue."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(status=status, body=text.encode(), headers=named)


def text(response: Response) -> str:
    """The body as a text."""
    return response.body.decode()


class World:
    """The filter with everything around it; ``elsewhere`` is another proxy of the same cluster."""

    def __init__(self, directory: Path, servers: int = 4, **options: str) -> None:
        self.pipeline = Pipeline()
        self.servers = [Server(f"127.0.0.{number}") for number in range(1, servers + 1)]
        swift_dir(directory, self.servers)
        settings = {
            "swift_dir": str(directory),
            "log_custom_handlers": "zerocloud.zebra.serverlog.replace_syslog",
            "conn_timeout": "2",
            "node_timeout": "1",
            "zerovm_admission_timeout": "2",
            "zerovm_spool_directory": str(directory),
            **options,
        }
        self.filter = filter_factory(settings)(self.pipeline)
        self.elsewhere = filter_factory(settings)(self.pipeline)
        self.directory = directory

    def post(self, *groups: dict[str, Any], authorize: Any = None, body: bytes | None = None, **headers: str) -> Response:
        """POST a job; its response, whose body has been read and closed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = json.dumps(list(groups)).encode() if body is None else body
        request = Request.blank(
            f"/v1/{ACCOUNT}",
            method="POST",
            headers={"X-Zerovm-Execute": "1.0", "Content-Type": "application/json", **named},
            body=sent,
        )
        if authorize is not None:
            request.environ["swift.authorize"] = authorize
        response = request.get_response(self.filter)
        response.body  # noqa: B018 - reads and closes it
        return response

    def holders(self, path: str) -> set[str]:
        """The addresses of the servers that have an object."""
        _, devices = POLICIES.get_object_ring(0, str(self.directory)).get_nodes(ACCOUNT, *path.split("/", 1))
        return {device["ip"] for device in devices}

    def away_from(self, path: str) -> str:
        """The path of an object on none of the servers that have another one. There must be six servers or more."""
        names = (f"c/away-{number}" for number in range(1000))
        return next(name for name in names if not self.holders(name) & self.holders(path))

    def jobs(self) -> list[Job]:
        """All sessions that were sent, in the order of their nodes."""
        return sorted((job for server in self.servers for job in server.jobs), key=lambda job: job.node["id"])

    def asked(self) -> int:
        return sum(len(server.asked) for server in self.servers)

    def every(self, **changes: Any) -> None:
        """Set something on every server."""
        for server in self.servers:
            for name, value in changes.items():
                setattr(server, name, value)

    def settle(self) -> None:
        """Let other green threads come to their end."""
        for _ in range(20):
            sleep(0)

    def close(self) -> None:
        """Nothing of it goes on: what runs as long as a process of Swift's does would meet the next test's rings."""
        self.pipeline.ended = True
        for server in self.servers:
            server.die()


def swift_dir(directory: Path, servers: list[Server]) -> None:
    """Rings and swift.conf for these servers."""
    (directory / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = test\n[storage-policy:0]\nname = gold\ndefault = yes\n"
    )
    for name in ("account", "container", "object"):
        builder = RingBuilder(4, 3, 1)
        for number, server in enumerate(servers):
            device = {"region": 1, "zone": number, "ip": server.address, "port": server.port, "device": "d1", "weight": 1.0}
            builder.add_dev({**device, "replication_ip": server.address, "replication_port": server.port, "meta": ""})
        builder.rebalance()
        builder.get_ring().save(str(directory / f"{name}.ring.gz"))
    utils.set_swift_dir(str(directory))
    for policy in POLICIES:
        policy.object_ring = None


@contextmanager
def world(directory: Path, **options: Any) -> Iterator[World]:
    """A world, and afterwards nothing of it."""
    one = World(directory, **options)
    try:
        yield one
    finally:
        one.close()


def program(world: World, name: str = "exe", data: bytes = b"\0asm") -> str:
    """Store an executable; its URL."""
    world.pipeline.put(f"c/{name}", data)
    return f"swift://~/c/{name}"


def node(world: World, *devices: dict[str, Any], name: str = "n", **keys: Any) -> dict[str, Any]:
    """A group of a map."""
    return {"name": name, "exec": {"path": program(world)}, "devices": list(devices), **keys}


def device(name: str, path: str | None = None, **keys: Any) -> dict[str, Any]:
    """A device of a map; paths are in the account."""
    return {"name": name, **({"path": f"swift://~/{path}"} if path else {}), **keys}
