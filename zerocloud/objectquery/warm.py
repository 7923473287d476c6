"""Warm guests of system images: interpreters that are up, with their libraries, before a session needs them.

An image may say how its program is warmed up (``etc/zerocloud/image.json``, key ``warm``): one or more kinds of guests, the
richest first. Each is frozen in the background when the server begins to work, once for all workers of the host, and sessions
of the program go on from the richest that fits (executing server, section 12), whatever channels they have. Those with a limit
of memory of their own need a *lean* one, which has no more in memory than they would have had anyhow.

A frozen guest that is gone is noticed by who wants it, who runs cold, and has another one made.
"""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from swift.common.concurrency import Timeout, spawn

from zerocloud.images.archive import DESCRIPTION, Description, ImageError, Warm
from zerocloud.objectquery.admission import ExecutorService
from zerocloud.objectquery.binding import Backing, Bound
from zerocloud.objectquery.executable import Identity, SystemImages, split_image_url
from zerocloud.objectquery.manifest_maker import Limits, base_lines
from zerocloud.objectquery.refusal import Refusal
from zerocloud.wire import NodeDescription
from zerocloud.zerovm import manifest as manifests
from zerocloud.zerovm.client import ServiceError
from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.manifest import ChannelLine, Manifest
from zerocloud.zerovm.report import Report, ReportError
from zerocloud.zerovm.report import parse as parse_report
from zerocloud.zerovm.sources import DescriptorSource, PathSource
from zerocloud.zerovm.states import EndState
from zerocloud.zrt import nvram
from zerocloud.zrt.nvram import Filesystem, Nvram

WORK = "warming"
WARM_SECONDS = 120
COMPILE_SECONDS = 1800.0
LOOK_AGAIN_SECONDS = 1.0
"""For so long a guest that was not there is not asked for: another process of the host may be making it."""
PAUSE_SECONDS = 60.0
"""For so long none is made of a kind that could not be: each try takes a slot, and seconds of a processor."""
MOST_DESCRIPTION = 4 << 20
TOP = "/"
"""Where a warm guest has its image."""
NO_PROGRAM = PathSource("/dev/null")
"""The program of a session that goes on from a frozen guest."""


@dataclass(frozen=True)
class WarmForm:
    """One kind of warm guest of one version of an image; ``name`` is its name at the executor service."""

    name: str
    image: str
    program: str
    kind: Warm
    base: tuple[ChannelLine, ...]


class WarmGuests:
    """Those of one server's images, as one worker process knows them. ``limits`` are the server's own."""

    def __init__(self, executor: ExecutorService, images: SystemImages, limits: Limits, logger: Any) -> None:
        self._executor = executor
        self._images = images
        self._limits = limits
        self._logger = logger
        self._descriptions: dict[tuple[str, Identity], Description | None] = {}
        self._running: set[str] = set()
        self._starting: set[str] = set()
        self._missed: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self._awake = False

    def awaken(self) -> None:
        """At the first call in this process: have the guests of all images made in the background."""
        if not self._awake:
            self._awake = True
            if self._images.names:
                spawn(self._make_all)

    def description(self, node: NodeDescription) -> Description | None:
        """What the image that a node's program is in says of it; None if that is no such image or another program of it.

        Raises :class:`Refusal` and OSError for an image that can't be read.
        """
        image, path = split_image_url(node.exe)
        if image not in self._images.names:
            return None
        found = self._described(image)
        return found if found and found.program == path.lstrip("/") else None

    def form(self, node: NodeDescription, bound: Sequence[Bound], lines: Iterable[ChannelLine]) -> WarmForm | None:
        """What a node's session can go on from; None for one that has to run cold."""
        description = self.description(node)
        if description is None:
            return None
        image, _ = split_image_url(node.exe)
        kind = next((kind for kind in description.warm if kind.lean or node.memory is None), None)
        first = next((one for one in bound if one.image), None)  # later images lie over earlier ones
        if kind is None or first is None or first.backing is not Backing.SYSTEM_IMAGE:
            return None
        if (first.channel.device, first.channel.mountpoint, first.channel.removable) != (image, TOP, False):
            return None
        form = self._form(image, description, kind)
        given = {line.alias: line for line in lines}
        alike = (given.get(line.alias) == _like(line, given.get(line.alias)) for line in form.base)
        return form if all(alike) else None

    def is_running(self, form: WarmForm) -> bool:
        """Whether a guest of this form waits, as far as is known; asks the executor service, but not all the time."""
        name = form.name
        if name in self._running or name in self._starting:
            return name in self._running
        if time.monotonic() < self._missed.get(name, 0.0) + LOOK_AGAIN_SECONDS:
            return False
        try:
            with self._executor.connected() as connection:
                there = connection.frozen(name)
        except (Refusal, ServiceError):
            there = False
        self._note(form, there)
        return there

    def missed(self, form: WarmForm, report: Report) -> bool:
        """Whether a report says that there was no such guest after all, or that this session can't go on from it."""
        if report.end is EndState.EXITED or not report.state.startswith((f"daemon {form.name}", "difference in")):
            return False
        if not report.state.startswith("difference in memory"):  # that is between the guest and this session
            self._running.discard(form.name)
        return True

    def begin(self, form: WarmForm) -> None:
        """Have a guest of this form made in the background, unless that is being done, or has failed a moment ago."""
        paused = time.monotonic() < self._failed.get(form.name, -math.inf) + PAUSE_SECONDS
        if not paused and form.name not in self._starting and form.name not in self._running:
            spawn(self._make, form)

    def compile(self, form: WarmForm, program: int) -> None:
        """Have the image's program compiled as the operator's own, before its first session here. Raises :class:`Refusal`."""
        try:
            with self._executor.connected() as connection:
                connection.compile(program, timeout=COMPILE_SECONDS)
        except ServiceError as error:
            raise Refusal(500, f"The program of the image {form.image} can't be compiled: {error}") from error

    def _form(self, image: str, description: Description, kind: Warm) -> WarmForm:
        base = base_lines(image, self._limits)
        told = (description.version, *description.digests.values(), *kind.args, repr(base), str(self._limits.memory))
        digest = sha256("\n".join(told).encode()).hexdigest()
        return WarmForm(f"{image}-{digest[:32]}", image, description.program, kind, base)

    def _note(self, form: WarmForm, there: bool) -> None:
        if there:
            self._running.add(form.name)
            self._missed.pop(form.name, None)
        else:
            self._running.discard(form.name)
            self._missed[form.name] = time.monotonic()

    # ------------------------------------------------------------------------------------------------ in the background

    def _make_all(self) -> None:
        """The edge of a thread."""
        for image in sorted(self._images.names):
            try:
                description = self._described(image)
            except (Refusal, OSError) as error:
                self._logger.warning("image %s: %s", image, error)
                continue
            if description is not None:
                for kind in description.warm:
                    self._make(self._form(image, description, kind))

    def _make(self, form: WarmForm) -> None:
        """The edge of a thread. Where another process of this host makes warm guests, it is left to that."""
        self._starting.add(form.name)
        try:
            with self._executor.connected() as connection, self._executor.alone(WORK) as alone:
                if alone:
                    self._note(form, connection.frozen(form.name) or self._made(form))
        except (Refusal, ServiceError, ReportError, ManifestError, OSError, Timeout) as error:
            self._note(form, False)
            self._logger.warning("warming up %s failed: %s", form.name, error)
        finally:
            self._starting.discard(form.name)

    def _made(self, form: WarmForm) -> bool:
        with ExitStack() as stack:
            image = stack.enter_context(self._images.open(form.image))
            program = self._images.program(form.image, form.program)
            if program is None:
                raise Refusal(500, f"System image {form.image} has no {form.program}")
            stack.enter_context(program)
            self.compile(form, program.fileno())
            configuration = stack.enter_context(_configuration(form))
            null = stack.enter_context(io.FileIO(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), "r+"))
            manifest = Manifest(
                program=DescriptorSource(0),
                timeout=WARM_SECONDS,
                memory=self._limits.memory,
                channels=form.base,
                job=form.name,
                thaw_more=True,
            )
            descriptors = [file.fileno() for file in (program, configuration, image, null, null, null)]
            with Timeout(2 * WARM_SECONDS), self._executor.connected() as connection:
                report = parse_report(connection.run(manifests.render(manifest), descriptors))
        if report.end is not EndState.EXITED or not report.daemon:
            self._logger.warning("warming up %s failed: %s", form.name, report.state)
            self._failed[form.name] = time.monotonic()
            return False
        self._failed.pop(form.name, None)
        return True

    # ------------------------------------------------------------------------------------------------------ descriptions

    def _described(self, image: str) -> Description | None:
        """What was read is kept; so is that there is none, or a broken one. Raises :class:`Refusal`, OSError."""
        key = (image, self._images.identity(image))
        if key not in self._descriptions:
            for old in [other for other in self._descriptions if other[0] == image]:  # the image has been replaced
                del self._descriptions[old]
            self._descriptions[key] = self._read(image)
        return self._descriptions[key]

    def _read(self, image: str) -> Description | None:
        file = self._images.program(image, DESCRIPTION)
        if file is None:
            return None
        with file:
            text = os.pread(file.fileno(), MOST_DESCRIPTION, 0)
        try:
            return Description.from_json(text)
        except ImageError as error:
            self._logger.warning("image %s: %s", image, error)
            return None


def arguments(words: Iterable[str]) -> str:
    """Words as a node's ``args`` have them: every byte that could mean something is written as ``\\xHH``."""
    return " ".join("".join(map(_escaped, word.encode())) for word in words)


def _escaped(byte: int) -> str:
    return chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\x{byte:02x}"


def _like(line: ChannelLine, other: ChannelLine | None) -> ChannelLine | None:
    """The line with what may differ between a guest and the sessions that go on from it."""
    return other and replace(line, sources=other.sources, etag=other.etag)


def _configuration(form: WarmForm) -> io.FileIO:
    mounts = (Filesystem(f"/dev/{form.image}", TOP, "ro"),)
    words = tuple(word.encode() for word in (form.image, *form.kind.args))
    file = io.FileIO(os.memfd_create("warm", os.MFD_CLOEXEC), "r+")
    file.write(nvram.render(Nvram(mounts=mounts, args=words)))
    return file
