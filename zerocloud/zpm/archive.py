"""Reads a zapp that is to be deployed. It may come from anywhere: nothing of it is unpacked to a disk."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import simplejson

from .bundle import SYSTEM_MAP
from .errors import DeployError
from .zapp import ZAPP_YAML, Zapp, read_zapp

LARGEST_TEXT = 1 << 20
"""Bytes of a map or description in a zapp."""

LARGEST_PAGE = 16 << 20
"""Bytes of a file of the zapp's page."""

BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class Packed:
    """A zapp's map and description, and the names of the files of its page in the archive."""

    job_map: list[dict[str, Any]]
    zapp: Zapp
    pages: tuple[str, ...]


def inspect(path: Path) -> Packed:
    """What is in a zapp. Raises DeployError, ZappError."""
    texts: dict[str, bytes] = {}
    names = []
    with _opened(path) as archive:
        for member in archive:
            names.append(member.name)
            if member.name in (SYSTEM_MAP, ZAPP_YAML):
                texts[member.name] = _content(archive, member, LARGEST_TEXT, path)
    for wanted in (SYSTEM_MAP, ZAPP_YAML):
        if wanted not in texts:
            raise DeployError(f"{path} is no zapp: there is no {wanted} in it")
    zapp = read_zapp(texts[ZAPP_YAML].decode("utf-8", "replace"), f"{path}:{ZAPP_YAML}")
    pages = tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in zapp.ui) and _is_plain(name))
    return Packed(_map(texts[SYSTEM_MAP], path), zapp, pages)


def read_pages(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """The files of a zapp's page, one at a time. Raises DeployError."""
    with _opened(path) as archive:
        for member in archive:
            if member.name in names and member.isfile():
                yield member.name, _content(archive, member, LARGEST_PAGE, path)


@contextmanager
def uncompressed(path: Path) -> Iterator[IO[bytes]]:
    """The archive's bytes without compression, as they are read. Raises DeployError."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as opened:
            yield cast(IO[bytes], opened)
    except OSError as error:
        raise DeployError(f"{path} can't be read: {error.strerror or error}") from error
    except BROKEN as error:
        raise DeployError(f"{path} is broken: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    with uncompressed(path) as file:
        try:
            with tarfile.open(fileobj=file, mode="r|") as archive:
                yield archive
        except BROKEN as error:
            raise DeployError(f"{path} is no zapp: {error}") from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, most: int, path: Path) -> bytes:
    if member.size > most:
        raise DeployError(f"{path}: {member.name} has more than {most} bytes")
    file = archive.extractfile(member)
    return file.read() if file else b""


def _map(text: bytes, path: Path) -> list[dict[str, Any]]:
    try:
        value = simplejson.loads(text)
    except (ValueError, RecursionError) as error:
        raise DeployError(f"{path}: {SYSTEM_MAP} is no JSON: {error}") from error
    if not isinstance(value, list) or not all(isinstance(group, dict) for group in value):
        raise DeployError(f"{path}: {SYSTEM_MAP} is no system map")
    return value


def _is_plain(name: str) -> bool:
    """Whether a name stays below the place where the zapp is put, and is not one of what zpm puts there itself."""
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/") and name != SYSTEM_MAP
