"""Where a node may run: the servers of the rings that have its object, in the order in which they are to be asked.

Source: HTTP API, section 9; executing server, section 1. The scheduler chooses among them by their load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from random import Random
from typing import Any

from swift.common.ring import Ring
from swift.common.storage_policy import POLICIES, REPL_POLICY

from zerocloud.swiftadapter import ErrorLimits
from zerocloud.sysmap import Node, SwiftPath

from .scheduler import Server, Tier
from .segments import Segment

LACKING = 0.01
"""The share of a node's inputs above which a server that lacks them comes after one that has them."""

RANDOM_PARTITIONS = 2
"""Partitions whose servers are offered to a node that is attached to nothing: more of them, more choice."""


@dataclass(frozen=True)
class Neighbour:
    """Another input of a node: its partition, and those of the node's servers on which it lies as well, by their names."""

    partition: int
    servers: frozenset[str]


@dataclass(frozen=True)
class Place:
    """Where a node belongs. ``path`` is that of the request to a server (executing server, section 1).

    ``local`` says whether a server is to open the attached object itself; if not, it has to be brought to the node. ``policy``
    is the storage policy's index, None on container servers. ``neighbours`` are inputs that some of the servers have, too.
    ``segment`` is what ``path`` is of a large object that the node reads a part of. ``remark`` says why it is there.
    """

    path: str
    partition: int
    policy: int | None
    local: bool
    servers: tuple[Server, ...]
    spares: Callable[[], tuple[Server, ...]]
    remark: str
    neighbours: Mapping[SwiftPath, Neighbour] = field(default_factory=dict)
    segment: Segment | None = None


class Placer:
    """Knows the rings. One for each job: it remembers the ring's devices of the servers it names."""

    def __init__(
        self, swift_dir: str, policies: tuple[int, ...], limits: ErrorLimits, random: Random, show_servers: bool
    ) -> None:
        """``policies`` are for nodes that are attached to nothing. Servers get their addresses as names, or random ones."""
        self._swift_dir = swift_dir
        self._policies = policies
        self._limits = limits
        self._random = random
        self._salt = b"" if show_servers else random.randbytes(16)
        self._container_ring: Any = None
        self._drawn: dict[tuple[str, str, str], Place] = {}
        self._known: dict[tuple[str, Tier], Server] = {}
        self.devices: dict[str, Mapping[str, Any]] = {}

    def place(self, node: Node, policy_of: Callable[[SwiftPath], int], segment: Segment | None = None) -> Place:
        """Where the node may run.

        ``policy_of`` tells the storage policy of an object's container, ``segment`` is where its part of a large object lies.
        """
        path_info = segment.path.path if segment else node.path_info
        account, container, name = [*path_info.lstrip("/").split("/", 2), "", ""][:3]
        if node.access != "GET" or not container:
            return self._anywhere(account, node.location)
        if not name:
            return self._at_container(account, container, node.id)
        policy = POLICIES.get_by_index(policy_of(SwiftPath(account, container, name)))
        if policy.policy_type != REPL_POLICY:
            return self._anywhere(account, node.location, f"policy {policy.name}: no server has its bytes as a file; ")
        ring = POLICIES.get_object_ring(int(policy), self._swift_dir)
        partition, devices = ring.get_nodes(account, container, name)
        place = self._place(path_info, partition, int(policy), ring, devices, node.id)
        if segment:
            place = replace(place, segment=segment, remark=f"{place.remark}; segment {path_info}")
        return self._with_neighbours(place, node, lambda path: policy_of(path) == int(policy), ring)

    def hosts(self) -> int:
        """The machines on which nodes that are attached to nothing may run."""
        rings = (POLICIES.get_object_ring(policy, self._swift_dir) for policy in self._policies)
        return len({device["ip"] for ring in rings for device in ring.devs if device and device["weight"] > 0})

    def affinity(self, policy_of: Callable[[SwiftPath], int]) -> Callable[[SwiftPath], Hashable]:
        """Objects for which the function gives equal values lie together: on the device of their first replica."""

        def home(path: SwiftPath) -> Hashable:
            policy = POLICIES.get_by_index(policy_of(path))
            if policy.policy_type != REPL_POLICY:
                return int(policy), None
            _, devices = POLICIES.get_object_ring(int(policy), self._swift_dir).get_nodes(*_names(path))
            return int(policy), devices[0]["id"]

        return home

    def _with_neighbours(self, place: Place, node: Node, alike: Callable[[SwiftPath], bool], ring: Any) -> Place:
        """The place with the node's other inputs; servers that lack much of what another has come after it."""
        names = {server.name for server in place.servers}
        weight, neighbours = Counter(dict.fromkeys(names, 0)), {}
        for channel in node.channels:
            path, size = channel.path, channel.size or 1
            if channel.device in node.remote and isinstance(path, SwiftPath) and path.object and alike(path):
                partition, devices = ring.get_nodes(*_names(path))
                neighbours[path] = Neighbour(partition, frozenset(names.intersection(map(self._name, devices))))
                weight.update(dict.fromkeys(neighbours[path].servers, size))
            elif isinstance(path, SwiftPath) and path.path == node.path_info:
                weight.update(dict.fromkeys(names, size))
        if not neighbours:
            return place
        enough = max(weight.values()) * (1 - LACKING)
        ranked = sorted(place.servers, key=lambda server: -weight[server.name])
        servers = (s if weight[s.name] >= enough else replace(s, tier=max(s.tier, Tier.HANDOFF)) for s in ranked)
        return replace(place, servers=tuple(servers), neighbours=neighbours)

    def _at_container(self, account: str, container: str, turn: int) -> Place:
        if self._container_ring is None:
            self._container_ring = Ring(self._swift_dir, ring_name="container")
        partition, devices = self._container_ring.get_nodes(account, container)
        return self._place(f"/{account}/{container}", partition, None, self._container_ring, devices, turn)

    def _place(self, path: str, partition: int, policy: int | None, ring: Any, devices: list[Any], turn: int) -> Place:
        """The primaries, begun with another one for each node; as many handoffs if it comes to that."""
        replicas = len(devices)
        turn %= replicas
        primaries = self._servers(devices[turn:] + devices[:turn], Tier.PRIMARY)
        return Place(
            path=path,
            partition=partition,
            policy=policy,
            local=True,
            servers=primaries,
            spares=lambda: self._servers(islice(ring.get_more_nodes(partition), replicas), Tier.HANDOFF),
            remark=f"primaries of partition {partition}, handoffs after them",
        )

    def _anywhere(self, account: str, location: str | None, reason: str = "") -> Place:
        """Any object server will do; nodes of one location choose from the same, or they might have none in common."""
        if not location:
            return self._draw(account, reason)
        key = (location, account, reason)
        if key not in self._drawn:
            self._drawn[key] = self._draw(account, reason)
        return self._drawn[key]

    def _draw(self, account: str, reason: str) -> Place:
        policy = self._random.choice(self._policies)
        ring = POLICIES.get_object_ring(policy, self._swift_dir)
        partitions = [self._random.randrange(ring.partition_count) for _ in range(RANDOM_PARTITIONS)]
        devices = {device["id"]: device for partition in partitions for device in ring.get_part_nodes(partition)}
        number = len(devices)
        return Place(
            path=f"/{account}",
            partition=partitions[0],
            policy=policy,
            local=False,
            servers=self._servers(devices.values(), Tier.PRIMARY),
            spares=lambda: self._servers(islice(ring.get_more_nodes(partitions[0]), number), Tier.HANDOFF),
            remark=f"{reason}servers drawn by chance, others at the run",
        )

    def _servers(self, devices: Iterable[Mapping[str, Any]], tier: Tier) -> tuple[Server, ...]:
        return tuple(self._server(device, Tier.LIMITED if self._limits.limited(device) else tier) for device in devices)

    def _server(self, device: Mapping[str, Any], tier: Tier) -> Server:
        """One for each server and tier, however many nodes may run there."""
        name = self._name(device)
        if (name, tier) not in self._known:
            self.devices.setdefault(name, device)
            self._known[name, tier] = Server(name, device["ip"], tier)
        return self._known[name, tier]

    def _name(self, device: Mapping[str, Any]) -> str:
        name = f"{device['ip']}:{device['port']}/{device['device']}"
        return f"server-{sha256(self._salt + name.encode()).hexdigest()[:8]}" if self._salt else name


def _names(path: SwiftPath) -> tuple[str, str, str]:
    return path.account, path.container, path.object


def standalone_policies(words: Iterable[str], warn: Callable[[str], None]) -> tuple[int, ...]:
    """The indexes of the policies for nodes that are attached to nothing, given by names or indexes; warns of unknown ones."""
    found = []
    for word in words:
        policy = POLICIES.get_by_index(word) if word.isdigit() else POLICIES.get_by_name(word)
        if policy is None:
            warn(f"Could not load storage policy: {word}")
        else:
            found.append(int(policy))
    return tuple(found) or (0,)
