"""Counts, and what a group asks of those who run it: system map, section 1."""

from __future__ import annotations

import pytest

from .store import group, plan, problem, problems


def test_count_auto():
    assert [node.name for node in plan(group("w", "stdout", count="auto"), slots=3).nodes] == ["w-1", "w-2", "w-3"]
    assert [node.name for node in plan(group("w", "stdout", count="auto")).nodes] == ["w-1"]
    assert (
        len(plan(group("v", "stdout", count=2), group("w", "stdout", count="auto"), slots=9, limits={"maxnodes": 5}).nodes) == 5
    )
    found = problem(group("w", ("stdin", "swift://a/c/o"), count="auto"))
    assert found.reason == '"auto" is for groups without inputs, but stdin has one'


def test_orders_of_a_group():
    node = plan(group("w", "stdout")).nodes[0]
    assert (node.timeout, node.memory, node.retries) == (None, None, 0)
    assert (node.continue_on_error, node.ignore_exit, node.speculate) == (False, False, False)
    whole = group("w", "stdout", timeout=1.5, memory="64M", retries=2, on_error="continue", on_exit="ignore", speculate=True)
    node = plan(whole).nodes[0]
    assert (node.timeout, node.memory, node.retries) == (1.5, 64 * 1024**2, 2)
    assert (node.continue_on_error, node.ignore_exit, node.speculate) == (True, True, True)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"timeout": 61}, "timeout is 61 seconds, the limit is 60"),
        ({"timeout": 0}, "timeout must be seconds, above 0, not 0"),
        ({"timeout": float("nan")}, "timeout must be seconds, above 0, not NaN"),
        ({"timeout": 10**400}, "timeout is a very large number seconds, the limit is 60"),
        ({"timeout": "5"}, "timeout must be seconds, above 0, not 5"),
        ({"memory": "2K"}, "memory is 2K, the limit is 1024 bytes"),
        ({"memory": "1X"}, 'memory must be bytes, 1 or more, such as 4096 or "64M", not 1X'),
        ({"retries": 4}, "retries is 4, the limit is 3"),
        ({"retries": -1}, "retries must be a whole number, 0 or more, not -1"),
        ({"replicate": 3}, "replicate is 3, the limit is 2"),
        ({"replicate": "1"}, "replicate must be a whole number, 0 or more, not 1"),
        ({"on_error": "stop"}, "on_error must be cancel or continue, not stop"),
        ({"on_exit": 1}, "on_exit must be fail or ignore, not 1"),
        ({"speculate": 1}, "speculate must be true or false, not 1"),
        ({"location": "a\nb"}, "location holds a control character or is not Unicode text"),
        ({"attach": 1}, "attach must be a string, not 1"),
        ({"connect": [""]}, "connect names groups or nodes, not "),
    ],
)
def test_bounds(more, reason):
    bounds = {"maxtimeout": 60, "maxmemory": 1024, "maxretries": 3, "maxreplicate": 2}
    assert problem({**group("w", "stdout"), **more}, limits=bounds).reason == reason


def test_connected_groups_do_not_speculate():
    found = problems(group("m", "stderr", connect=["r"], speculate=True), group("r", "stdout", speculate=True))
    assert [p.pointer for p in found] == ["/0/speculate", "/1/speculate"]
