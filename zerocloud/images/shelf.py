"""The images and compiled programs of this machine's user: built once, compiled once, used by every playground."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from zerocloud.zerovm.client import ServiceError, ensure_service

from .archive import Description, ImageError
from .check import check_image, open_member, read_description
from .folder import check_name
from .recipes import RECIPES

VARIABLE = "ZEROCLOUD_CACHE"
COMPILE_SECONDS = 1800.0
SPEED = 600_000
"""Bytes of a program that one processor compiles in a second, about."""


def shelf() -> Path:
    """``$ZEROCLOUD_CACHE``, or ``zerocloud`` in the user's cache directory."""
    given = os.environ.get(VARIABLE)
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zerocloud"


def images() -> Path:
    """Where images are kept."""
    return shelf() / "images"


def compiled() -> Path:
    """Where their programs are kept as the executor compiles them."""
    return shelf() / "compiled"


def kept() -> Path:
    """Where images are that came as files."""
    return images() / "kept"


def names() -> tuple[str, ...]:
    """Of all images that can be built here or are kept."""
    return tuple(sorted({*RECIPES, *(path.stem for path in kept().glob("*.tar"))}))


def image_path(name: str) -> Path:
    """The file of an image on the shelf, as it would be built today; there or not. Raises ImageError."""
    if name in RECIPES:
        return images() / f"{name}-{RECIPES[name].key()}.tar"
    return kept() / f"{check_name(name)}.tar"


def fetch(name: str) -> Path:
    """The image of that name, built if it is not there yet and can be. Raises ImageError, OSError."""
    path = image_path(name)
    if not path.exists():
        if name not in RECIPES:
            raise ImageError(f"There is no image {name}; there is: {', '.join(names())}. Others: zerocloud image install FILE")
        path.parent.mkdir(parents=True, exist_ok=True)
        RECIPES[name].build(path)
    return path


def keep(image: Path, tell: Callable[[int], None] = lambda size: None) -> Path:
    """Check an image and put it on the shelf, in place of an older one; where it is. Raises ImageError, OSError."""
    name = check_name(check_image(image, tell).name)
    if name in RECIPES:
        raise ImageError(f"The image {name} is built here, not kept: zerocloud image install {name}")
    kept().mkdir(parents=True, exist_ok=True)
    temporary = kept() / f".{name}.{os.getpid()}"
    try:
        shutil.copyfile(image, temporary)
        temporary.replace(kept() / f"{name}.tar")
    finally:
        temporary.unlink(missing_ok=True)
    return kept() / f"{name}.tar"


def expected_seconds(image: Path) -> float:
    """About how long an image's program takes to be compiled here. Raises ImageError, OSError."""
    with open_member(image, read_description(image).program) as member:
        return member.size / SPEED / (os.cpu_count() or 1)


def compile_program(image: Path) -> Description:
    """Have an image's program compiled into the shelf, if it is not yet; takes a minute or two. Raises ImageError, OSError."""
    description = read_description(image)
    compiled().parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="zerocloud") as place, ExitStack() as stack:
        program = stack.enter_context((Path(place) / "program").open("w+b"))
        with open_member(image, description.program) as member:
            program.writelines(member.chunks())
        program.flush()
        socket = str(Path(place) / "socket")
        command = [sys.executable, "-m", "zerocloud.zerovm.command", "--serve", socket, "--linger", "0.1"]
        command += ["--cache", str(compiled()), "--program-bytes", str(1 << 30)]
        try:
            connection = stack.enter_context(ensure_service(socket, command, str(Path(place) / "log")))
            connection.compile(program.fileno(), timeout=COMPILE_SECONDS)
        except ServiceError as error:
            raise ImageError(f"The program {description.program} of {image} can't be compiled: {error}") from error
    return description


__all__ = ["compile_program", "compiled", "expected_seconds", "fetch", "image_path", "images", "keep", "kept", "names", "shelf"]
