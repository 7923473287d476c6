"""What can be run on this machine: all that a cluster takes, and folders, which are packed on the way."""

from __future__ import annotations

import logging
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from zerocloud.cli.run import read_work
from zerocloud.client import Work
from zerocloud.images import shelf
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.zapp import ZAPP_YAML

from .names import HIDDEN
from .world import LocalError

MAPS = ("boot/cluster.map", "boot/system.map")
LOGGER = logging.getLogger("zapp")


@contextmanager
def prepared(text: str, payload: BinaryIO | None = None) -> Iterator[Work]:
    """The job that a word of the command line names. Raises CommandError, ZpmError, ClientError."""
    folder = Path(text)
    if text == "-" or not folder.is_dir():
        yield read_work(text, payload)
        return
    with TemporaryDirectory(prefix="zerocloud-") as place:
        yield packed(folder, Path(place))


def packed(folder: Path, place: Path) -> Path:
    """The folder as a file in ``place``: a zapp, where it has a zapp.yaml, or an archive with the map that it has."""
    if (folder / ZAPP_YAML).is_file():
        return bundle(folder, LOGGER.warning, into=place).path
    found = next((name for name in MAPS if (folder / name).is_file()), None)
    if found is None:
        raise LocalError(f"{folder} has neither a {ZAPP_YAML} nor a {' or '.join(MAPS)}")
    target = place / "job.tar"
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder / found, found)
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name != found and not any(part.startswith(HIDDEN) for part in name.split("/")):
                archive.add(path, name)
    return target


def system_images(words: tuple[str, ...], folder: Path | None, tell: Callable[[str, float | None], None]) -> dict[str, str]:
    """The files of system images, by their names: those that this machine has built, those of a folder, and those named.

    A word is ``NAME``, which is built if it is not there yet, or ``NAME=FILE``. ``tell`` hears what that takes. Raises
    ImageError, LocalError, OSError.
    """
    built = {name: shelf.image_path(name) for name in shelf.names()}
    found = {name: path for name, path in built.items() if path.exists()}
    if folder is not None:
        found |= {path.stem: path for path in sorted(folder.iterdir()) if path.is_file()}
    for word in words:
        name, named, file = word.partition("=")
        if named and not Path(file).is_file():
            raise LocalError(f"--image {word}: there is no file {file}")
        if named:
            found[name] = Path(file)
            continue
        tell(f"Building the image {name}", None)
        found[name] = shelf.fetch(name)
        tell(f"Compiling the image {name}, once for this machine", shelf.expected_seconds(found[name]))
        shelf.compile_program(found[name])
    return {name: str(path.absolute()) for name, path in found.items()}
