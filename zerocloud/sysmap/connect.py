"""Joins nodes: who sends to whom, and on which devices. Source: system map, section 9."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from .context import Limits
from .devices import INPUTS, OUTPUTS, RESERVED, name_fault
from .expand import Draft
from .groups import Device, Group
from .inputs import Unplannable
from .problems import Pointer, Problems, did_you_mean, shown
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


@dataclass(frozen=True, slots=True)
class Target:
    """What one name that a group sends to stands for, and the devices that lead there; None is the default one."""

    nodes: Sequence[int]
    devices: Sequence[Device | None]

    def count(self, members: range) -> int:
        """How many streams the nodes ``members`` send there. A node does not send to itself."""
        to_itself = len(self.nodes) if self.nodes and self.nodes[0] in members else 0
        return len(self.devices) * (len(members) * len(self.nodes) - to_itself)


def links(groups: Sequence[Group], nodes: Nodes, unplanned: AbstractSet[str], limits: Limits, problems: Problems) -> list[Link]:
    """All streams of the job. Groups in ``unplanned`` have no nodes because of mistakes that were noted before."""
    made: list[Link] = []
    total = 0
    for group in groups:
        members = nodes.by_group[group.name]
        targets = _targets(group, nodes, unplanned, problems)
        total += sum(target.count(members) for target in targets)
        if total > limits.maxconnections:
            reason = f"With those of {group.name} the job has {total} connections, the limit is {limits.maxconnections}"
            problems.add((*group.pointer, "connect"), reason)
            return []
        try:
            made += _links_of(members, _merged(targets), nodes.drafts, limits, problems)
        except Unplannable:
            continue
    return made


def _targets(group: Group, nodes: Nodes, unplanned: AbstractSet[str], problems: Problems) -> list[Target]:
    own: dict[str, list[Device]] = {}
    for device in group.devices:
        if device.peer:
            own.setdefault(device.peer.host, []).append(device)
    listed = {name: index for index, name in reversed(list(enumerate(group.connect)))}
    names = dict.fromkeys((*group.connect, *own))
    targets = []
    for name in names:
        place = (*group.pointer, "connect", listed[name]) if name in listed else own[name][0].pointer
        found = nodes.find(name)
        if not found and not is_claimed(name, unplanned):
            _note_unknown(place, name, nodes, problems)
        elif found and nodes.drafts[found[0]].name == group.name:
            problems.add(place, f"Cannot bind to itself: {group.name}")
        else:
            targets.append(Target(found, own.get(name, (None,))))
    return targets


def is_claimed(name: str, groups: AbstractSet[str]) -> bool:
    """Whether a name in ``connect`` is that of one of these groups, or of a node that one may have."""
    return name in groups or name.rpartition("-")[0] in groups


def _note_unknown(pointer: Pointer, name: str, nodes: Nodes, problems: Problems) -> None:
    cure = did_you_mean(name, (*nodes.by_group, *nodes.by_name))
    problems.add(pointer, f"Non-existing node in connect {shown(name)}", cure)


def check_unplanned(document: object, nodes: Nodes, names: AbstractSet[str], problems: Problems) -> None:
    """Note what groups without nodes, because of other mistakes, have in ``connect``, and none of ``names`` claims."""
    for index, group in enumerate(document if isinstance(document, list) else ()):
        name = group.get("name") if isinstance(group, dict) else ""
        if not isinstance(group, dict) or (isinstance(name, str) and name in nodes.by_group):
            continue
        connect = group.get("connect")
        for position, target in enumerate(connect if isinstance(connect, list) else ()):
            if isinstance(target, str) and target and not is_claimed(target, names):
                _note_unknown((index, "connect", position), target, nodes, problems)


def _merged(targets: Sequence[Target]) -> dict[int, list[Device | None]]:
    """The nodes that are sent to, in order, each with all devices that lead there; named twice, they are sent to once."""
    merged: dict[int, list[Device | None]] = {}
    for target in targets:
        for index in target.nodes:
            devices = merged.setdefault(index, [])
            devices += [device for device in target.devices if device or None not in devices]
    return merged


def _links_of(
    members: range, receivers: dict[int, list[Device | None]], drafts: list[Draft], limits: Limits, problems: Problems
) -> Iterator[Link]:
    for sender in members:
        for receiver, devices in receivers.items():
            if sender != receiver:
                for device in devices:
                    yield _link(sender, receiver, device, drafts, limits, problems)


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
    for node, name, unfit in ((here, sender_device, INPUTS), (there, receiver_device, OUTPUTS)):
        fault = name_fault(name, limits.maxname, slashes=True)
        if fault or name in RESERVED or name in unfit:
            reason = f"Bad device name: {shown(name)} in {node.name}: {fault or 'it cannot be connected'}"
            problems.add((*device.pointer, "path"), reason)
            raise Unplannable
    return Link(sender, receiver, sender_device, receiver_device)
