"""Folders as Swift lists containers: in the order of the bytes of their names, page by page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .metadata import guessed_type
from .names import HIDDEN

PAGE = 10_000


@dataclass(frozen=True)
class Entry:
    """An object in a listing; ``modified`` is Unix time."""

    name: str
    bytes: int
    modified: float

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        when = datetime.fromtimestamp(self.modified, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return {"name": self.name, "bytes": self.bytes, "last_modified": when, "content_type": guessed_type(self.name)}


@dataclass(frozen=True)
class Page:
    """Which part of a listing is wanted."""

    prefix: str = ""
    marker: str = ""
    end_marker: str = ""
    delimiter: str = ""
    limit: int = PAGE


def containers(folder: Path) -> list[str]:
    """The names of an account's containers. Raises OSError."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(HIDDEN)]
    return sorted(filter(_is_text, names), key=str.encode)


def objects(folder: Path) -> list[Entry]:
    """All files of a container, but those whose names begin with a dot. Raises OSError."""
    return sorted(_walk(folder, ""), key=lambda entry: entry.name.encode())


def page(entries: list[Entry], wanted: Page) -> list[Entry | str]:
    """The part of a listing: objects, and prefixes that end in the delimiter, where there is one."""
    found: list[Entry | str] = []
    marker, end_marker, prefix = (text.encode() for text in (wanted.marker, wanted.end_marker, wanted.prefix))
    for entry in entries:
        name = entry.name.encode()
        if not name.startswith(prefix) or name <= marker or (end_marker and name >= end_marker):
            continue
        rest = entry.name[len(wanted.prefix) :]
        cut = rest.find(wanted.delimiter) if wanted.delimiter else -1
        item: Entry | str = entry if cut < 0 else wanted.prefix + rest[: cut + len(wanted.delimiter)]
        if item == wanted.marker or (found and item == found[-1]):
            continue
        if len(found) == wanted.limit:
            break
        found.append(item)
    return found


def _walk(folder: Path, prefix: str) -> Iterator[Entry]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(HIDDEN) or not _is_text(entry.name):
                continue
            if entry.is_dir():
                if not entry.is_symlink():  # or a link to a folder above it would be followed for ever
                    yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.is_file():
                status = entry.stat()
                yield Entry(prefix + entry.name, status.st_size, status.st_mtime)


def _is_text(name: str) -> bool:
    """Whether it is Unicode, as all names in Swift are."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
