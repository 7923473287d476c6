"""Time and memory of planning: a wildcard over many objects, and shuffles, at growing numbers of nodes.

    python benchmarks/planning.py

Prints, for each shape and size, the whole time, the time per node and the memory that planning allocates at its peak. The cost
per node should not grow. The listing is made up as it is read, so it hardly adds to the cost.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from zerocloud.sysmap import Context, Limits, ObjectEntry, plan_job

REPEAT = 3
SIZES = (100, 1_000, 10_000)
RECEIVERS = 10
EACH = 10
EXEC = {"path": "swift://~/programs/p"}

Document = list[dict[str, Any]]


class MadeUp:
    """A listing of so many objects."""

    def __init__(self, objects: int) -> None:
        self._objects = objects

    def containers(self, account: str) -> Iterator[str]:
        """One container."""
        yield "data"

    def objects(self, account: str, container: str, prefix: str) -> Iterator[ObjectEntry]:
        """The objects ``part-0000000`` and so on."""
        return (ObjectEntry(f"part-{number:07}", 1 << 20) for number in range(self._objects))


def wildcard(nodes: int) -> Document:
    """A node for each object, each with an output of its own."""
    devices = [
        {"name": "stdin", "path": "swift://~/data/part-*"},
        {"name": "stdout", "path": "swift://~/results/result-*"},
        {"name": "stderr"},
    ]
    return [{"name": "map", "exec": EXEC, "devices": devices}]


def shuffle(nodes: int) -> Document:
    """Senders, each connected to ten receivers."""
    senders = {"name": "map", "exec": EXEC, "count": nodes - RECEIVERS, "connect": ["reduce"]}
    return [senders, {"name": "reduce", "exec": EXEC, "count": RECEIVERS, "devices": [{"name": "stdout"}]}]


def gathered(nodes: int) -> Document:
    """Ten objects on each node."""
    device = {"name": "input", "path": "swift://~/data/part-*"}
    return [{"name": "map", "exec": EXEC, "each": {"objects": EACH}, "devices": [device]}]


SHAPES = (("wildcard", wildcard, 1), ("shuffle to 10", shuffle, 0), ("each of 10", gathered, EACH))


def measure(document: Document, context: Context) -> tuple[int, float, int]:
    """Nodes, seconds (the best of a few runs) and bytes at the peak."""
    seconds = []
    for _ in range(REPEAT):
        started = time.perf_counter()
        nodes = len(plan_job(document, context).nodes)
        seconds.append(time.perf_counter() - started)
    tracemalloc.start()
    plan_job(document, context)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return nodes, min(seconds), peak


def main() -> None:
    """Print the table."""
    print(f"{'shape':14} {'nodes':>7} {'time':>9} {'per node':>10} {'memory':>10}")
    for name, document, objects in SHAPES:
        for size in SIZES:
            context = Context("test", MadeUp(size * objects), Limits(maxobjects=size * EACH))
            nodes, seconds, peak = measure(document(size), context)
            per_node = f"{seconds / nodes * 1e6:.0f} µs"
            print(f"{name:14} {nodes:7} {seconds * 1e3:6.0f} ms {per_node:>10} {peak / 1e6:7.1f} MB")


if __name__ == "__main__":
    main()
