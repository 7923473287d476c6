"""Makes a group's nodes: first how many there are, then every device on each of them. Source: system map, sections 4 and 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .catalogue import Catalogue
from .context import Context
from .devices import DEVICES
from .groups import AUTO, Device, Group
from .inputs import Share, Unplannable, share_out
from .outputs import Outputs
from .paths import Location, PeerPath, SwiftPath, SwiftPattern
from .plan import Access, Channel, Slice
from .problems import Problems
from .urls import USER_IMAGE


@dataclass(slots=True)
class Draft:
    """A node that is being made: everything but its id, its connections and its place."""

    name: str
    group: Group
    channels: list[Channel]
    wildcards: tuple[str, ...]
    env: Mapping[str, str]


def expand(
    group: Group, room: int, catalogue: Catalogue, outputs: Outputs, context: Context, problems: Problems
) -> list[Draft]:
    """The nodes of one group, at most ``room`` of them. Raises Unplannable."""
    spreading = [device for device in in_order(group.devices) if device.spreads]
    if spreading:
        shares = share_out(group, spreading, catalogue, context, problems)
    else:
        shares = [Share(())] * (group.count if group.count != AUTO else max(1, min(context.slots, room)))
    if len(shares) > room:
        limit = context.limits.maxnodes
        problems.add(group.pointer, f"{group.name} with {len(shares)} nodes brings the job above the limit of {limit} nodes")
        raise Unplannable
    numbered = bool(spreading) or len(shares) > 1 or group.count == AUTO
    drafts = [_draft(group, f"{group.name}-{i}" if numbered else group.name, share) for i, share in enumerate(shares, 1)]
    for device in in_order(group.devices):
        if device.peer:
            continue
        if device.spreads:
            _add_inputs(drafts, device, spreading.index(device), shares, bool(group.each))
        elif device.access & Access.WRITABLE and device.paths:
            _add_outputs(drafts, device, shares, spreading, outputs, problems)
        else:
            _add_shared(drafts, _channel(device, device.paths[0] if device.paths else None))
    if context.image:
        _add_shared(drafts, Channel(USER_IMAGE, Access.CDR, removable=True))
    return drafts


def in_order(devices: Sequence[Device]) -> list[Device]:
    """The devices as a node has them: readable, images, writable, other; in each of these as they are listed."""
    return sorted(devices, key=_rank)


def _rank(device: Device) -> int:
    kind = DEVICES.get(device.name, Access.NONE)
    return next((i for i, bit in enumerate((Access.READABLE, Access.CDR, Access.WRITABLE)) if kind & bit), 3)


def _draft(group: Group, name: str, share: Share) -> Draft:
    env = group.program.env
    if group.each:
        env = {**env, "EACH_COUNT": str(len(share.objects[0]))}
    elif share.slice:
        env = {**env, **slice_environment(share.slice)}
    return Draft(name, group, [], share.captures or (), env)


def slice_environment(part: Slice) -> dict[str, str]:
    """The variables that tell a program its part of the object."""
    return {
        "SPLIT_INDEX": str(part.index),
        "SPLIT_COUNT": str(part.count),
        "SPLIT_START": str(part.start),
        "SPLIT_END": str(part.end),
        "SPLIT_SIZE": str(part.size),
    }


def _channel(
    device: Device, path: Location | None, name: str = "", size: int | None = None, part: Slice | None = None
) -> Channel:
    assert not isinstance(path, (SwiftPattern, PeerPath)), "patterns have been resolved, and streams are no channels"
    return Channel(
        device=name or device.name,
        access=device.access,
        path=path,
        content_type=device.content_type,
        meta=device.meta,
        mode=device.mode,
        min_size=device.min_size,
        size=size,
        slice=part,
    )


def _add_shared(drafts: Sequence[Draft], channel: Channel) -> None:
    for draft in drafts:
        draft.channels.append(channel)


def _add_inputs(drafts: Sequence[Draft], device: Device, column: int, shares: Sequence[Share], many: bool) -> None:
    for draft, share in zip(drafts, shares, strict=True):
        for index, match in enumerate(share.objects[column], 1):
            name = f"{device.name}/{index}" if many else device.name
            part = share.slice if device.split else None
            draft.channels.append(_channel(device, match.path, name, match.size, part))


def _add_outputs(
    drafts: Sequence[Draft],
    device: Device,
    shares: Sequence[Share],
    spreading: Sequence[Device],
    outputs: Outputs,
    problems: Problems,
) -> None:
    pattern = device.paths[0]
    if len(drafts) > 1 and isinstance(pattern, SwiftPath):
        reason = f"Single path {pattern.url} for multiple node definition: {drafts[0].group.name}, please use wildcard"
        problems.add((*device.pointer, "path"), reason)
        raise Unplannable
    inputs = " and ".join(path.url for source in spreading[:1] for path in source.paths[:3]) or "the node's name"
    for draft, share in zip(drafts, shares, strict=True):
        path = outputs.resolve(device, draft.name, share.captures, inputs)
        draft.channels.append(_channel(device, path))
        if share.captures is None and isinstance(pattern, SwiftPattern):
            draft.wildcards = max(draft.wildcards, (draft.name,) * pattern.stars, key=len)
