"""What holds for every map and every store."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerocloud.sysmap import Limits, SwiftPath, SystemMapError, SystemMapSyntaxError, parse_document, plan_job

from .store import context, group
from .strategies import JSON, MAPS, PATTERNS, PLANNABLE_MAPS, STORES


def planned(document, where):
    """The plan of a document, or its mistakes."""
    try:
        return plan_job(document, where), None
    except SystemMapError as error:
        return None, error


@settings(max_examples=250)
@given(MAPS, STORES)
def test_nothing_but_system_map_error_and_always_the_same(document, store):
    plan, error = planned(document, context(store))
    again, same = planned(document, context(store))
    assert plan == again
    assert str(error) == str(same)
    if error:
        assert 1 <= len(error.problems) <= 20
        assert all(problem.reason for problem in error.problems)
        assert len(str(error).encode().splitlines()) == len(error.problems)
        json.dumps(error.to_value())


@settings(max_examples=200)
@given(PLANNABLE_MAPS, STORES)
def test_a_plan_fits_together(document, store):
    where = context(store, limits={"maxnodes": 20, "maxconnections": 50})
    plan, _ = planned(document, where)
    if plan is None:
        return
    assert [node.id for node in plan.nodes] == list(range(1, len(plan.nodes) + 1))
    assert 1 <= len(plan.nodes) <= 20
    assert len({node.name for node in plan.nodes}) == len(plan.nodes)
    connections = symmetric(plan)
    assert connections <= 50
    written = [c.path for node in plan.nodes for c in node.channels if c.path and not c.access & 1 and c.access & 2]
    assert len(set(written)) == len(written)
    for node in plan.nodes:
        devices = [end.device for ends in (node.channels, node.binds, node.connects) for end in ends]
        assert len(set(devices)) == len(devices)
        local = {c.device for c in node.channels if isinstance(c.path, SwiftPath) and c.path.path == node.path_info}
        for channel in node.channels:
            if isinstance(channel.path, SwiftPath) and channel.access & (1 | 16):
                assert (channel.device in node.remote) != (node.access == "GET" and channel.device in local)


def symmetric(plan):
    """The number of streams of a plan. Each has one sending and one receiving end, on nodes that know each other's copies."""
    copies = {plan.copies(node): node.id for node in plan.nodes}
    sent = sorted((node.id, copies[end.peers]) for node in plan.nodes for end in node.connects)
    received = sorted((copies[end.peers], node.id) for node in plan.nodes for end in node.binds)
    assert sent == received
    assert all(sender != receiver for sender, receiver in sent)
    return len(sent)


@given(STORES, st.tuples(st.text("ab*", min_size=1, max_size=3), PATTERNS), st.integers(1, 4))
def test_every_object_is_assigned_exactly_once(store, pattern, objects):
    container, name = pattern
    path = f"swift://a/{container}/{name}*"
    for shape in ({}, {"each": {"objects": objects}}):
        plan, error = planned([group("m", ("input", path), "stdout", **shape)], context(store))
        if plan is None:
            assert error.problems[0].reason.startswith(("No objects found", "Error querying"))
            continue
        assigned = [channel.path for node in plan.nodes for channel in node.channels if channel.path]
        assert len(set(assigned)) == len(assigned)
        assert set(assigned) == set(reference(store, container, name + "*"))


def reference(store, container, name):
    """What a pattern names, found the slow way."""
    for known, objects in store["a"].items():
        if matches(container, known):
            yield from (SwiftPath("a", known, each) for each in objects if matches(name, each))


def matches(pattern, name):
    """Whether a name fits a pattern, by trying everything."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(matches(pattern[1:], name[i:]) for i in range(len(name) + 1))
    return bool(name) and pattern[0] == name[0] and matches(pattern[1:], name[1:])


@given(STORES, st.integers(1, 40))
def test_split_covers_each_object_exactly_once(store, size):
    device = {"name": "input", "path": "swift://a/*/*", "split": {"size": size, "on": "bytes"}}
    objects = {SwiftPath("a", c, o): n for c, names in store["a"].items() for o, n in names.items()}
    if not objects:
        with pytest.raises(SystemMapError):
            plan_job([group("m", device)], context(store))
        return
    plan = plan_job([group("m", device)], context(store))
    ends = dict.fromkeys(objects, 0)
    for node in plan.nodes:
        channel = node.channels[0]
        assert channel.slice.start == ends[channel.path]
        assert channel.slice.end - channel.slice.start <= size
        assert node.env["SPLIT_END"] == str(channel.slice.end)
        ends[channel.path] = channel.slice.end
    assert ends == objects
    assert {(n.channels[0].path, n.channels[0].slice.index) for n in plan.nodes} == {
        (path, index) for path, length in objects.items() for index in range(1, max(1, -(-length // size)) + 1)
    }


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_connections_are_symmetric(senders, receivers, copies, mesh):
    targets = ["r", "m"] if mesh and senders > 1 else ["r"]
    plan = plan_job(
        [group("m", "stderr", count=senders, connect=targets, replicate=copies), group("r", "stdout", count=receivers)],
        context(),
    )
    assert symmetric(plan) == senders * receivers + (senders * (senders - 1) if "m" in targets else 0)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_text_is_a_document_or_a_mistake(text):
    with contextlib.suppress(SystemMapSyntaxError):
        parse_document(text, Limits())
