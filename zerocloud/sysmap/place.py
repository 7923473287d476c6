"""Decides where a node belongs, and what then has to be brought to it. Source: system map, section 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .context import Context
from .devices import DEVICES
from .expand import Draft
from .inputs import Unplannable
from .paths import SwiftPath
from .plan import Access, Channel
from .problems import Problems

READS = Access.READABLE | Access.CDR
BOOT = "boot"
"""The name under which a node's executable is brought to it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is to run (``path_info``), why (``access``), in how many copies, and what it lacks there."""

    path_info: str
    access: str
    replicate: int
    remote: dict[str, SwiftPath]


def place(draft: Draft, context: Context, problems: Problems) -> Place:
    """The place of one node. Raises Unplannable if a container would have to be brought."""
    chosen = attached(draft.channels, draft.group.attach)
    path_info, access, replicate = f"/{context.account}", "", max(1, draft.group.replicate)
    if chosen and isinstance(chosen.path, SwiftPath):
        if chosen.access & READS:
            path_info, access = chosen.path.path, "GET"
        elif chosen.access & Access.WRITABLE:
            path_info, access = chosen.path.path, "PUT"
    if context.network == "opaque" or context.ignore_replication:
        replicate = 1
    return Place(path_info, access, replicate, _remote(draft, path_info if access == "GET" else "", problems))


def attached(channels: Sequence[Channel], attach: str) -> Channel | None:
    """The channel whose object the node is to run next to, None if anywhere will do.

    By default the first readable device that has a path, ``script`` after all others, then images. A node that reads nothing
    goes to the first output that has a path.
    """
    bound = [channel for channel in channels if isinstance(channel.path, SwiftPath)]
    if attach != "default":
        return next((channel for channel in bound if channel.device in (attach, f"{attach}/1")), None)
    readers = [channel for channel in bound if channel.access & READS]
    if readers:
        return min(readers, key=_reluctance)
    if any(wants_payload(channel) for channel in channels):
        return None
    return next((channel for channel in bound if channel.access & Access.WRITABLE), None)


def wants_payload(channel: Channel) -> bool:
    """Whether the channel gets the request's payload: a readable device without a path, which is not a system image."""
    return channel.path is None and bool(DEVICES.get(channel.device, Access.NONE) & Access.READABLE)


def _reluctance(channel: Channel) -> int:
    return 2 if channel.access & Access.CDR else int(channel.device == "script")


def _remote(draft: Draft, local: str, problems: Problems) -> dict[str, SwiftPath]:
    program = draft.group.program.path
    remote = {BOOT: program} if isinstance(program, SwiftPath) else {}
    for channel in draft.channels:
        path = channel.path
        if not isinstance(path, SwiftPath) or not channel.access & READS or path.path == local:
            continue
        remote[channel.device] = path
        if not path.object:
            device = next(device for device in draft.group.devices if device.name == channel.device)
            reason = f"Cannot use container {path.url} as a remote object reference"
            problems.add((*device.pointer, "path"), reason, f'Write "attach": "{device.name}"')
            raise Unplannable
    return remote
