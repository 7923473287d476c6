"""The files of the page, ready to be served or stored."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import simplejson

from zerocloud.sysmap import json_schema

from .settings import Settings

INDEX = "index.html"
SCHEMA = "system-map.schema.json"
TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
# Where index.html has these words, the settings go.
_AUTH_URL, _CONNECT, _EXECUTION = b"%auth_url%", b"%connect%", b"%execution%"


@dataclass(frozen=True)
class File:
    """One file: its name relative to the page, with slashes; its content and media type; the MD5 that Swift calls its ETag."""

    name: str
    content: bytes
    media_type: str
    etag: str


def page(settings: Settings) -> Iterator[File]:
    """All files of the page, ``index.html`` last: whoever finds it finds what it needs."""
    found = sorted(_walk(files(__package__) / "static", ""), key=lambda pair: (pair[0] == INDEX, pair[0]))
    yield _file(SCHEMA, simplejson.dumps(json_schema()).encode())
    for name, path in found:
        content = path.read_bytes()
        yield _file(name, _filled(content, settings) if name == INDEX else content)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _walk(path, f"{prefix}{path.name}/")
        elif path.name.rpartition(".")[2] in TYPES:
            yield prefix + path.name, path


def _filled(index: bytes, settings: Settings) -> bytes:
    auth_url = html.escape(settings.auth_url).encode()
    execution = b"yes" if settings.execution else b"no"
    filled = index.replace(_AUTH_URL, auth_url).replace(_EXECUTION, execution)
    return filled.replace(_CONNECT, " ".join(settings.connect).encode())


def _file(name: str, content: bytes) -> File:
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return File(name, content, TYPES[name.rpartition(".")[2]], etag)
