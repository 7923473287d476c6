"""What can be run: every form that a job may have, and how each is sent (HTTP API, sections 2 and 3)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import simplejson

from .errors import WorkError

JSON, SCRIPT, TAR, GZIP = "application/json", "text/x-script", "application/x-tar", "application/x-gzip"
GZIP_MAGIC, SHEBANG, TAR_MAGIC, TAR_MAGIC_AT = b"\x1f\x8b", b"#!", b"ustar", 257
ENOUGH = 512


@dataclass(frozen=True)
class Source:
    """A job that is stored: the URL ``swift://account/container/object`` of a map, zapp or script, and what its nodes read.

    ``payload`` is what devices without a path get: bytes, or a file.
    """

    url: str
    payload: bytes | BinaryIO = b""


Work = str | bytes | Sequence[Mapping[str, Any]] | os.PathLike[str] | Source
"""A job: a system map as a list or as text, a script (text that begins with ``#!``), the path of a file with either of them or
with a zapp, or something stored."""


@dataclass(frozen=True)
class Prepared:
    """A job as it is sent. A body that is a file is sent piece by piece."""

    headers: Mapping[str, str]
    body: bytes | BinaryIO


@contextmanager
def prepared(work: Work) -> Iterator[Prepared]:
    """The job as a request's headers and body, whose file is open meanwhile. Raises WorkError."""
    if isinstance(work, Source):
        headers = {"X-Zerovm-Source": quote(work.url, safe="/:~"), "Content-Type": "application/octet-stream"}
        yield Prepared(headers, work.payload)
    elif isinstance(work, (str, bytes)):
        body = work.encode() if isinstance(work, str) else work
        yield Prepared({"Content-Type": _kind(body[:ENOUGH], "The job")}, body)
    elif isinstance(work, os.PathLike):
        with _opened(Path(work)) as file:
            kind = _kind(file.read(ENOUGH), str(work))
            file.seek(0)
            yield Prepared({"Content-Type": kind}, file)
    else:
        yield Prepared({"Content-Type": JSON}, _dumped(work))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise WorkError(f"{path} can't be read: {error.strerror}") from error


def _dumped(work: Sequence[Mapping[str, Any]]) -> bytes:
    try:
        return bytes(simplejson.dumps(work).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise WorkError(f"The system map is no JSON: {error}") from error


def _kind(beginning: bytes, name: str) -> str:
    """The content type, by how the job begins. Raises WorkError."""
    if beginning.startswith(GZIP_MAGIC):
        return GZIP
    if beginning.startswith(SHEBANG):
        return SCRIPT
    if beginning[TAR_MAGIC_AT:].startswith(TAR_MAGIC):
        return TAR
    if beginning.lstrip()[:1] in (b"[", b"{"):
        return JSON
    raise WorkError(f"{name} is neither a system map, nor a script that begins with #!, nor a zapp")
