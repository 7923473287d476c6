"""Writes a session's manifest and NVRAM (executing server, section 7). Pure: descriptors are numbers here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from zerocloud.objectquery.binding import STANDARD, Backing, Bound
from zerocloud.objectquery.refusal import Refusal
from zerocloud.sysmap.plan import Access
from zerocloud.wire import NodeDescription
from zerocloud.zerovm.manifest import NVRAM, SELF, ChannelLine, Manifest
from zerocloud.zerovm.sources import DescriptorSource, Window
from zerocloud.zrt import nvram
from zerocloud.zrt.errors import NvramError
from zerocloud.zrt.nvram import Filesystem, Nvram

SEQUENTIAL, RANDOM = 0, 3


@dataclass(frozen=True)
class Limits:
    """What each channel of a session allows (operations, bytes), its memory in bytes and its time in seconds."""

    operations: int
    input: int
    output: int
    memory: int
    timeout: int

    def of_node(self, node: NodeDescription) -> Limits:
        """These, lowered to what the node's map asks for."""
        timeout = self.timeout if node.timeout is None else min(self.timeout, max(1, math.ceil(node.timeout)))
        memory = self.memory if node.memory is None else min(self.memory, node.memory)
        return Limits(self.operations, self.input, self.output, memory, timeout)


def channel_line(
    bound: Bound, number: int, limits: Limits, window: Window | None = None, compared: bool = False, shared: bool = False
) -> ChannelLine:
    """The line of one device, bound to the descriptor ``number``, or to a ``window`` onto the file there.

    An image that came with the request may also be written, unless it is ``shared`` with other sessions. ``compared``: what is
    written to it has copies on other servers.
    """
    device = bound.channel.device
    kind = SEQUENTIAL if device in STANDARD else RANDOM
    if not bound.readable:
        return _writer(number, device, limits, kind, etag=compared or bound.channel.path is None)
    line = _reader(number, device, limits, kind)
    if window is not None:
        return line.with_sources(DescriptorSource(number, window))
    if bound.channel.access & Access.CDR and bound.backing is Backing.MEMBER and not shared:
        return ChannelLine(line.sources, line.alias, kind, False, line.gets, line.get_size, limits.operations, limits.output)
    return line


def standard_line(device: str, number: int, limits: Limits) -> ChannelLine:
    """The line of a standard device that the node does not describe."""
    make = _reader if device == "stdin" else _writer
    return make(number, device, limits, SEQUENTIAL)


def base_lines(image: str, limits: Limits) -> tuple[ChannelLine, ...]:
    """What all sessions of a system image have: descriptor 0 is its program, 1 its configuration, 2 the image, 3 to 5 the
    standard devices. Their digests are made, for sessions that want them."""
    standard = (standard_line(device, number, limits) for number, device in enumerate(STANDARD, start=3))
    digested = (replace(line, etag=line.writable) for line in standard)
    return (*digested, _reader(2, image, limits, RANDOM), *own_lines(0, 1, limits))


def own_lines(executable: int, configuration: int, limits: Limits) -> tuple[ChannelLine, ChannelLine]:
    """The program's view of itself, and its configuration."""
    own = _reader(executable, SELF.removeprefix("/dev/"), limits, RANDOM)
    return own, _reader(configuration, NVRAM.removeprefix("/dev/"), limits, RANDOM)


def _reader(number: int, device: str, limits: Limits, kind: int) -> ChannelLine:
    return ChannelLine((DescriptorSource(number),), f"/dev/{device}", kind, False, limits.operations, limits.input, 0, 0)


def _writer(number: int, device: str, limits: Limits, kind: int, etag: bool = False) -> ChannelLine:
    return ChannelLine((DescriptorSource(number),), f"/dev/{device}", kind, etag, 0, 0, limits.operations, limits.output)


def make_manifest(
    node: NodeDescription, executable: int, lines: Iterable[ChannelLine], limits: Limits, pool: str, job: str
) -> Manifest:
    """The whole manifest, network lines already connected. Raises ManifestError when it is rendered."""
    return Manifest(
        program=DescriptorSource(executable),
        timeout=limits.timeout,
        memory=limits.memory,
        channels=tuple(lines),
        node=node.id,
        pool=pool,
        job_id=job,
    )


def make_nvram(
    node: NodeDescription, bound: Sequence[Bound], network: Sequence[ChannelLine], local: Mapping[str, str]
) -> bytes:
    """The guest's configuration: images to mount, arguments, environment, what stat shows. Raises :class:`Refusal` (400).

    ``local`` are the variables of the local object; those of the node win over them.
    """
    mounts = tuple(
        Filesystem(f"/dev/{one.channel.device}", one.channel.mountpoint, "ro", one.channel.removable)
        for one in bound
        if one.image
    )
    variables = {name: value for name, value in {**local, **node.env}.items() if value}
    configuration = Nvram(
        mounts=mounts,
        args=(_encoded(node.exe_name or node.name), *split_arguments(node.args)),
        env={_encoded(name): _encoded(value) for name, value in variables.items()},
        mapping=_modes(bound, network),
    )
    try:
        return nvram.render(configuration)
    except NvramError as error:
        raise Refusal(400, f"Node {node.name}: {error}") from None


def split_arguments(text: str) -> tuple[bytes, ...]:
    """The words of ``args``: blanks separate, quotes group, ``\\xHH`` is a byte (executor contract, section 8)."""
    line = text.replace(",", "\\x2c").replace("#", "\\x23").replace("\n", "\\x0a")
    try:
        return nvram.parse(b"[args]\nargs=" + _encoded(line)).args
    except NvramError as error:
        raise Refusal(400, f"Arguments {text[:80]!r}: {error}") from None


def _modes(bound: Sequence[Bound], network: Sequence[ChannelLine]) -> dict[str, str]:
    """What stat shows of each device: ``file`` unless the map says otherwise."""
    modes = {f"/dev/{one.channel.device}": one.channel.mode or "file" for one in bound}
    modes |= {line.alias: "file" for line in network}
    return {alias: mode if mode in nvram.MODES else "file" for alias, mode in modes.items()}


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
