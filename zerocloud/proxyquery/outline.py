"""Turns a plan into what the scheduler runs: sessions with their gangs and units, and the work behind each. Pure.

Source: system map, section 8; the terms are the scheduler's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zerocloud.sysmap import Node, Plan

from .environment import node_environment
from .placement import Place
from .scheduler import Session
from .work import Work

WHOLE_JOB = 0
"""The unit of jobs whose outputs appear all together."""


@dataclass(frozen=True)
class Outline:
    """The sessions of a job in the order of its nodes, copies after their nodes, and the work of each."""

    sessions: tuple[Session, ...]
    works: Mapping[int, Work]


def outline(
    plan: Plan,
    place: Callable[[Node], Place],
    environment: Mapping[str, str],
    timeout: float,
    hold: int,
    networked: bool,
) -> Outline:
    """Lay out a job. ``timeout`` is the job's, ``hold`` the largest number of nodes that publish all together."""
    gangs = gangs_of(plan)
    whole = len(plan.nodes) <= hold and not any(node.continue_on_error for node in plan.nodes)
    sessions: list[Session] = []
    works: dict[int, Work] = {}
    for node in plan.nodes:
        seat = place(node)
        limit = min(timeout, node.timeout) if node.timeout else timeout
        copies = plan.copies(node)
        speculates = node.speculate and not node.connected and len(copies) == 1
        for turn, copy in enumerate((*copies, *([node.id + len(plan.nodes)] if speculates else []))):
            works[copy] = Work(copy, node, seat, node_environment(environment, node), limit)
            sessions.append(
                Session(
                    id=copy,
                    node=node.id,
                    name=node.name,
                    gang=gangs[node.id] if node.connected else copy,
                    unit=WHOLE_JOB if whole else gangs[node.id],
                    servers=seat.servers,
                    spares=seat.spares,
                    networked=networked and node.connected,
                    retries=node.retries,
                    keep_going=node.continue_on_error,
                    location=f"{node.location}/{turn}" if node.location else "",  # copies run apart from each other
                    group=node.group,
                    reserve=speculates and copy not in copies,
                )
            )
    return Outline(tuple(sessions), works)


def gangs_of(plan: Plan) -> dict[int, int]:
    """For each node the smallest id among those that are connected with it, directly or through others."""
    parents = {node.id: node.id for node in plan.nodes}

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    for node in plan.nodes:
        for connection in (*node.binds, *node.connects):
            for peer in connection.peers:
                if peer in parents:  # the others are copies of it
                    ends = sorted((root(node.id), root(peer)))
                    parents[ends[1]] = ends[0]
    return {node: root(node) for node in parents}
