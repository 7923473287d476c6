"""The images and compiled programs of this machine's user: built once, compiled once, used by every playground."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from zerocloud.zerovm.client import ServiceError, ensure_service

from .archive import Description, ImageError
from .check import open_member, read_description
from .recipes import recipe

VARIABLE = "ZEROCLOUD_CACHE"
COMPILE_SECONDS = 1800.0


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


def image_path(name: str) -> Path:
    """The file of an image on the shelf, as it would be built today; there or not. Raises ImageError."""
    return images() / f"{name}-{recipe(name).key()}.tar"


def fetch(name: str) -> Path:
    """The image of that name, built if it is not there yet. Raises ImageError, OSError."""
    path = image_path(name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        recipe(name).build(path)
    return path


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


__all__ = ["COMPILE_SECONDS", "compile_program", "compiled", "fetch", "image_path", "images", "shelf"]
