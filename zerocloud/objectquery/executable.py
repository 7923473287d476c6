"""Finds a node's program: in its image, in a system image of this server, or as it was sent (executing server, section 5)."""

from __future__ import annotations

import io
import os
import posixpath
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import ExitStack

from swift.common.concurrency import Semaphore, tpool

from zerocloud import wire
from zerocloud.objectquery.programs import KnownImage
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.unpack import write_all
from zerocloud.objectquery.workspace import Workspace, read_only
from zerocloud.tarwalk import FileSource, Member, TarError, walk

_SCHEME = "file://"
_MOST_KEPT = 16

Identity = tuple[int, int, int, int]
"""What tells a version of an image's file from others."""


class SystemImages:
    """The tar images of this server's settings, and the programs taken from them, kept for the next session.

    A kept program is a file without a name in the system's temporary directory; a changed image is noticed.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = dict(paths)
        self._programs: OrderedDict[tuple[str, str, Identity], io.FileIO] = OrderedDict()
        self._extracting = Semaphore(1)

    @property
    def names(self) -> frozenset[str]:
        """The devices that these images are."""
        return frozenset(self._paths)

    def open(self, name: str) -> io.FileIO:
        """The image's file. Raises :class:`Refusal` (500) if it can't be opened: the operator's mistake."""
        try:
            return io.FileIO(self._paths[name], "r")
        except OSError as error:
            raise Refusal(500, f"System image does not exist: {name} ({error.strerror})") from None

    def identity(self, name: str) -> Identity:
        """Of the image's file as it is now. Raises :class:`Refusal` (500) if it can't be opened."""
        with self.open(name) as image:
            return _identity(image)

    def program(self, name: str, path: str) -> io.FileIO | None:
        """The program ``path`` of the image, or None if it has none of that name; the caller closes it."""
        with self.open(name) as image, self._extracting:
            key = (name, path, _identity(image))
            if key not in self._programs:
                found = extract(image, path, Workspace(tempfile.gettempdir()))
                if found is None:
                    return None
                self._programs[key] = found
            self._programs.move_to_end(key)
            while len(self._programs) > _MOST_KEPT:
                self._programs.popitem(last=False)[1].close()
            return read_only(self._programs[key])


def _identity(image: io.FileIO) -> Identity:
    status = os.fstat(image.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def find_executable(
    exe: str,
    files: Mapping[str, io.FileIO],
    images: SystemImages,
    workspace: Workspace,
    stack: ExitStack,
    known: KnownImage | None = None,
) -> io.FileIO:
    """The program's file, open for reading; ``stack`` closes it. Raises :class:`Refusal` (400) if there is none.

    ``known`` is the job's image, if it is one that is kept.
    """
    image, path = split_image_url(exe)
    found = None
    if path and image == wire.IMAGE_MEMBER and known is not None:
        found = known.program(path, stack)
    if found is None and path and image in files:
        found = extract(files[image], path, workspace)
        if found is not None and image == wire.IMAGE_MEMBER and known is not None:
            known.keep(path, found)
    elif found is None and path and image in images.names:
        found = images.program(image, path)
    if found is None:
        found = files.get(wire.BOOT_MEMBER)
    if found is None:
        raise Refusal(400, f"No executable found in request: {exe} is neither here nor sent")
    return stack.enter_context(found)


def split_image_url(url: str) -> tuple[str, str]:
    """Image and path of ``file://image:path``; without an image's name, of the job's own. Two empty texts for other URLs."""
    if not url.startswith(_SCHEME):
        return "", ""
    image, colon, path = url.removeprefix(_SCHEME).partition(":")
    return (image or wire.IMAGE_MEMBER, path) if colon else (wire.IMAGE_MEMBER, image)


def extract(image: io.FileIO, path: str, workspace: Workspace) -> io.FileIO | None:
    """The last regular member of that path, as a file of its own; None if there is none. Works in a thread of its own.

    Raises :class:`Refusal` (400) for what is not a tar image.
    """
    try:
        found: io.FileIO | None = tpool.execute(_extract, image, _plain(path), workspace)
    except TarError as error:
        raise Refusal(400, f"The image with the program {path} is broken: {error}") from None
    return found


def _extract(image: io.FileIO, path: str, workspace: Workspace) -> io.FileIO | None:
    with io.FileIO(os.dup(image.fileno()), "r") as own:  # the request may end, and close its image, before this thread does
        found: tuple[int, Member] | None = None
        source = FileSource(lambda size, position: os.pread(own.fileno(), size, position))
        for member in walk(source):
            if member.regular and _plain(member.name) == path:
                found = source.position, member
        if found is None:
            return None
        position, member = found
        file = workspace.file()
        try:
            write_all(file, Member(member.name, member.size, True, source.at(position)).chunks())
        except BaseException:
            file.close()
            raise
        return file


def _plain(path: str) -> str:
    return posixpath.normpath("/" + path).lstrip("/")
