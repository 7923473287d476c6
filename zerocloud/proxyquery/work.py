"""One session as whoever runs it knows it: the node it is a copy of, where it belongs, what has to be sent to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.sysmap import Channel, Node, SwiftPath
from zerocloud.wire import BOOT_MEMBER, ChannelDescription, NodeDescription

from .placement import Place


@dataclass(frozen=True)
class Work:
    """What one session is made of. ``environment`` is the guest's, whole; ``timeout`` its own limit in seconds."""

    id: int
    node: Node
    place: Place
    environment: Mapping[str, str]
    timeout: float

    def remote(self, push: bool) -> tuple[tuple[str, SwiftPath], ...]:
        """The objects to be sent, by the names of their members: the executable, then inputs in the order of the channels."""
        found = dict(self.node.remote)
        if push or not self.place.local:
            found |= dict(self._attached())
        order = [BOOT_MEMBER, *(channel.device for channel in self.node.channels)]
        return tuple((name, found[name]) for name in order if name in found)

    def _attached(self) -> tuple[tuple[str, SwiftPath], ...]:
        """The readable channels on the object that the node is attached to."""
        return tuple(
            (channel.device, channel.path)
            for channel in self.node.channels
            if isinstance(channel.path, SwiftPath)
            and channel.path.path == self.node.path_info
            and self.node.access == "GET"
            and channel.path.object
        )

    def description(self, push: bool, name_service: str | None, token: str | None) -> NodeDescription:
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
            channels=tuple(map(_channel, node.channels)),
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


def _channel(channel: Channel) -> ChannelDescription:
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
    )
