"""An image as a file. Nothing of the machine or the hour goes in, so the same content always gives the same bytes.

Its first member, ``etc/zerocloud/image.json``, describes it: what it is, which program it is for, how a session of it is
warmed up ahead of need, and the SHA-256 of every other member.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import simplejson

DESCRIPTION = "etc/zerocloud/image.json"
FORMAT = 2
CHUNK = 1 << 20


class ImageError(Exception):
    """An image that can't be built, read or believed. The text is a sentence."""


@dataclass(frozen=True)
class File:
    """A member: where it comes from, a file or bytes at hand, and whether it is a program."""

    name: str
    content: Path | bytes
    program: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def digest(self) -> str:
        """Its SHA-256."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Warm:
    """How a guest is warmed up: ``args`` of the program, which then asks to be frozen (``zerovm.fork``).

    ``lean``: it has nothing in memory that a session would not need anyhow, so that those with a limit of memory of their own
    can go on from it.
    """

    args: tuple[str, ...]
    lean: bool = False


@dataclass(frozen=True)
class Description:
    """What an image says of itself. ``program`` is the member that sessions run, ``digests`` has every member's.

    ``prelude`` are arguments that come before those of each session; ``warm`` are kinds of warm guests, the richest first.
    """

    name: str
    version: str
    program: str
    prelude: tuple[str, ...] = ()
    warm: tuple[Warm, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The description's member."""
        value = {"format": FORMAT, **asdict(self)}
        return bytes(simplejson.dumps(value, indent=2, sort_keys=True).encode() + b"\n")

    @classmethod
    def from_json(cls, text: bytes) -> Description:
        """Read one. Raises ImageError."""
        try:
            value: dict[str, Any] = simplejson.loads(text)
            if value["format"] != FORMAT:
                raise ImageError(f"The image has the format {value['format']!r}; this program knows {FORMAT}")
            warm = tuple(Warm(tuple(map(str, kind["args"])), bool(kind["lean"])) for kind in value["warm"])
            digests = {str(name): str(digest) for name, digest in value["digests"].items()}
            prelude = tuple(map(str, value["prelude"]))
            return cls(str(value["name"]), str(value["version"]), str(value["program"]), prelude, warm, digests)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ImageError(f"The image's {DESCRIPTION} can't be read: {error}") from error


def write_image(path: Path, description: Description, files: Iterable[File]) -> None:
    """Write an image, all of it or nothing. Raises ImageError, OSError."""
    ordered = sorted(files, key=lambda file: file.name)
    told = replace(description, digests={file.name: file.digest() for file in ordered})
    if description.program not in told.digests:
        raise ImageError(f"The image has no member {description.program}, which is its program")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive:
            for file in (File(DESCRIPTION, told.to_json()), *ordered):
                _add(archive, file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, file: File) -> None:
    """Raises ImageError, OSError."""
    header = tarfile.TarInfo(file.name)
    header.size, header.mode = file.size, 0o755 if file.program else 0o644
    try:
        if isinstance(file.content, bytes):
            archive.addfile(header, io.BytesIO(file.content))
            return
        with file.content.open("rb") as content:
            archive.addfile(header, content)
    except ValueError as error:
        raise ImageError(f"{file.name} can't be put into an archive: {error}") from error
