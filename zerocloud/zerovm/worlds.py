"""From a manifest's channels to the world that the guest sees (executor contract, sections 8 and 9)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from zerocloud.zerovm.files import FileChannel, FileWindow, StreamChannel
from zerocloud.zerovm.hostchannel import HostChannel
from zerocloud.zerovm.manifest import NVRAM, Manifest
from zerocloud.zrt.errors import WorldError
from zerocloud.zrt.nvram import MAX_BYTES, Nvram
from zerocloud.zrt.nvram import parse as parse_nvram
from zerocloud.zrt.world import World, from_nvram

Trace = Callable[[str, tuple[int, ...], int | None, int], None]
"""Told of each call of the guest, after it: name, arguments, errno (None if it did not return), nanoseconds."""


def read_configuration(channels: Mapping[str, HostChannel]) -> Nvram:
    """What ``/dev/nvram`` says, if there is such a channel. Raises ZrtError."""
    nvram = _read_nvram(channels[NVRAM]) if NVRAM in channels else Nvram()
    return nvram if nvram.args else replace(nvram, args=(b"program",))


def make_world(
    manifest: Manifest,
    configuration: Nvram,
    channels: Mapping[str, HostChannel],
    fork: Callable[[], int] | None = None,
    trace: Trace | None = None,
) -> World:
    """The guest's world: its channels below ``/dev``, arranged as its configuration says. Raises ZrtError."""
    return from_nvram(
        configuration,
        {alias: channel for alias, channel in channels.items() if alias.startswith("/dev/")},
        lambda alias: _image(channels, alias),
        memory_limit=manifest.memory,
        fuel=manifest.fuel,
        fork=fork,
        trace=trace,
    )


def _read_nvram(channel: HostChannel) -> Nvram:
    """Read the configuration beside the guest's own limits and counters."""
    if not isinstance(channel, StreamChannel) or not channel.readable:
        raise WorldError(f"channel {NVRAM} can't be read for the guest's configuration")
    text = b""
    while len(text) <= MAX_BYTES:
        piece = _read(channel, MAX_BYTES + 1 - len(text), len(text))
        if not piece:
            break
        text += piece
    return parse_nvram(text)


def _read(channel: StreamChannel, size: int, offset: int) -> bytes:
    try:
        if isinstance(channel, FileChannel):
            return os.pread(channel.descriptor, min(size, channel.file_size - offset), channel.origin + offset)
        return os.read(channel.descriptor, size)
    except OSError as error:
        raise WorldError(f"channel {NVRAM} can't be read: {error.strerror}") from error


def _image(channels: Mapping[str, HostChannel], alias: str) -> tuple[int, int]:
    channel = channels.get(alias)
    if not isinstance(channel, FileChannel) or not channel.readable:
        raise WorldError(f"mount: channel {alias} is not a file that can be read")
    if isinstance(channel, FileWindow):
        raise WorldError(f"mount: channel {alias} is a part of a file")
    return channel.descriptor, channel.file_size
