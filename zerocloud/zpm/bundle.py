"""Makes the archive of a zapp: the same bytes whenever, wherever and by whomever it is made. Source: cli, section 1."""

from __future__ import annotations

import gzip
import io
import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import simplejson

from zerocloud.cli.files import whole_file

from . import dependencies
from .errors import BundleError
from .project import STORE, load, matching
from .system_map import PACKAGES, with_packages
from .zapp import ZAPP_YAML, Zapp

SYSTEM_MAP = "boot/system.map"
EXECUTABLE, ORDINARY = 0o755, 0o644
LEVEL = 9

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Bundle:
    """A zapp that was made: its file, and its members in their order."""

    path: Path
    members: tuple[str, ...]


def bundle(root: Path, warn: Warn, refresh: bool = False, into: Path | None = None) -> Bundle:
    """Make the zapp of a folder, in it or in the folder ``into``. ``refresh`` fetches Python packages anew.

    Raises ZpmError; then none is made.
    """
    zapp = load(root)
    if zapp.build:
        _build(root, zapp.build)
    packages = dependencies.provide(zapp.dependencies, root / STORE, refresh)
    job_map = with_packages(zapp.job_map) if packages else list(zapp.job_map)
    files = _members(root, zapp, packages, warn)
    target = (into or root) / f"{zapp.name}.zapp"
    try:
        _write(target, simplejson.dumps(job_map, indent=2).encode() + b"\n", files)
    except OSError as error:
        raise BundleError(f"{target} can't be made: {error}") from error
    return Bundle(target, (SYSTEM_MAP, *files))


def _build(root: Path, command: str) -> None:
    ours = Path(sys.executable).parent  # where our own commands are found, even if zpm was called by its path
    variables = {**os.environ, "PATH": os.pathsep.join((os.environ.get("PATH", os.defpath), str(ours)))}
    try:
        done = subprocess.run(shlex.split(command), cwd=root, check=False, stdin=subprocess.DEVNULL, env=variables)
    except (OSError, ValueError) as error:
        raise BundleError(f"build: {command}: {error}") from error
    if done.returncode:
        raise BundleError(f"build: {command}: it ended with exit code {done.returncode}")


def _members(root: Path, zapp: Zapp, packages: Path | None, warn: Warn) -> Mapping[str, Path]:
    """The files by their names in the archive, in order, each once."""
    found = {ZAPP_YAML: root / ZAPP_YAML}
    for section, patterns in (("bundling", zapp.bundling), ("ui", zapp.ui)):
        for pattern in patterns:
            names = matching(root, pattern)
            if not names:
                warn(f"pattern '{pattern}' in section '{section}' matched no files")
            found.update((name, root / name) for name in names)
    if len(found) == 1 and (zapp.bundling or zapp.ui):
        raise BundleError("no pattern of the sections bundling and ui matched any file")
    for reserved in (name for name in found if name.startswith("boot/") and name.endswith(".map")):
        raise BundleError(f"{reserved} would take the place of the system map: give it another name")
    for path in sorted(packages.rglob("*")) if packages else ():
        if path.is_file() and path.suffix != ".pyc":
            found[f"{PACKAGES}/{path.relative_to(packages or root).as_posix()}"] = path
    return found


def _write(target: Path, job_map: bytes, files: Mapping[str, Path]) -> None:
    with (
        whole_file(target) as file,
        gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, content in _contents(job_map, files):
            with content:
                archive.addfile(member, content)


def _contents(job_map: bytes, files: Mapping[str, Path]) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
    yield _member(SYSTEM_MAP, len(job_map), ORDINARY), io.BytesIO(job_map)
    for name, path in files.items():
        file = path.open("rb")
        status = os.fstat(file.fileno())
        yield _member(name, status.st_size, EXECUTABLE if status.st_mode & 0o100 else ORDINARY), file


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    """Nothing of the machine is in it: no times, no owners."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, 0
    return member
