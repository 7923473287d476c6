"""Warm guests of system images: interpreters that are up, with their libraries, before a session needs them.

An image may say how its program is warmed up (``etc/zerocloud/image.json``, key ``warm``). The first session whose channels
have a certain form runs cold, and has a guest of that form warmed up and frozen in the background; the following ones go on
from there (executing server, section 12). A frozen guest that is gone is noticed by who wants it, runs cold itself, and has
another one made. Nodes with connections, or with a limit of memory of their own, always run cold.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from swift.common.concurrency import Timeout, spawn

from zerocloud.images.archive import DESCRIPTION, Description, ImageError
from zerocloud.objectquery.admission import ExecutorService
from zerocloud.objectquery.executable import Identity, SystemImages, split_image_url
from zerocloud.objectquery.refusal import Refusal
from zerocloud.wire import NodeDescription
from zerocloud.zerovm import manifest as manifests
from zerocloud.zerovm.client import ServiceError
from zerocloud.zerovm.manifest import NVRAM, SELF, ChannelLine, Manifest
from zerocloud.zerovm.report import Report, ReportError
from zerocloud.zerovm.report import parse as parse_report
from zerocloud.zerovm.sources import DescriptorSource, PathSource
from zerocloud.zerovm.states import EndState

WARM_SECONDS = 120
COMPILE_SECONDS = 1800.0
MOST_DESCRIPTION = 4 << 20
EMPTY_ARCHIVE = bytes(1024)
SEQUENTIAL = 0


@dataclass(frozen=True)
class WarmForm:
    """What sessions have in common that can go on from one frozen guest; ``name`` is that guest's at the executor service.

    ``version`` is that of the image's file.
    """

    name: str
    image: str
    version: Identity
    description: Description


class WarmGuests:
    """Those of one server's images, as one worker process knows them."""

    def __init__(self, executor: ExecutorService, images: SystemImages, logger: Any) -> None:
        self._executor = executor
        self._images = images
        self._logger = logger
        self._descriptions: dict[tuple[str, Identity], Description | None] = {}
        self._compiled: set[tuple[str, Identity]] = set()
        self._running: set[str] = set()
        self._starting: set[str] = set()

    def form(self, node: NodeDescription, lines: Sequence[ChannelLine]) -> WarmForm | None:
        """The form of a node's session; None for one that has to run cold."""
        if node.connect or node.bind or node.memory is not None:
            return None
        description = self.description(node)
        if description is None or description.warm is None:
            return None
        shapes = sorted(repr(replace(line, sources=(), etag=False)) for line in lines)
        digest = sha256("\n".join((description.version, *description.digests.values(), *shapes)).encode()).hexdigest()
        image, _ = split_image_url(node.exe)
        return WarmForm(f"{image}-{digest[:32]}", image, self._images.identity(image), description)

    def description(self, node: NodeDescription) -> Description | None:
        """What the image that a node's program is in says of it; None if that is no such image or another program of it."""
        image, path = split_image_url(node.exe)
        if image not in self._images.names:
            return None
        key = (image, self._images.identity(image))
        if key not in self._descriptions:
            for old in [other for other in self._descriptions if other[0] == image]:  # the image has been replaced
                del self._descriptions[old]
            self._descriptions[key] = self._read(image)
        found = self._descriptions[key]
        return found if found and found.program == path.lstrip("/") else None

    def is_running(self, form: WarmForm) -> bool:
        """Whether there is a frozen guest of this form, as far as is known here."""
        return form.name in self._running

    def missed(self, form: WarmForm, report: Report) -> bool:
        """Whether a report says that there was no such guest after all; it is known then."""
        if report.end is EndState.EXITED or not report.state.startswith((f"daemon {form.name}", "difference in")):
            return False
        self._running.discard(form.name)
        return True

    def compile(self, form: WarmForm, program: int) -> None:
        """Have the image's program compiled as the operator's own, before its first session here. Raises :class:`Refusal`."""
        if (form.image, form.version) in self._compiled:
            return
        try:
            with self._executor.connected() as connection:
                connection.compile(program, timeout=COMPILE_SECONDS)
        except ServiceError as error:
            raise Refusal(500, f"The program of the image {form.image} can't be compiled: {error}") from error
        self._compiled.add((form.image, form.version))

    def begin(self, form: WarmForm, manifest: Manifest, descriptors: Sequence[int], configuration: bytes) -> None:
        """Warm up a guest of this form in the background, unless that is being done.

        ``configuration`` is its NVRAM, ``descriptors`` are those of the session that the manifest is of.
        """
        if form.name in self._starting or form.name in self._running:
            return
        with ExitStack() as stack:
            files = list(self._files(form, manifest, descriptors, configuration, stack))
            self._starting.add(form.name)
            spawn(self._start, form, manifest, files, stack.pop_all())

    def _files(
        self, form: WarmForm, manifest: Manifest, descriptors: Sequence[int], configuration: bytes, stack: ExitStack
    ) -> Iterator[io.FileIO]:
        """The program and a file for each channel: the images as they are, nothing in all others."""
        assert isinstance(manifest.program, DescriptorSource)
        yield stack.enter_context(_again(descriptors[manifest.program.number]))
        for line in manifest.channels:
            (source,) = line.sources
            assert isinstance(source, DescriptorSource)
            if line.alias == SELF or line.alias.removeprefix("/dev/") in self._images.names:
                yield stack.enter_context(_again(descriptors[source.number]))
            elif line.alias == NVRAM:
                yield stack.enter_context(_memory(configuration))
            elif line.type == SEQUENTIAL:
                yield stack.enter_context(io.FileIO(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), "r+"))
            else:
                yield stack.enter_context(_memory(b"" if line.writable else EMPTY_ARCHIVE))

    def _start(self, form: WarmForm, manifest: Manifest, files: Sequence[io.FileIO], owned: ExitStack) -> None:
        """The edge of the thread."""
        channels = tuple(
            replace(line, sources=(DescriptorSource(number),)) for number, line in enumerate(manifest.channels, start=1)
        )
        freezing = replace(manifest, program=DescriptorSource(0), channels=channels, timeout=WARM_SECONDS, job=form.name)
        warming = replace(freezing, node=None, job_id=None)
        try:
            with owned, Timeout(2 * WARM_SECONDS), self._executor.connected() as connection:
                report = parse_report(connection.run(manifests.render(warming), [file.fileno() for file in files]))
            if report.end is EndState.EXITED and report.daemon:
                self._running.add(form.name)
            else:
                self._logger.warning("warming up %s failed: %s", form.name, report.state)
        except (Refusal, ServiceError, ReportError, OSError, Timeout) as error:
            self._logger.warning("warming up %s failed: %s", form.name, error)
        finally:
            self._starting.discard(form.name)

    def _read(self, image: str) -> Description | None:
        try:
            file = self._images.program(image, DESCRIPTION)
            if file is None:
                return None
            with file:
                return Description.from_json(os.pread(file.fileno(), MOST_DESCRIPTION, 0))
        except (ImageError, OSError) as error:
            self._logger.warning("image %s: %s", image, error)
            return None


NO_PROGRAM = PathSource("/dev/null")
"""The program of a session that goes on from a frozen guest."""


def arguments(words: Iterable[str]) -> str:
    """Words as a node's ``args`` have them: every byte that could mean something is written as ``\\xHH``."""
    return " ".join("".join(map(_escaped, word.encode())) for word in words)


def _escaped(byte: int) -> str:
    return chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\x{byte:02x}"


def _again(descriptor: int) -> io.FileIO:
    return io.FileIO(os.dup(descriptor), "r")


def _memory(data: bytes) -> io.FileIO:
    file = io.FileIO(os.memfd_create("warm", os.MFD_CLOEXEC), "r+")
    file.write(data)
    return file
