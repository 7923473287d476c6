"""The one module that touches names of Swift that it does not promise to keep. Tested with Swift 2.38.

Everything else in ZeroCloud uses what third-party middleware may rely on: paste filters, swob, subrequests, rings, policies,
account, container and object infos. After an upgrade of Swift, the tests of this module say what has to change here.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from swift.common.bufferedhttp import http_connect
from swift.common.concurrency import sleep
from swift.common.exceptions import DiskFileDeviceUnavailable, DiskFileNotExist, DiskFileQuarantined
from swift.common.request_helpers import get_name_and_placement
from swift.common.swob import Request
from swift.common.utils import Timestamp, hash_path, storage_directory
from swift.container.backend import DATADIR, ContainerBroker
from swift.obj.diskfile import DiskFileRouter, get_tmp_dir

# --- storage servers: where a request belongs, and the files behind objects and containers ---------------------------------


@dataclass(frozen=True)
class Placement:
    """The device, partition, name and storage policy of a request to a storage server, as native strings."""

    device: str
    partition: str
    account: str
    container: str
    object: str
    policy: Any

    @property
    def path(self) -> str:
        """``/account[/container[/object]]``, unquoted."""
        return "/" + "/".join(part for part in (self.account, self.container, self.object) if part)

    @property
    def temporary_folder(self) -> str:
        """The folder for temporary files, relative to the device."""
        folder: str = get_tmp_dir(self.policy)
        return folder


def placement(request: Request) -> Placement:
    """Where a request ``/device/partition/account[/container[/object]]`` belongs. Raises swob's HTTPException."""
    device, partition, account, container, name, policy = get_name_and_placement(request, 3, 5, True)
    return Placement(device, partition, account, container or "", name or "", policy)


class LocalMissing(Exception):
    """The object or container is not on this server, or was deleted here."""


class LocalDeviceUnavailable(Exception):
    """The device is not mounted."""


@dataclass(frozen=True)
class LocalObject:
    """An object's data file, open for reading, and its metadata (names and values are WSGI strings)."""

    file: io.FileIO
    size: int
    metadata: Mapping[str, str]


class LocalObjects:
    """The objects of this server's devices, whatever their storage policy's kind."""

    def __init__(self, conf: Mapping[str, str], logger: Any) -> None:
        self._router = DiskFileRouter(conf, logger)

    def open(self, place: Placement) -> LocalObject:
        """Open the version of the object that is current now; it stays readable when it is overwritten or deleted.

        Raises LocalMissing, LocalDeviceUnavailable.
        """
        try:
            disk_file = self._router[place.policy].get_diskfile(
                place.device, place.partition, place.account, place.container, place.object, policy=place.policy
            )
            with disk_file.open():
                descriptor = os.dup(disk_file._fp.fileno())
                file = io.FileIO(descriptor, "r")
                return LocalObject(file, disk_file.content_length, disk_file.get_metadata())
        except (DiskFileNotExist, DiskFileQuarantined):
            raise LocalMissing(place.path) from None
        except DiskFileDeviceUnavailable:
            raise LocalDeviceUnavailable(place.device) from None


@dataclass(frozen=True)
class LocalContainer:
    """A container's database file, up to date, and whether its listing lives in shards elsewhere."""

    path: str
    sharded: bool


def local_container(devices: str, place: Placement, logger: Any) -> LocalContainer:
    """The database of the container, with its pending updates merged in. Raises LocalMissing."""
    name = hash_path(place.account, place.container)
    folder = storage_directory(DATADIR, place.partition, name)
    path = os.path.join(devices, place.device, folder, name + ".db")
    with ContainerBroker(path, account=place.account, container=place.container, logger=logger) as broker:
        if broker.is_deleted():
            raise LocalMissing(place.path)
        return LocalContainer(broker.db_file, broker.get_db_state() in ("sharding", "sharded"))


def make_container_database(path: str, account: str, container: str, objects: Iterable[tuple[str, float, int, str]]) -> None:
    """A container's database as Swift would keep it, of ``objects``: name, Unix time, bytes, content type."""
    names = ("name", "created_at", "size", "content_type")
    broker = ContainerBroker(path, account=account, container=container)
    broker.initialize(Timestamp.now().internal, 0)
    rows = (dict(zip(names, (name, Timestamp(when).internal, *rest), strict=True)) for name, when, *rest in objects)
    broker.merge_items([{**row, "etag": "", "deleted": 0, "storage_policy_index": 0} for row in rows])


# --- proxy server: error limiting, connections to storage servers, the client's socket --------------------------------------


class ErrorLimits(Protocol):
    """What a proxy process remembers of storage servers that failed. Devices are those of a ring, as mappings."""

    def limited(self, device: Mapping[str, Any]) -> bool:
        """Whether the device is to be avoided at the moment."""

    def failed(self, device: Mapping[str, Any], reason: str) -> None:
        """Count one failure of the device."""

    def full(self, device: Mapping[str, Any], reason: str) -> None:
        """Avoid the device from now on for a while: it has no room, or no disk."""


@dataclass(frozen=True)
class ProxyErrorLimits:
    """The proxy application's own error limits, shared with Swift's GETs and PUTs."""

    application: Any

    def limited(self, device: Mapping[str, Any]) -> bool:
        """Whether Swift avoids the device at the moment."""
        return bool(self.application.error_limited(device))

    def failed(self, device: Mapping[str, Any], reason: str) -> None:
        """Count and log one failure of the device."""
        self.application.error_occurred(device, reason)

    def full(self, device: Mapping[str, Any], reason: str) -> None:
        """Make Swift avoid the device for a while."""
        self.application.error_limit(device, reason)


class NoErrorLimits:
    """For a pipeline that does not end in Swift's proxy application."""

    def limited(self, device: Mapping[str, Any]) -> bool:
        """Never."""
        return False

    def failed(self, device: Mapping[str, Any], reason: str) -> None:
        """Forget it."""

    def full(self, device: Mapping[str, Any], reason: str) -> None:
        """Forget it."""


def error_limits(paste_filter: Any) -> ErrorLimits:
    """The error limits of the proxy application at the end of the filter's pipeline. Not known before the first request."""
    application = getattr(paste_filter, "_pipeline_final_app", None)
    return ProxyErrorLimits(application) if hasattr(application, "error_limited") else NoErrorLimits()


_CONTINUE = b"HTTP/1.1 100 "
_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 8192
_LOOK_AGAIN = 0.001

_KEEPALIVE = (  # a machine that vanishes while a program runs on it is noticed within half a minute
    ((socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 10),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL), 5),
    ((socket.IPPROTO_TCP, socket.TCP_KEEPCNT), 4),
)


class StorageConnection:
    """One POST to a storage server, in the steps that a body after ``100 Continue`` needs.

    Every step blocks only its green thread; time limits are the caller's. ``close`` may come at any time, more than once.
    """

    def __init__(self, device: Mapping[str, Any], partition: int, path: str, headers: Mapping[str, str]) -> None:
        """Connect, and send the head of ``POST /device/partition/path``; ``path`` is unquoted. Raises OSError."""
        self._connection = http_connect(device["ip"], device["port"], device["device"], partition, "POST", path, headers)
        self._socket = self._connection.sock
        self._response: Any = None
        for option, value in _KEEPALIVE:
            self._socket.setsockopt(*option, value)

    def interim(self) -> tuple[int, dict[str, str]]:
        """Wait for ``100 Continue``, or for the answer that comes in its place: status and headers, names in lower case."""
        head = self._continue()
        if not head:
            return self.final()
        lines = (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)
        return 100, {name.decode("latin-1").lower(): value.decode("latin-1").strip() for name, _, value in lines}

    def sign_of_life(self) -> bool:
        """Wait for one more ``100 Continue``, and take it; False if the answer comes instead, which is left for ``final``."""
        return bool(self._continue())

    def send(self, data: bytes) -> None:
        """Send a piece of the body, as a chunk of its own."""
        self._connection.send(b"%x\r\n%b\r\n" % (len(data), data))

    def finish(self) -> None:
        """Say that the body has been sent."""
        self._connection.send(b"0\r\n\r\n")

    def final(self) -> tuple[int, dict[str, str]]:
        """Wait for the answer: its status and headers, names in lower case."""
        self._response = self._connection.getresponse()
        return self._head()

    def read(self, amount: int) -> bytes:
        """At most ``amount`` bytes of the answer's body, none at its end. Raises ConnectionError if it is cut short."""
        data: bytes = self._response.read(amount)
        if not data and amount and self._response.length:
            raise ConnectionResetError(f"the answer ended {self._response.length} bytes early")
        return data

    def close(self) -> None:
        """Cut the connection now, whatever is under way on it and whoever still holds a file on its socket."""
        self._connection.close()
        self._socket.fd._real_close()

    def _continue(self) -> bytes:
        """Wait for what comes next: the whole head, taken, of a ``100 Continue``; nothing if it is something else."""
        seen = self._peek()
        while _CONTINUE.startswith(seen[: len(_CONTINUE)]) and 0 < len(seen) < _LONGEST_HEAD and _HEAD_END not in seen:
            sleep(_LOOK_AGAIN)  # half a head: waiting for the rest would take this
            seen = self._peek()
        if not seen.startswith(_CONTINUE) or _HEAD_END not in seen:
            return b""
        head: bytes = self._socket.recv(seen.index(_HEAD_END) + len(_HEAD_END))
        return head

    def _peek(self) -> bytes:
        data: bytes = self._socket.recv(_LONGEST_HEAD, socket.MSG_PEEK)
        return data

    def _head(self) -> tuple[int, dict[str, str]]:
        return self._response.status, {name.lower(): value for name, value in self._response.getheaders()}


def client_socket(environ: Mapping[str, Any]) -> Any:
    """The socket that the request came in on, or None where there is none behind the environment."""
    source: Any = environ.get("wsgi.input")
    while hasattr(source, "wsgi_input"):  # filters to the left wrap it, to count its bytes
        source = source.wsgi_input
    return source.get_socket() if hasattr(source, "get_socket") else None
