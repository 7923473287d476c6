"""What the tests of sessions share."""

from __future__ import annotations

import os
from collections.abc import Iterable

from zerocloud.zerovm.channels import open_channel
from zerocloud.zerovm.hostchannel import HostChannel
from zerocloud.zerovm.manifest import ChannelLine


def views(*pieces: bytes | bytearray | int) -> list[memoryview]:
    """Windows as a guest would give them: of bytes, or of a number of zeros."""
    return [memoryview(bytearray(piece)) for piece in pieces]


def opened(text: str, descriptors: Iterable[int] = (), **options: bool) -> HostChannel:
    """A channel from its line."""
    return open_channel(ChannelLine.parse(text, 7), list(descriptors), **options)


def read(channel: HostChannel, size: int) -> bytes:
    """One sequential read."""
    [view] = views(size)
    return bytes(view[: channel.read([view])])


def pread(channel: HostChannel, size: int, offset: int) -> bytes:
    """One random read."""
    [view] = views(size)
    return bytes(view[: channel.pread([view], offset)])


def read_all(channel: HostChannel, size: int = 1 << 16) -> bytes:
    """Everything up to the end."""
    pieces = []
    while piece := read(channel, size):
        pieces.append(piece)
    return b"".join(pieces)


def open_descriptors() -> set[str]:
    """The descriptors of this process, with what they are."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except FileNotFoundError:
            pass
    return {entry for entry in found if not entry.endswith(f"/proc/{os.getpid()}/fd")}
