"""One session from its unpacked request to its report: devices bound, manifest written, network connected, program run."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

from swift.common.concurrency import Timeout, sleep, tpool
from swift.common.swob import wsgi_to_str

from zerocloud.attached import PATH, input_variables
from zerocloud.objectquery.binding import STANDARD, Backing, Bound, Ground, bind
from zerocloud.objectquery.checks import Head
from zerocloud.objectquery.collect import Written
from zerocloud.objectquery.executable import SystemImages, find_executable, split_image_url
from zerocloud.objectquery.local_data import LocalData
from zerocloud.objectquery.manifest_maker import (
    Limits,
    channel_line,
    make_manifest,
    make_nvram,
    own_lines,
    standard_line,
)
from zerocloud.objectquery.programs import KnownImage
from zerocloud.objectquery.refusal import ExecutorLost, Refusal
from zerocloud.objectquery.warm import NO_PROGRAM, WarmForm, WarmGuests, arguments
from zerocloud.objectquery.window import window_of
from zerocloud.objectquery.workspace import Workspace, copy_range
from zerocloud.wire import IMAGE_MEMBER, REST_SUFFIX, NodeDescription, WireError
from zerocloud.zerovm import manifest as manifests
from zerocloud.zerovm.client import Connection, ServiceError, ServiceRefused
from zerocloud.zerovm.errors import ManifestError, NetworkError
from zerocloud.zerovm.manifest import ChannelLine, Manifest
from zerocloud.zerovm.network import open_network
from zerocloud.zerovm.report import Report, ReportError
from zerocloud.zerovm.report import parse as parse_report
from zerocloud.zerovm.sources import DescriptorSource, Window

_PATIENCE = 60.0
"""Seconds beyond the session's own limit until the executor service counts as lost: compiling comes on top of running."""


@dataclass(frozen=True)
class Place:
    """Where a session runs: the server's images and limits, the device's workspace, and what is local there.

    ``image`` is the job's own, if it is kept on this server.
    ``neighbour`` opens another object of the same device, by its URL and partition. ``warm`` are the frozen guests of the
    images, ``admitted_again`` gives another connection like the one that the session came with. ``trace`` is told of the
    manifest, the NVRAM and the report, where the operator wants to see them.
    """

    images: SystemImages
    image: KnownImage | None
    limits: Limits
    bind_address: str
    workspace: Workspace
    local: LocalData
    neighbour: Callable[[str, int], LocalData]
    warm: WarmGuests
    admitted_again: Callable[[], AbstractContextManager[Connection]]
    trace: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Ended:
    """A session that has ended: its report, what its devices wrote, and its standard error if that is only kept to be told."""

    report: Report
    written: tuple[Written, ...]
    errors: io.FileIO | None


class Descriptors:
    """The open files that go to the executor; a file's number is its place among them."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def add(self, file: io.FileIO) -> int:
        """Take a file in, which its owner keeps open until the session ends."""
        self.numbers.append(file.fileno())
        return len(self.numbers) - 1


def read_node(description: bytes) -> NodeDescription:
    """Check 12. Raises :class:`Refusal`."""
    if not description:
        raise Refusal(400, "No system map found in request")
    try:
        return NodeDescription.from_json(description)
    except WireError as error:
        raise Refusal(400, f"Cannot parse system map: {error}") from None


def name_server(node: NodeDescription) -> tuple[str, int] | None:
    """Host and port of ``udp:host:port``, or None where the node has no network. Raises :class:`Refusal`."""
    if node.name_service is None:
        return None
    scheme, _, address = node.name_service.partition(":")
    host, _, port = address.rpartition(":")
    if scheme != "udp" or not host or not port.isdigit():
        raise Refusal(400, f"Node {node.name}: name server {node.name_service[:80]!r} is not udp:host:port")
    return host, int(port)


def token(node: NodeDescription) -> bytes:
    """The secret of the job's network. Raises :class:`Refusal`."""
    try:
        return bytes.fromhex(node.token or "")
    except ValueError:
        raise Refusal(400, f"Node {node.name}: its network token is not hexadecimal") from None


class Session:
    """A node on its way to its report. ``inputs`` closes what only the program needs, ``outputs`` what the answer needs too."""

    def __init__(self, head: Head, node: NodeDescription, place: Place, inputs: ExitStack, outputs: ExitStack) -> None:
        self._head = head
        self._node = node
        self._place = place
        self._inputs = inputs
        self._outputs = outputs
        self._limits = place.limits.of_node(node)
        self._descriptors = Descriptors()
        self._written: list[Written] = []
        self._errors: io.FileIO | None = None

    def run(self, files: dict[str, io.FileIO], connection: Connection) -> Ended:
        """Run it with the files that came with the request. Raises :class:`Refusal`, :class:`ExecutorLost`."""
        deadline = time.monotonic() + self._limits.timeout
        bound = bind(self._node, self._ground(files))
        sources = {**self._image_here(bound), **files}
        place = self._place
        program = find_executable(self._node.exe, sources, place.images, place.workspace, self._inputs, place.image)
        executable = self._descriptors.add(program)
        try:
            network = self._network_lines()
            lines = [*self._channel_lines(bound, files), *network]
            lines += self._standard_lines({line.alias for line in lines})
            lines += own_lines(executable, self._configuration(bound, network), self._limits)
            return self._execute(executable, bound, lines, connection, deadline)
        except ManifestError as error:
            raise Refusal(400, f"Node {self._node.name}: {error.text}") from None

    def _ground(self, files: Iterable[str]) -> Ground:
        path = self._place.local.place.path
        return Ground(path, self._head.access, frozenset(files), self._place.images.names)

    def _network_lines(self) -> list[ChannelLine]:
        return [ChannelLine.parse(line) for line in (*self._node.connect, *self._node.bind)]

    def _channel_lines(self, bound: Sequence[Bound], files: dict[str, io.FileIO]) -> list[ChannelLine]:
        lines = []
        for one in bound:
            stored = self._stored(one)
            window = window_of(one.channel.slice, stored, self._limits.input) if stored else None
            file = stored.file if stored and stored.file else self._open(one, files)
            if rest := files.get(one.channel.device + REST_SUFFIX):
                file, window = self._joined(file, window, rest), None
            if one.backing is Backing.OUTPUT:
                self._written.append(Written(one.channel, file))
            compared, shared = self._node.replicate > 1, self._place.image is not None and one.channel.device == IMAGE_MEMBER
            lines.append(channel_line(one, self._descriptors.add(file), self._limits, window, compared, shared))
        return lines

    def _joined(self, file: io.FileIO, window: Window | None, rest: io.FileIO) -> io.FileIO:
        """A file of a window's bytes and what came to follow them: a channel shows one file. In a thread of its own."""
        joined = self._inputs.enter_context(self._place.workspace.file())
        start, end = (window.start, window.end) if window else (0, os.fstat(file.fileno()).st_size)
        tpool.execute(copy_range, file.fileno(), joined.fileno(), start, end)
        tpool.execute(copy_range, rest.fileno(), joined.fileno(), 0, os.fstat(rest.fileno()).st_size)
        return joined

    def _image_here(self, bound: Sequence[Bound]) -> dict[str, io.FileIO]:
        """The image with the program, by its device, if it is an object that is read where it lies."""
        image, _ = split_image_url(self._node.exe)
        stored = next((self._stored(one) for one in bound if one.channel.device == image), None)
        return {image: stored.file} if stored and stored.file else {}

    def _stored(self, one: Bound) -> LocalData | None:
        """The object of this device of the server that the channel reads where it lies."""
        if one.backing is Backing.LOCAL_OBJECT:
            return self._place.local
        if one.backing is Backing.NEIGHBOUR:
            return self._place.neighbour(one.channel.path or "", one.channel.partition or 0)
        return None

    def _open(self, one: Bound, files: dict[str, io.FileIO]) -> io.FileIO:
        local = self._place.local
        if one.backing is Backing.MEMBER:
            return files[one.channel.device]
        if one.backing is Backing.LOCAL_CONTAINER:
            return self._inputs.enter_context(local.snapshot(self._place.workspace))
        if one.backing is Backing.SYSTEM_IMAGE:
            return self._inputs.enter_context(self._place.images.open(one.channel.device))
        if one.backing is Backing.NOTHING:
            return self._nothing()
        return self._outputs.enter_context(self._place.workspace.file())

    def _nothing(self) -> io.FileIO:
        return self._inputs.enter_context(io.FileIO(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), "r+"))

    def _standard_lines(self, described: set[str]) -> list[ChannelLine]:
        """The standard devices that the node says nothing of. What comes out of stderr is kept: a failure is told with it."""
        lines = []
        for device in STANDARD:
            if f"/dev/{device}" in described:
                continue
            if device == "stderr":
                file = self._errors = self._outputs.enter_context(self._place.workspace.file())
            else:
                file = self._nothing()
            lines.append(standard_line(device, self._descriptors.add(file), self._limits))
        return lines

    def _configuration(self, bound: Sequence[Bound], network: Sequence[ChannelLine]) -> int:
        variables = self._told_of_object(bound)
        file = self._inputs.enter_context(io.FileIO(os.memfd_create("nvram", os.MFD_CLOEXEC), "r+"))
        description = self._place.warm.description(self._node)
        prelude = arguments(description.prelude) if description else ""
        text = make_nvram(replace(self._node, args=f"{prelude} {self._node.args}".strip()), bound, network, variables)
        self._trace("NVRAM", text)
        file.write(text)
        return self._descriptors.add(file)

    def _told_of_object(self, bound: Sequence[Bound]) -> dict[str, str]:
        """The variables of the local object, if a device reads it. Of a segment none: the proxy has told of the whole."""
        device = next((one.channel.device for one in bound if one.backing is Backing.LOCAL_OBJECT), None)
        local = self._place.local
        if self._node.env.get(PATH, local.place.path) != local.place.path:
            return {}
        headers = ((name, value) for name, value in local.metadata.items() if name != "name")  # which is no WSGI string
        metadata = {wsgi_to_str(name): wsgi_to_str(value) for name, value in headers}
        return input_variables(device, local.place.path, local.size, metadata) if device else {}

    def _execute(
        self, executable: int, bound: Sequence[Bound], lines: list[ChannelLine], connection: Connection, deadline: float
    ) -> Ended:
        try:
            if any(line.network for line in lines):
                lines = self._connect(lines, deadline)
        except NetworkError as error:  # the job's failure, not this server's
            report = Report(state=str(error))
        else:
            manifest = make_manifest(self._node, executable, lines, self._limits, self._head.pool, self._head.job)
            form = self._place.warm.form(self._node, bound, manifest.channels)
            report = self._report(connection, manifest) if form is None else self._warm(form, manifest, connection)
        return Ended(report, tuple(self._written), self._errors)

    def _connect(self, lines: list[ChannelLine], deadline: float) -> list[ChannelLine]:
        """Connect the job's network before the program exists. Raises NetworkError."""
        opened = self._inputs.enter_context(
            open_network(
                lines,
                self._node.id,
                name_server(self._node),
                token(self._node),
                self._place.bind_address,
                deadline,
                first_descriptor=len(self._descriptors.numbers),
                sleep=sleep,
            )
        )
        self._descriptors.numbers.extend(opened.descriptors)
        return list(opened.lines)

    def _warm(self, form: WarmForm, manifest: Manifest, connection: Connection) -> Report:
        """Go on from a frozen guest, if there is one of this form; otherwise run cold, and have one made for the next."""
        guests = self._place.warm
        if guests.is_running(form):
            report = self._report(connection, replace(manifest, program=NO_PROGRAM, job=form.name))
            if not guests.missed(form, report):
                return replace(report, daemon=1)
            connection = self._inputs.enter_context(self._place.admitted_again())
        assert isinstance(manifest.program, DescriptorSource)
        guests.compile(form, self._descriptors.numbers[manifest.program.number])
        report = self._report(connection, manifest)
        guests.begin(form)
        return report

    def _report(self, connection: Connection, manifest: Manifest) -> Report:
        rendered = manifests.render(manifest)
        self._trace("manifest", rendered)
        try:
            with Timeout(self._limits.timeout + _PATIENCE) as patience:
                text = connection.run(rendered, self._descriptors.numbers)
                self._trace("report", text)
                return parse_report(text)
        except ServiceRefused as refused:
            raise Refusal(500, f"The executor service refused the session: {refused}") from None
        except (ServiceError, ReportError) as error:
            raise ExecutorLost(f"The executor service was lost while the program ran: {error}") from error
        except Timeout as expired:
            if expired is not patience:
                raise
            raise ExecutorLost(f"The executor service gave no report within {patience.seconds:g} seconds") from None

    def _trace(self, what: str, text: bytes) -> None:
        if self._place.trace is not None:
            self._place.trace(f"{self._head.transaction} node {self._node.name}: {what}: {text.decode('utf-8', 'replace')!r}")
