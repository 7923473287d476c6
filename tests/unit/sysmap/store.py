"""A store in memory, and short forms for what the tests say most often."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from zerocloud.sysmap import Access, Context, Limits, Node, Plan, Problem, StoredListing, SystemMapError, plan_job

STORE = {
    "a": {
        "c": {"exe": 1000, "o": 10},
        "c_in1": {"input1": 11, "input2": 12, "junk": 13},
        "c_in2": {"input1": 21, "input2": 22, "junk": 23},
        "data": {"logs/": 0, "logs/a-1.log": 1, "logs/b-2.log": 2, "one.dat": 3, "x1.txt": 4, "x2.txt": 5},
        "imgs": {"i1.tar": 100, "i2.tar": 200},
    }
}


class MemoryListing(StoredListing):
    """A listing in memory that notes what it is asked."""

    def __init__(self, store: dict[str, dict[str, dict[str, int]]]):
        super().__init__(store)
        self.asked: list[tuple[str, ...]] = []

    def containers(self, account):
        self.asked.append((account,))
        return super().containers(account)

    def objects(self, account, container, prefix):
        self.asked.append((account, container, prefix))
        return super().objects(account, container, prefix)


def context(store: Any = STORE, **changes: Any) -> Context:
    """The context of the worked examples."""
    base = Context(
        account="a",
        listing=MemoryListing(store),
        limits=Limits(reads=1, rbytes=2, writes=3, wbytes=4),
        job="TX",
        system_images=frozenset(("py",)),
    )
    limits = changes.pop("limits", {})
    return replace(base, limits=replace(base.limits, **limits), **changes)


def group(name: str = "sort", *devices: Any, exe: str = "swift://./c/exe", **more: Any) -> dict[str, Any]:
    """A group. A device is a name, a pair of name and path, or an object."""
    return {"name": name, "exec": {"path": exe}, "devices": [device(d) for d in devices], **more}


def device(short: Any) -> Any:
    """A device from its short form."""
    if isinstance(short, str):
        return {"name": short}
    if isinstance(short, tuple):
        return {"name": short[0], "path": short[1]}
    return short


def plan(*groups: Any, **changes: Any) -> Plan:
    """The plan of these groups in the store of the worked examples."""
    return plan_job(list(groups), context(**changes))


def problems(*groups: Any, **changes: Any) -> tuple[Problem, ...]:
    """The mistakes of these groups."""
    with pytest.raises(SystemMapError) as caught:
        plan(*groups, **changes)
    return caught.value.problems


def problem(*groups: Any, **changes: Any) -> Problem:
    """The only mistake of these groups."""
    found = problems(*groups, **changes)
    assert len(found) == 1, found
    return found[0]


def told(node: Node) -> str:
    """A node in the notation of the worked examples."""
    channels = ", ".join(channel.device + (f"={channel.path.url}" if channel.path else "") for channel in node.channels)
    place = f"{node.access} {node.path_info}".strip()
    return f"{node.id} {node.name} [{place}] {channels}"


def lines(connections: Any) -> list[str]:
    """The manifest lines of connections."""
    return [connection.line for connection in connections]


def paths(found: Plan, device: str) -> list[str]:
    """What every node has on a device."""
    return [next(channel.path.url for channel in node.channels if channel.device == device) for node in found.nodes]


IN = ("stdin", "swift://a/c_in1/in*")
READ, RANDOM, WRITE, CDR = Access.READABLE, Access.READABLE | Access.RANDOM, Access.WRITABLE, Access.CDR
