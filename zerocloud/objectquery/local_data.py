"""The object or container that a session is placed at, as it lies on this server (executing server, sections 3 and 6)."""

from __future__ import annotations

import io
import os
import sqlite3
import urllib.parse
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from swift.common.concurrency import tpool
from swift.common.constraints import check_drive
from swift.common.storage_policy import REPL_POLICY

from zerocloud import wire
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.settings import Settings
from zerocloud.objectquery.workspace import Workspace
from zerocloud.swiftadapter import LocalDeviceUnavailable, LocalMissing, LocalObjects, Placement, local_container

_BUSY_SECONDS = 25
_SYMLINK = "X-Object-Sysmeta-Symlink-Target"
_ENCRYPTED = "X-Object-Sysmeta-Crypto-Body-Meta"
_NOT_LOCAL = {
    wire.LARGE_OBJECT: "a static large object: its bytes are in its segments",
    wire.DYNAMIC_LARGE_OBJECT: "a dynamic large object: its bytes are in its segments",
    wire.SYMLINK: "a symbolic link: its bytes are in its target",
    wire.ERASURE_CODED: "erasure-coded: no server has its bytes as they are",
    wire.ENCRYPTED: "encrypted: its bytes here are not those that its user sees",
    wire.SHARDED: "sharded: its listing is in other containers, so that it can't be read as a file",
}


@dataclass(frozen=True)
class LocalData:
    """What is here: an open object with its metadata, a container to be copied later, or nothing but the device."""

    place: Placement
    file: io.FileIO | None = None
    size: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    database: str | None = None

    def snapshot(self, workspace: Workspace) -> io.FileIO:
        """A copy of the container's database as it is at one moment, without a name. Doesn't block the server."""
        assert self.database is not None
        with workspace.named_file() as (file, path):
            tpool.execute(_back_up, self.database, path)
            return file


class Store(Protocol):
    """Where what sessions are placed at is opened."""

    def open(self, place: Placement, access: str, stack: ExitStack) -> LocalData:
        """What a session with this access works on; ``stack`` closes it. Raises :class:`Refusal`."""

    def neighbour(self, place: Placement, url: str, partition: int, stack: ExitStack) -> LocalData:
        """Another object that lies beside it; ``stack`` closes it. Raises :class:`Refusal`."""


class LocalStore:
    """This server's devices."""

    def __init__(self, conf: Mapping[str, str], settings: Settings, logger: Any) -> None:
        self._settings = settings
        self._logger = logger
        self._objects = LocalObjects(conf, logger)

    def open(self, place: Placement, access: str, stack: ExitStack) -> LocalData:
        """What a session with this access works on; ``stack`` closes it.

        Raises :class:`Refusal`: 507 for a device that is not there, 404 for what is not on it, 405 for a container that is
        not read, 409 for what can't be used as it lies here (:data:`zerocloud.wire.NOT_LOCAL` says why), 413 for a database
        larger than ``max_input``.
        """
        self._check_device(place.device)
        if place.object:
            return self._open_object(place, stack) if access == "GET" else LocalData(place)
        if place.container:
            return self._find_container(place, access)
        return LocalData(place)

    def neighbour(self, place: Placement, url: str, partition: int, stack: ExitStack) -> LocalData:
        """Another object on the device of ``place``, and in its storage policy; ``stack`` closes it.

        Raises :class:`Refusal`: 409 for what is not on the device, or can't be used as it lies there.
        """
        account, container, name = object_names(url)
        other = replace(place, partition=str(partition), account=account, container=container, object=name)
        try:
            return self._open_object(other, stack)
        except Refusal as refusal:
            if refusal.status != 404:
                raise
            raise Refusal(409, str(refusal), {wire.NOT_LOCAL: wire.MISSING}) from None

    def _check_device(self, device: str) -> None:
        try:
            check_drive(self._settings.devices, device, self._settings.mount_check)
        except ValueError:
            raise Refusal(507, f"Device {device} is not available") from None

    def _open_object(self, place: Placement, stack: ExitStack) -> LocalData:
        if place.policy.policy_type != REPL_POLICY:
            raise _not_local(place, wire.ERASURE_CODED)
        try:
            found = self._objects.open(place)
        except LocalMissing:
            raise Refusal(404, f"Object {place.path} is not on this server") from None
        except LocalDeviceUnavailable:
            raise Refusal(507, f"Device {place.device} is not available") from None
        stack.enter_context(found.file)
        if (kind := indirection(found.metadata)) is not None:
            raise _not_local(place, kind)
        return LocalData(place, found.file, found.size, found.metadata)

    def _find_container(self, place: Placement, access: str) -> LocalData:
        if access != "GET":
            raise Refusal(405, f"'{access}' requests on containers are not supported.")
        try:
            found = local_container(self._settings.devices, place, self._logger)
        except LocalMissing:
            raise Refusal(404, f"Container {place.path} is not on this server") from None
        if found.sharded:
            raise _not_local(place, wire.SHARDED)
        if os.path.getsize(found.path) > self._settings.max_input:
            raise Refusal(413, "Data object too large")
        return LocalData(place, database=found.path)


def object_names(url: str) -> tuple[str, str, str]:
    """Account, container and object of ``swift://account/container/object``. Raises :class:`Refusal` (400)."""
    parts = url.removeprefix("swift://").split("/", 2)
    if not url.startswith("swift://") or len(parts) < 3 or not all(parts):
        raise Refusal(400, f"{url} is no object")
    return parts[0], parts[1], parts[2]


def indirection(metadata: Mapping[str, str]) -> str | None:
    """Why an object's bytes on the disk are not the object, as one of the kinds in :mod:`zerocloud.wire`; None if they are."""
    names = {name.lower(): value for name, value in metadata.items()}
    if names.get("x-static-large-object", "").lower() == "true":
        return wire.LARGE_OBJECT
    if names.get("x-object-manifest"):
        return wire.DYNAMIC_LARGE_OBJECT
    if names.get(_SYMLINK.lower()):
        return wire.SYMLINK
    if names.get(_ENCRYPTED.lower()):
        return wire.ENCRYPTED
    return None


def _not_local(place: Placement, kind: str) -> Refusal:
    return Refusal(409, f"{place.path} is {_NOT_LOCAL[kind]}", {wire.NOT_LOCAL: kind})


def _back_up(database: str, copy: str) -> None:
    with closing(_connect(database, "ro")) as source, closing(_connect(copy, "rw")) as target:
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        source.backup(target)


def _connect(path: str, mode: str) -> sqlite3.Connection:
    """A database that exists: no mode here creates one. Others may hold it for a while, as Swift's own timeout allows."""
    return sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)
