"""Planning is linear and small: 10,000 nodes take under 2 s and 200 MB. ``benchmarks/planning.py`` measures it closely."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from zerocloud.sysmap import Context, Limits, StoredListing, plan_job

from .store import group

MOST_SECONDS = 2.0
MOST_BYTES = 200e6


def by_wildcard(nodes):
    listing = StoredListing({"a": {"c": {f"in{i:06}": i for i in range(nodes)}}})
    return [group("w", ("stdin", "swift://a/c/in*"), ("stdout", "swift://a/x/out*"), "stderr")], listing


def by_shuffle(nodes):
    return [group("m", count=nodes, connect=["r"]), group("r", "stdout", count=10)], StoredListing({})


def planned(document, listing):
    """The seconds of processor time that planning takes, and its plan."""
    started = time.process_time()
    plan = plan_job(document, Context("a", listing, Limits()))
    return time.process_time() - started, plan


@pytest.mark.parametrize(("shape", "nodes"), [(by_wildcard, 10_000), (by_shuffle, 1_000)])
def test_time(shape, nodes):
    document, listing = shape(nodes)
    seconds, plan = planned(document, listing)
    assert len(plan.nodes) >= nodes
    assert seconds < MOST_SECONDS
    fewer = min(planned(*shape(nodes // 10))[0] for _ in range(3))
    assert seconds < 40 * max(fewer, 0.005), "the cost of a node grows with the number of nodes"


@pytest.mark.parametrize(("shape", "nodes"), [(by_wildcard, 10_000), (by_shuffle, 1_000)])
def test_memory(shape, nodes):
    document, listing = shape(nodes)
    tracemalloc.start()
    try:
        plan_job(document, Context("a", listing, Limits()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
