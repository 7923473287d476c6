"""One session as whoever runs it knows it: the node it is a copy of, where it belongs, what has to be sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from zerocloud.attached import input_variables
from zerocloud.sysmap import Access, Channel, Node, Slice, SwiftPath
from zerocloud.wire import BOOT_MEMBER, REST_SUFFIX, ChannelDescription, NodeDescription, SliceDescription

from .placement import Place
from .segments import attached_slice
from .sources import Need, Source

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

    def description(
        self,
        push: bool,
        name_service: str | None,
        token: str | None,
        server: str = "",
        edges: tuple[int, int] = (0, 0),
        sent: Mapping[str, Source] | None = None,
    ) -> NodeDescription:
        """What its server is told of it (executing server, section 4).

        ``edges``: what it sees of a part, for a segment. ``sent`` are the inputs that go along, by device, and ready.
        """
        node = self.node
        local = self.place.local and not push
        return NodeDescription(
            id=self.id,
            name=node.name,
            exe=node.exe.url,
            exe_name=node.exe_name,
            args=node.args,
            env={**self._told_of_object(push, sent or {}), **self.environment},
            channels=tuple(self._description(channel, push, server, edges) for channel in node.channels),
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

    def _told_of_object(self, push: bool, sent: Mapping[str, Source]) -> dict[str, str]:
        """The variables of the object that it is attached to, where no server knows them: it is sent, or lies in segments."""
        for channel in self.node.channels:
            if not self._attached(channel):
                continue
            segment, source = self.place.segment, sent.get(channel.device)
            if source is not None:
                size = channel.slice.size if channel.slice else source.size
                return input_variables(channel.device, self.node.path_info, size, source.headers)
            if segment is not None and channel.slice and not push:
                return input_variables(channel.device, self.node.path_info, channel.slice.size, segment.headers)
        return {}

    def _description(self, channel: Channel, push: bool, server: str, edges: tuple[int, int]) -> ChannelDescription:
        told = _channel(channel, self._neighbour(channel, push, server))
        segment = self.place.segment
        if segment is None or push or not self._attached(channel):
            return told
        start, end = (min(edge, segment.end) - segment.start for edge in edges)
        return replace(told, path=segment.path.url, slice=SliceDescription(start, end, segment.size, etag=segment.etag))

    def rest(self, edges: tuple[int, int]) -> tuple[str, Need] | None:
        """What of its part lies behind the segment: the name of its member, and what it is; None for nothing."""
        segment, found = self.place.segment, attached_slice(self.node)
        if segment is None or found is None or edges[1] <= segment.end:
            return None
        channel, part = found
        assert isinstance(channel.path, SwiftPath)
        behind = replace(part, start=segment.end, end=edges[1], mode="bytes", separator="")
        return channel.device + REST_SUFFIX, Need(channel.path, behind)


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
