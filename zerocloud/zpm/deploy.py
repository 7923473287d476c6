"""Puts a zapp into a container, with its system map and its page. Source: cli, section 1."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import simplejson

from zerocloud.client import Connection, Refused

from . import archive, pages
from .bundle import SYSTEM_MAP
from .errors import DeployError

CHUNK = 1 << 16
INDEX = "index.html"
NOT_FOUND = 404


@dataclass(frozen=True)
class Target:
    """Where a zapp goes: a container, and names in it that begin so."""

    container: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Target:
        """From ``container`` or ``container/folder``. Raises DeployError."""
        container, _, rest = text.strip("/").partition("/")
        if not container or len(container.encode()) > 256:
            raise DeployError(f"{text!r} does not begin with the name of a container")
        return cls(container, f"{rest}/" if rest else "")

    def path(self, name: str) -> str:
        """The path of an object there, quoted, below the account."""
        return quote(f"/{self.container}/{self.prefix}{name}")

    def url(self, account: str, name: str) -> str:
        """The same as a system map says it, whoever runs it."""
        return f"swift://{quote(account)}{self.path(name)}"


@dataclass(frozen=True)
class Deployed:
    """A zapp that was put into a container: its map, and the address of its page, or of its folder if it has none."""

    job_map: list[dict[str, Any]]
    url: str


def deploy(
    cloud: Connection, target: Target, path: Path, *, force: bool, credentials: Mapping[str, str], public: bool = False
) -> Deployed:
    """Put a zapp there. ``force``: even if something is there already. ``credentials`` are for the page; ``public`` lets
    everybody read the container. Raises DeployError, ZappError, ClientError."""
    packed = archive.inspect(path)
    _prepare(cloud, target, force, public)
    name = path.name
    with archive.uncompressed(path) as file:
        cloud.request("PUT", target.path(name), data=_pieces(file), headers={"Content-Type": "application/x-tar"})
    job_map = with_image(packed.job_map, target.url(cloud.login.account, name))
    _put(cloud, target, SYSTEM_MAP, simplejson.dumps(job_map, indent=2).encode(), "application/json")
    index = ""
    for page, data in archive.read_pages(path, packed.pages):
        plain = page.removesuffix(pages.SUFFIX)
        text = pages.rendered(data, packed.zapp.value, credentials) if plain != page else data
        _put(cloud, target, plain, text, mimetypes.guess_type(plain)[0] or "application/octet-stream")
        index = INDEX if plain == INDEX else index
    return Deployed(job_map, cloud.login.storage_url + target.path(index))


def with_image(job_map: list[dict[str, Any]], url: str) -> list[dict[str, Any]]:
    """The map with the zapp as every node's image."""
    image = {"name": "image", "path": url}
    return [{**group, "devices": [*(group.get("devices") or ()), image]} for group in job_map]


def stored_map(cloud: Connection, target: Target) -> bytes:
    """The system map of a zapp that is deployed there. Raises DeployError, ClientError."""
    try:
        return cloud.request("GET", target.path(SYSTEM_MAP)).content
    except Refused as error:
        if error.status == NOT_FOUND:
            raise DeployError(f"Could not find {target.container}/{target.prefix}{SYSTEM_MAP}") from error
        raise


def _prepare(cloud: Connection, target: Target, force: bool, public: bool) -> None:
    container = quote(f"/{target.container}")
    try:
        told = cloud.request("HEAD", container)
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
    else:
        if int(told.headers.get("X-Container-Object-Count", 0)) and not force:
            raise DeployError(f"The container {target.container} is not empty. Use --force to deploy into it")
    cloud.request("PUT", container, headers={"X-Container-Read": ".r:*"} if public else {})


def _put(cloud: Connection, target: Target, name: str, data: bytes, kind: str) -> None:
    cloud.request("PUT", target.path(name), data=data, headers={"Content-Type": kind})


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece
