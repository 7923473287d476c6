"""Decides what stands behind each device of a node (executing server, section 6). Pure: nothing is opened here."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from zerocloud.objectquery.refusal import Refusal
from zerocloud.sysmap.plan import Access
from zerocloud.wire import ChannelDescription, NodeDescription

STANDARD = ("stdin", "stdout", "stderr")


class Backing(enum.Enum):
    """What a device is bound to."""

    MEMBER = "the file that came with the request"
    LOCAL_OBJECT = "the object's own data file"
    NEIGHBOUR = "the data file of another object on this device"
    LOCAL_CONTAINER = "a snapshot of the container's database"
    SYSTEM_IMAGE = "a tar image of this server"
    NOTHING = "/dev/null"
    OUTPUT = "a new temporary file"


@dataclass(frozen=True)
class Bound:
    """A device and what is behind it."""

    channel: ChannelDescription
    backing: Backing

    @property
    def readable(self) -> bool:
        """Whether the program may read it."""
        return self.backing is not Backing.OUTPUT

    @property
    def image(self) -> bool:
        """Whether it is a tar image, to be mounted."""
        return self.backing is Backing.SYSTEM_IMAGE or bool(self.channel.access & Access.CDR)


@dataclass(frozen=True)
class Ground:
    """Where the node runs and what is there: the local ``path`` (``/account[/container[/object]]``) and why it is there
    (``access``), the ``members`` that came with the request, the ``images`` of this server."""

    path: str
    access: str
    members: Collection[str]
    images: Collection[str]

    @property
    def is_object(self) -> bool:
        """Whether the local path is an object's."""
        return self.path.count("/") >= 3


def bind(node: NodeDescription, ground: Ground) -> tuple[Bound, ...]:
    """The node's devices in their order. One of an unknown name with a path is left out, as the system map says; so is a member
    that belongs to no device.

    Raises :class:`Refusal` (400) for a device that needs data and has none, and for one that is described twice.
    """
    bound = [Bound(channel, backing) for channel in node.channels if (backing := _backing(channel, ground)) is not None]
    times = Counter(channel.device for channel in node.channels)
    if doubled := next((device for device, count in times.items() if count > 1), None):
        raise Refusal(400, f"Device {doubled} of node {node.name} is described twice")
    return tuple(bound)


def _backing(channel: ChannelDescription, ground: Ground) -> Backing | None:
    if channel.device in ground.members:
        return Backing.MEMBER
    reads = bool(channel.access & (Access.READABLE | Access.CDR))
    if reads and ground.access == "GET" and channel.path == f"swift:/{ground.path}":
        return Backing.LOCAL_OBJECT if ground.is_object else Backing.LOCAL_CONTAINER
    if reads and channel.partition is not None and channel.path:
        return Backing.NEIGHBOUR
    if channel.device in ground.images:
        return Backing.SYSTEM_IMAGE
    if channel.device == "stdin" and channel.path is None:
        return Backing.NOTHING
    if channel.access & Access.NETWORK:
        raise Refusal(400, f"Device {channel.device}: a server's programs may not open connections of their own")
    if reads:
        raise Refusal(400, f'Could not resolve channel path "{channel.path or ""}" for device: {channel.device}')
    if channel.access & Access.WRITABLE:
        return Backing.OUTPUT
    return None
