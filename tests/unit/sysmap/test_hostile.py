"""Small maps that ask for much are planned, or refused, in little time: nothing is made before it is counted."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import count

import pytest

from zerocloud.sysmap import Context, Limits, ObjectEntry, SystemMapError, plan_job

from .store import group
from .work import counted

MOST_CALLS = 3_000_000
MOST_BYTES = 100_000


class Endless:
    """More containers and objects than anybody can read."""

    def containers(self, account):
        return (f"c{number}" for number in count())

    def objects(self, account, container, prefix):
        return (ObjectEntry(f"{prefix}{number}", 10**15) for number in count())


def reader(name, path, device="stdin", **more):
    return group(name, {"name": device, "path": path, **more.pop("device_keys", {})}, **more)


BIG = group("r", "stdout", count=9000)
MAPS = {
    "a mesh": [group("m", count=10_000, connect=["m"])],
    "streams to one node": [group("m", *((f"d{i}", f"zvm://r:x{i}") for i in range(1500))), group("r", "stdout")],
    "streams to many nodes": [group("m", *((f"d{i}", f"zvm://r-{i}:x") for i in range(1, 1500))), BIG],
    "groups to a big one": [*(group(f"m{i}", connect=["r"]) for i in range(900)), BIG],
    "a long list of targets": [group("m", connect=[f"r-{i}" for i in range(1, 6000)]), BIG],
    "targets that almost exist": [group("m" * 100, count=9000), group("r", connect=["m" * 100 + "x" * i for i in range(300)])],
    "unknown keys": [{**group("m"), **{"k" * 60 + str(i): 1 for i in range(1000)}}],
    "a pattern for everything": [reader("m", "swift://~/c/*")],
    "patterns for everything": [reader(f"m{i}", f"swift://~/c/{i}*") for i in range(500)],
    "many on each node": [reader(f"m{i}", f"swift://~/c/{i}*", "input", each={"objects": 64}) for i in range(500)],
    "patterns for nothing": [reader(f"m{i}", f"swift://~/c/{i}*x") for i in range(500)],
    "containers that do not fit": [reader(f"m{i}", f"swift://~/x*/{i}*") for i in range(500)],
    "a slow pattern": [reader("m", "swift://~/c/" + "*0" * 30 + "*x")],
    "tiny parts": [reader(f"m{i}", f"swift://~/c/{i}*", device_keys={"split": {"size": 1}}) for i in range(500)],
    "copies": [group("m", count=999, connect=["r"], replicate=16), group("r", count=100, replicate=16)],
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_costs_little(name):
    document = MAPS[name]
    assert len(json.dumps(document)) < MOST_BYTES
    where = Context("a", Endless(), Limits(maxlisted=100_000, maxobjects=50_000))

    def plan():
        with suppress(SystemMapError):
            plan_job(document, where)

    calls, _ = counted(plan)
    assert calls < MOST_CALLS
