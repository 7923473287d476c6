"""Plans a job: reads the map, makes its nodes, joins them, gives each its place. Source: system map, sections 1 to 9."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .catalogue import Catalogue
from .connect import Link, Nodes, check_unplanned, links
from .context import Context
from .document import read_document
from .expand import Draft, expand
from .groups import Group
from .inputs import Unplannable
from .lines import connections
from .outputs import Outputs
from .place import Place, place, wants_payload
from .plan import Connection, Node, Plan
from .problems import Problems, shown


def plan_job(document: object, context: Context) -> Plan:
    """The plan of a job from its map (any JSON value).

    Asks ``context.listing`` for what wildcards and splits need; what it raises besides ListingError passes through. Raises
    SystemMapError with all the mistakes of the map.
    """
    problems = Problems()
    nodes, planned = _expand_all(read_document(document, context, problems), context, problems)
    names = _names(document)
    made = links(planned, nodes, names - nodes.by_group.keys(), context.limits, problems)
    check_unplanned(document, nodes, names, problems)
    places = _place_all(planned, nodes, context, problems)
    _expect_unconnected(planned, nodes, made, problems)
    problems.check()
    binds, connects = connections(made, [found.replicate for found in places], context)
    parts = zip(nodes.drafts, places, binds, connects, strict=True)
    plan = Plan(tuple(_node(index, *part) for index, part in enumerate(parts, 1)))
    _expect_distinct_devices(plan, nodes, problems)
    problems.check()
    return plan


def check_map(document: object, context: Context) -> None:
    """Look for the mistakes that a map has wherever it is run: nothing is listed. Raises SystemMapError with all of them."""
    problems = Problems()
    read_document(document, context, problems)
    problems.check()


def _names(document: object) -> set[str]:
    """Every name that a group of the document claims."""
    groups = document if isinstance(document, list) else []
    names = (group.get("name") for group in groups if isinstance(group, dict))
    return {name for name in names if isinstance(name, str)}


def _expand_all(groups: Sequence[Group], context: Context, problems: Problems) -> tuple[Nodes, list[Group]]:
    """The nodes of all groups, and those groups for which they could be made."""
    catalogue, outputs = Catalogue(context.listing, context.limits), Outputs(problems)
    nodes = Nodes([])
    planned = []
    for group in groups:
        try:
            room = context.limits.maxnodes - len(nodes.drafts)
            drafts = expand(group, room, catalogue, outputs, context, problems)
            _expect_new_names(group, drafts, nodes, problems)
        except Unplannable:
            continue
        nodes.add(group.name, drafts)
        planned.append(group)
    return nodes, planned


def _expect_new_names(group: Group, drafts: Sequence[Draft], nodes: Nodes, problems: Problems) -> None:
    for name in (group.name, *(draft.name for draft in drafts)):
        if name in nodes.by_name or name in nodes.by_group:
            problems.add((*group.pointer, "name"), f"Two groups or nodes have the name {name}", "Rename one of the groups")
            raise Unplannable


def _place_all(planned: Sequence[Group], nodes: Nodes, context: Context, problems: Problems) -> list[Place]:
    places = []
    for group in planned:
        try:
            places += [place(nodes.drafts[index], context, problems) for index in nodes.by_group[group.name]]
        except Unplannable:
            continue
    return places


def _expect_unconnected(planned: Sequence[Group], nodes: Nodes, made: Sequence[Link], problems: Problems) -> None:
    """Notes groups that ask for speculation but have connections: a connected group runs and fails as one."""
    connected = {index for link in made for index in (link.sender, link.receiver)}
    for group in planned:
        if group.speculate and any(index in connected for index in nodes.by_group[group.name]):
            problems.add((*group.pointer, "speculate"), f"{group.name} is connected: only unconnected groups can speculate")


def _expect_distinct_devices(plan: Plan, nodes: Nodes, problems: Problems) -> None:
    for node, draft in zip(plan.nodes, nodes.drafts, strict=True):
        used = Counter(end.device for ends in (node.channels, node.binds, node.connects) for end in ends)
        twice = next((device for device, times in used.items() if times > 1), None)
        if twice is not None:
            reason = f"Device {shown(twice)} of node {node.name} is used {used[twice]} times, with its connections"
            problems.add(draft.group.pointer, reason, "Tell them apart by a *, or by connect without zvm://")


def _node(node_id: int, draft: Draft, found: Place, binds: Sequence[Connection], connects: Sequence[Connection]) -> Node:
    group = draft.group
    return Node(
        id=node_id,
        name=draft.name,
        group=group.name,
        exe=group.program.path,
        exe_name=group.program.name or draft.name,
        args=group.program.args,
        env=draft.env,
        channels=tuple(draft.channels),
        binds=tuple(binds),
        connects=tuple(connects),
        replicate=found.replicate,
        attach=group.attach,
        access=found.access,
        path_info=found.path_info,
        location=group.location,
        wildcards=draft.wildcards,
        data_in=any(map(wants_payload, draft.channels)),
        remote=found.remote,
        timeout=group.timeout,
        memory=group.memory,
        retries=group.retries,
        continue_on_error=group.continue_on_error,
        ignore_exit=group.ignore_exit,
        speculate=group.speculate,
    )
