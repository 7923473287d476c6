"""Joins nodes: who sends to whom, and on which devices. Source: system map, section 9."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from .context import Limits
from .devices import ANSWERING, RESERVED, name_fault
from .expand import Draft
from .groups import Device, Group
from .inputs import Unplannable
from .problems import Problems, did_you_mean, shown
from .wildcards import Glob, TooFewCaptures


@dataclass(frozen=True, slots=True)
class Link:
    """One stream: indexes of the sending and the receiving node, and what each calls it (without ``/dev/``)."""

    sender: int
    receiver: int
    sender_device: str
    receiver_device: str


@dataclass(slots=True)
class Nodes:
    """All nodes of a job by index, by name and by group."""

    drafts: list[Draft]
    by_name: dict[str, int] = field(default_factory=dict)
    by_group: dict[str, range] = field(default_factory=dict)

    def add(self, group: str, drafts: Sequence[Draft]) -> None:
        """Append the nodes of one group."""
        first = len(self.drafts)
        self.drafts += drafts
        self.by_group[group] = range(first, len(self.drafts))
        self.by_name.update((draft.name, index) for index, draft in enumerate(drafts, first))

    def find(self, target: str) -> Sequence[int]:
        """The nodes that a name in ``connect`` means: one node, or all of a group."""
        if target in self.by_name:
            return (self.by_name[target],)
        return self.by_group.get(target, ())


def links(groups: Sequence[Group], nodes: Nodes, unplanned: AbstractSet[str], limits: Limits, problems: Problems) -> list[Link]:
    """All streams of the job. Groups in ``unplanned`` have no nodes because of mistakes that were noted before."""
    routes = {group.name: _routes(group, nodes, unplanned, problems) for group in groups}
    total = sum(len(nodes.by_group[name]) * sum(map(len, targets.values())) for name, targets in routes.items())
    if total > limits.maxconnections:
        problems.add((), f"The job has {total} connections, the limit is {limits.maxconnections}")
        return []
    made: list[Link] = []
    for group in groups:
        try:
            for sender in nodes.by_group[group.name]:
                for receiver, devices in routes[group.name].items():
                    if sender != receiver:
                        made += (_link(sender, receiver, device, nodes.drafts, limits, problems) for device in devices)
        except Unplannable:
            continue
    return made


Routes = dict[int, list[Device | None]]
"""The nodes that a group sends to, in order, and the devices that lead there; None stands for the default ones."""


def _routes(group: Group, nodes: Nodes, unplanned: AbstractSet[str], problems: Problems) -> Routes:
    own: dict[str, list[Device]] = {}
    for device in group.devices:
        if device.peer:
            own.setdefault(device.peer.host, []).append(device)
    targets = dict.fromkeys((*group.connect, *own))
    members = nodes.by_group[group.name]
    if targets and not members:
        problems.add((*group.pointer, "connect"), f"Non existing node in connect string for node {group.name}")
        return {}
    routes: Routes = {}
    for target in targets:
        place = (*group.pointer, "connect", group.connect.index(target)) if target in group.connect else own[target][0].pointer
        found = nodes.find(target)
        if not found and target not in unplanned and target.rpartition("-")[0] not in unplanned:
            cure = did_you_mean(target, (*nodes.by_group, *nodes.by_name))
            problems.add(place, f"Non-existing node in connect {shown(target)}", cure)
        if found and list(found) == list(members) and nodes.drafts[members[0]].name == group.name:
            problems.add(place, f"Cannot bind to itself: {group.name}")
        for index in found:
            route = routes.setdefault(index, [])
            route += [device for device in own.get(target, (None,)) if device not in route]
    return routes


def _link(sender: int, receiver: int, device: Device | None, drafts: list[Draft], limits: Limits, problems: Problems) -> Link:
    if device is None:
        return Link(sender, receiver, f"out/{drafts[receiver].name}", f"in/{drafts[sender].name}")
    assert device.peer is not None
    here, there = drafts[sender], drafts[receiver]
    try:
        sender_device = Glob(tuple(device.name.split("*"))).fill(there.wildcards)
        receiver_device = device.peer.device.fill(here.wildcards).removeprefix("/dev/")
    except TooFewCaptures as error:
        problems.add((*device.pointer, "path"), f"Cannot resolve wildcard for node {here.name}: {error}")
        raise Unplannable from error
    for node, name, unfit in ((here, sender_device, ("stdin",)), (there, receiver_device, (*ANSWERING, "output"))):
        fault = name_fault(name, limits.maxname, slashes=True)
        if fault or name in RESERVED or name in unfit:
            reason = f"Bad device name: {shown(name)} in {node.name}: {fault or 'it cannot be connected'}"
            problems.add((*device.pointer, "path"), reason)
            raise Unplannable
    return Link(sender, receiver, sender_device, receiver_device)
