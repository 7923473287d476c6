"""Tells what a plan would do, without doing it: every node, where it would run and why, what would travel.

Pure: what only the cluster knows (servers, sizes of objects that no listing told) is passed in as ``Facts``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .context import Limits
from .paths import SwiftPath
from .place import READS
from .plan import Channel, Node, Plan


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a node would run: servers in the order in which they would be asked, and a remark on them."""

    servers: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True)
class Facts:
    """What is known besides the plan: placements by node id, sizes in bytes, and the limits that apply."""

    placements: Mapping[int, Placement] = field(default_factory=dict)
    sizes: Mapping[SwiftPath, int] = field(default_factory=dict)
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A device and what it is bound to. ``size`` in bytes, None if not known; ``range`` is the part that a split gives."""

    device: str
    direction: str
    path: str | None
    size: int | None
    range: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """An object that would be sent to a node, as ``member``, because it is not there."""

    member: str
    path: str
    size: int | None


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node of an explanation. ``sends_to`` and ``receives_from`` are names of nodes."""

    id: int
    name: str
    group: str
    copies: int
    program: str
    place: str
    why: str
    servers: tuple[str, ...]
    channels: tuple[Bound, ...]
    sends_to: tuple[str, ...]
    receives_from: tuple[str, ...]
    brought: tuple[Transfer, ...]
    timeout: float | None
    memory: int | None
    retries: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the job; all bytes where sizes are known.

    ``fetched`` counts every object that is to be brought once, as it is read once; ``pushed`` each of its ways to a session.
    ``local`` are inputs that are read where they lie. ``unknown`` objects have no known size.
    """

    nodes: int
    sessions: int
    connections: int
    fetched_objects: int
    fetched_bytes: int
    pushed_bytes: int
    local_bytes: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan, explained."""

    nodes: tuple[NodeView, ...]
    totals: Totals
    limits: Mapping[str, float]

    def to_value(self) -> dict[str, Any]:
        """The explanation as a JSON object."""
        return asdict(self)


def unsized(plan: Plan) -> frozenset[SwiftPath]:
    """The objects that nodes read and whose size no listing has told: to be looked up for ``Facts.sizes``."""
    wanted = {path for node in plan.nodes for path in node.remote.values()}
    known: set[SwiftPath] = set()
    for node in plan.nodes:
        for channel in node.channels:
            if isinstance(channel.path, SwiftPath) and channel.access & READS:
                (wanted if channel.size is None else known).add(channel.path)
    return frozenset(path for path in wanted - known if path.object)


def explain(plan: Plan, facts: Facts) -> Explanation:
    """What the plan would do."""
    sizes = {**_listed_sizes(plan), **facts.sizes}
    names = {id_: node.name for node in plan.nodes for id_ in plan.copies(node)}
    nodes = tuple(_view(node, names, sizes, facts.placements.get(node.id)) for node in plan.nodes)
    limits = {} if facts.limits is None else asdict(facts.limits)
    return Explanation(nodes, _totals(plan, nodes, sizes), limits)


def _listed_sizes(plan: Plan) -> dict[SwiftPath, int]:
    channels = (channel for node in plan.nodes for channel in node.channels)
    return {c.path: c.size for c in channels if isinstance(c.path, SwiftPath) and c.size is not None}


def _view(node: Node, names: Mapping[int, str], sizes: Mapping[SwiftPath, int], placement: Placement | None) -> NodeView:
    return NodeView(
        id=node.id,
        name=node.name,
        group=node.group,
        copies=node.replicate,
        program=node.exe.url,
        place=node.path_info,
        why=_why(node) + (f"; {placement.remark}" if placement and placement.remark else ""),
        servers=placement.servers if placement else (),
        channels=tuple(_bound(channel, sizes) for channel in node.channels),
        sends_to=tuple(names[end.peers[0]] for end in node.connects),
        receives_from=tuple(names[end.peers[0]] for end in node.binds),
        brought=tuple(Transfer(member, path.url, sizes.get(path)) for member, path in node.remote.items()),
        timeout=node.timeout,
        memory=node.memory,
        retries=node.retries,
    )


def _why(node: Node) -> str:
    if not node.access:
        return "attached to no object: any server"
    verb = "reads" if node.access == "GET" else "writes"
    devices = [c.device for c in node.channels if isinstance(c.path, SwiftPath) and c.path.path == node.path_info]
    return f"{verb} it as {devices[0]}"


def _bound(channel: Channel, sizes: Mapping[SwiftPath, int]) -> Bound:
    reads = bool(channel.access & READS)
    path = channel.path
    part = channel.slice
    return Bound(
        device=channel.device,
        direction="in" if reads else "out",
        path=path.url if path else None,
        size=sizes.get(path) if reads and isinstance(path, SwiftPath) else None,
        range=(part.start, part.end) if part else None,
    )


def _totals(plan: Plan, nodes: tuple[NodeView, ...], sizes: Mapping[SwiftPath, int]) -> Totals:
    fetched = {path for node in plan.nodes for path in node.remote.values()}
    local = [channel for node in plan.nodes for channel in _local_inputs(node)]
    pushed = sum(node.replicate * sizes.get(path, 0) for node in plan.nodes for path in node.remote.values())
    read = fetched | {channel.path for channel in local if isinstance(channel.path, SwiftPath) and channel.path.object}
    return Totals(
        nodes=len(nodes),
        sessions=plan.total,
        connections=sum(len(node.connects) for node in plan.nodes),
        fetched_objects=len(fetched),
        fetched_bytes=sum(sizes.get(path, 0) for path in fetched),
        pushed_bytes=pushed,
        local_bytes=sum(_length(channel, sizes) for channel in local),
        unknown=sum(path not in sizes for path in read),
    )


def _local_inputs(node: Node) -> Iterator[Channel]:
    for channel in node.channels:
        if isinstance(channel.path, SwiftPath) and channel.access & READS and channel.device not in node.remote:
            yield channel


def _length(channel: Channel, sizes: Mapping[SwiftPath, int]) -> int:
    if channel.slice:
        return channel.slice.end - channel.slice.start
    return sizes.get(channel.path, 0) if isinstance(channel.path, SwiftPath) else 0


def size_text(size: int | None) -> str:
    """A size for people: ``?`` if it is not known."""
    if size is None:
        return "?"
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
