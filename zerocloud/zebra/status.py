"""What is to be known of a running Zebra, as plain values: the JSON of ``zebra status --json``, and the source of its table."""

from __future__ import annotations

from typing import Any

from zerocloud.zebra import leftovers, settings, state, walls
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.processes import Process
from zerocloud.zebra.state import Member

RUNNING = "running"
DEAD = "dead"


def report(layout: Layout) -> dict[str, Any]:
    """Everything about the directory's Zebra. Raises DirectoryError, NotRunning.

    Times are in seconds, ``memory`` in bytes (shared pages in equal parts), None where it can't be told.
    """
    now = state.running(layout)
    known = settings.load(layout)
    return {
        "directory": str(layout.directory),
        "url": known.url,
        "nodes": known.nodes,
        "replicas": known.replicas,
        "ec": known.ec,
        "policy": known.policy,
        "auth": known.auth,
        "encrypted": bool(known.encryption_secret),
        "uptime": round(now.supervisor.age, 1),
        "walls": walls.summary(),
        "processes": [
            {"name": "zebra", **_process(now.supervisor), "ending": None, "address": None, "ports": {}},
            *map(_member, now.members),
            *_executors(layout, known.node_numbers),
        ],
    }


def all_run(report: dict[str, Any]) -> bool:
    """Whether no process of the report is dead."""
    return all(process["state"] == RUNNING for process in report["processes"])


def _member(member: Member) -> dict[str, Any]:
    """A process that the supervisor has not buried yet may be dead all the same."""
    values = _process(member.process) if member.alive else _dead(member.process)
    return {"name": member.name, **values, "ending": member.ending, "address": member.address, "ports": dict(member.ports)}


def _executors(layout: Layout, nodes: range) -> list[dict[str, Any]]:
    """The executor services that run now; a node starts its own with its first job."""
    found = []
    for node in nodes:
        service = leftovers.executor(layout, node)
        if service is not None:
            found.append({"name": f"zerovm-node{node}", **_process(service), "ending": None, "address": None, "ports": {}})
    return found


def _process(process: Process) -> dict[str, Any]:
    return {"state": RUNNING, "pid": process.pid, "uptime": round(process.age, 1), "memory": process.memory}


def _dead(process: Process) -> dict[str, Any]:
    return {"state": DEAD, "pid": process.pid, "uptime": None, "memory": None}
