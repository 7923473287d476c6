"""The image of a folder: any program for WASI with the files that it needs beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from zerocloud.sysmap.devices import DEVICES, RESERVED

from .archive import DESCRIPTION, Description, File, ImageError, write_image

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}\Z")
_MODULE = b"\0asm\1\0\0\0"


def check_name(name: str) -> str:
    """A name that an image can have; it is a device's. Raises ImageError."""
    if not _NAME.match(name):
        raise ImageError(f"{name[:80]!r} can't be an image's name: 1 to 63 of a-z, 0-9, dash, dot and underscore")
    if name in DEVICES or name in RESERVED:
        raise ImageError(f"An image can't have the name {name}, which is that of a device that all nodes know")
    return name


def build_folder(name: str, folder: Path, program: str, path: Path, version: str = "0") -> Description:
    """Write the image of a folder to ``path``; its ``program`` is a module in there. Raises ImageError, OSError."""
    files = tuple(_files(folder, program.lstrip("/"), path.resolve()))
    module = next((file.content for file in files if file.program), None)
    if not isinstance(module, Path):
        raise ImageError(f"There is no {program} in {folder}")
    with module.open("rb") as file:
        if file.read(len(_MODULE)) != _MODULE:
            raise ImageError(f"{module} is no WebAssembly module")
    description = Description(check_name(name), version, program.lstrip("/"))
    write_image(path, description, files)
    return description


def _files(folder: Path, program: str, image: Path) -> Iterator[File]:
    """What goes into the ``image``; that may lie in the folder itself."""
    root = folder.resolve(strict=True)
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if not path.resolve().is_relative_to(root):
            raise ImageError(f"{folder / name} leads out of {folder}")
        if name == DESCRIPTION:
            raise ImageError(f"{folder / name} is the image's own description; it has to go")
        if path.is_dir() and path.is_symlink():  # its files would be left out without a word
            raise ImageError(f"{folder / name} is a link to a folder; an image takes folders themselves only")
        if path.is_file() and path != image:
            yield File(name, path, program=name == program)
