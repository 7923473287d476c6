"""Planning is linear and small: the work for a node does not grow with their number, and 10,000 nodes take under 200 MB.

Work is counted in calls, which are the same in every run; ``benchmarks/planning.py`` measures seconds."""

from __future__ import annotations

import tracemalloc

import pytest

from zerocloud.sysmap import Context, Limits, StoredListing, plan_job

from .store import group
from .work import counted

MOST_BYTES = 200e6


def by_wildcard(nodes):
    listing = StoredListing({"a": {"c": {f"in{i:06}": i for i in range(nodes)}}})
    return [group("w", ("stdin", "swift://a/c/in*"), ("stdout", "swift://a/x/out*"), "stderr")], listing


def by_shuffle(nodes):
    return [group("m", count=nodes, connect=["r"]), group("r", "stdout", count=10)], StoredListing({})


def planned(document, listing):
    """The calls that planning makes, and its plan."""
    return counted(lambda: plan_job(document, Context("a", listing, Limits())))


@pytest.mark.parametrize(("shape", "nodes"), [(by_wildcard, 10_000), (by_shuffle, 1_000)])
def test_work(shape, nodes):
    calls, plan = planned(*shape(nodes))
    assert len(plan.nodes) >= nodes
    fewer, _ = planned(*shape(nodes // 10))
    assert calls < 11 * fewer, "the cost of a node grows with the number of nodes"


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
