"""A zapp's folder: found from anywhere in it, and its files by patterns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from .errors import BundleError, ZappError
from .zapp import ZAPP_YAML, Zapp, read_zapp

STORE = ".zapp"
"""The folder for what zpm makes on the way."""

SUFFIX = ".zapp"
"""How the names of archives end."""

LARGEST_YAML = 1 << 20


def find_root(start: Path) -> Path:
    """The nearest folder with a zapp.yaml, upwards. Raises ZappError."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / ZAPP_YAML).is_file():
            return folder
    raise ZappError("no zapp.yaml file found")


def load(root: Path) -> Zapp:
    """The zapp of a folder. Raises ZappError."""
    path = root / ZAPP_YAML
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_YAML + 1)
        if len(text) > LARGEST_YAML:
            raise ZappError(f"{path} is larger than {LARGEST_YAML} bytes")
        return read_zapp(text.decode(), str(path))
    except OSError as error:
        raise ZappError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ZappError(f"{path} is not UTF-8 at byte {error.start}") from None


def matching(root: Path, pattern: str) -> list[str]:
    """The files that a pattern names, relative to the root, sorted. A folder stands for all files in it.

    Raises BundleError for patterns and links that lead out of the root.
    """
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise BundleError(f"the pattern {pattern!r} leads out of {root}")
    if any("**" in part and part != "**" for part in PurePosixPath(pattern).parts):  # Python 3.13 takes it for one star
        raise BundleError(f"the pattern {pattern!r} is none: ** can only be an entire component")
    try:
        found = list(root.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise BundleError(f"the pattern {pattern!r} is none: {error}") from error
    return sorted({_inside(root, path) for match in found for path in _files(match) if not _is_ours(root, path)})


def watched_files(root: Path, zapp: Zapp) -> Iterator[Path]:
    """The files that, if they change, ask for a new zapp: with a ``build``, all that it may read, named or not."""
    if not zapp.build:
        yield from all_files(root, (*zapp.bundling, *zapp.ui))
        return
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        yield from (path for path in paths if path.suffix != SUFFIX)


def all_files(root: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Every file that a zapp is made of, zapp.yaml included."""
    yield root / ZAPP_YAML
    for pattern in patterns:
        yield from (root / name for name in matching(root, pattern))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir() and not path.is_symlink():
        yield from (inner for inner in path.rglob("*") if inner.is_file())


def _is_ours(root: Path, path: Path) -> bool:
    """Whether it is what zpm itself puts into the folder or the archive."""
    relative = path.relative_to(root)
    return relative.parts[0] == STORE or str(relative) == ZAPP_YAML or (len(relative.parts) == 1 and path.suffix == SUFFIX)


def _inside(root: Path, path: Path) -> str:
    if not path.resolve().is_relative_to(root.resolve()):
        raise BundleError(f"{path} is a link that leads out of {root}")
    return path.relative_to(root).as_posix()
