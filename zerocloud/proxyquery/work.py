"""One session as whoever runs it knows it: the node it is a copy of, where it belongs, what has to be sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.sysmap import Access, Channel, Node, Slice, SwiftPath
from zerocloud.wire import BOOT_MEMBER, ChannelDescription, NodeDescription, SliceDescription

from .placement import Place
from .sources import Need

READS = Access.READABLE | Access.CDR


@dataclass(frozen=True)
class Work:
    """What one session is made of. ``environment`` is the guest's, whole; ``timeout`` its own limit in seconds."""

    id: int
    node: Node
    place: Place
    environment: Mapping[str, str]
    timeout: float

    @property
    def program(self) -> SwiftPath | None:
        """The executable, unless it is in an image."""
        return self.node.remote.get(BOOT_MEMBER)

    def inputs(self, push: bool, server: str = "") -> tuple[tuple[str, Need], ...]:
        """What has to be sent to a server beside the executable, by the names of its members and in their order.

        ``push``: also what lies there.
        """
        found = []
        for channel in self.node.channels:
            brought = channel.device in self.node.remote or ((push or not self.place.local) and self._attached(channel))
            if brought and self._neighbour(channel, push, server) is None and isinstance(channel.path, SwiftPath):
                found.append((channel.device, Need(channel.path, channel.slice)))
        return tuple(found)

    def _attached(self, channel: Channel) -> bool:
        """Whether the channel reads the object that the node is attached to."""
        path = channel.path
        if self.node.access != "GET" or not isinstance(path, SwiftPath) or not channel.access & READS:
            return False
        return bool(path.object) and path.path == self.node.path_info

    def _neighbour(self, channel: Channel, push: bool, server: str) -> int | None:
        """The partition of an input that lies where the attached object lies; None if it does not, or is to be sent."""
        path = channel.path
        if push or channel.device not in self.node.remote or not isinstance(path, SwiftPath):
            return None
        neighbour = self.place.neighbours.get(path)
        return neighbour.partition if neighbour and server in neighbour.servers else None

    def description(self, push: bool, name_service: str | None, token: str | None, server: str = "") -> NodeDescription:
        """What its server is told of it (executing server, section 4)."""
        node = self.node
        local = self.place.local and not push
        return NodeDescription(
            id=self.id,
            name=node.name,
            exe=node.exe.url,
            exe_name=node.exe_name,
            args=node.args,
            env=self.environment,
            channels=tuple(_channel(channel, self._neighbour(channel, push, server)) for channel in node.channels),
            bind=tuple(connection.line for connection in node.binds),
            connect=tuple(connection.line for connection in node.connects),
            name_service=name_service,
            token=token,
            access=node.access if local else "",
            path_info=self.place.path if local else f"/{node.path_info.lstrip('/').partition('/')[0]}",
            replicate=node.replicate,
            data_in=node.data_in,
            timeout=node.timeout,
            memory=node.memory,
        )


def _channel(channel: Channel, partition: int | None) -> ChannelDescription:
    return ChannelDescription(
        device=channel.device,
        access=int(channel.access),
        path=channel.path.url if channel.path else None,
        content_type=channel.content_type,
        meta=channel.meta,
        mode=channel.mode,
        min_size=channel.min_size,
        removable=channel.removable,
        mountpoint=channel.mountpoint,
        slice=_slice(channel.slice) if channel.slice else None,
        partition=partition,
    )


def _slice(part: Slice) -> SliceDescription:
    return SliceDescription(part.start, part.end, part.size, part.separator)
