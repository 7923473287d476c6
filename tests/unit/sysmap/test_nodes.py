"""How many nodes a group has and what they are called: system map, section 5."""

from __future__ import annotations

import pytest

from .store import IN, group, paths, plan, problem, told


def test_a_fixed_input_beside_a_wildcard_reaches_every_node():
    for devices in ((("input", "swift://a/c/o"), IN), (IN, ("input", "swift://a/c/o"))):
        found = plan(group("w", *devices, "stdout"))
        assert [node.name for node in found.nodes] == ["w-1", "w-2"]
        assert paths(found, "input") == ["swift://a/c/o"] * 2


def test_wildcards_decide_the_count():
    assert len(plan(group("w", IN, "stdout", count=7)).nodes) == 2
    assert len(plan(group("w", IN, "stdout", count="auto"), slots=7).nodes) == 2


def test_unequal_numbers_of_objects():
    found = problem(group("w", ("stdin", "swift://a/c_in*/in*"), ("input", "swift://a/imgs/*"), "stdout"))
    assert found.pointer == "/0/devices/1/path"
    assert found.reason == "w needs as many objects for input as for stdin, but there are 2 and 4"


def test_two_groups_of_one_name():
    found = problem(group("w", "stdout"), group("w", "stdout"))
    assert (found.pointer, found.reason) == ("/1/name", "Two groups or nodes have the name w")


@pytest.mark.parametrize(
    "groups", [(group("w", "stdout", count=2), group("w-1", "stdout")), (group("w-1", "stdout"), group("w", IN))]
)
def test_two_nodes_of_one_name(groups):
    assert problem(*groups).reason == "Two groups or nodes have the name w-1"


def test_groups_that_only_send_have_as_many_nodes_as_they_say():
    found = problem(group("m", ("stdout", "zvm://r:/dev/x"), count=2), group("r", "stdout"))
    assert found.reason == "Device x of node r is used 2 times, with its connections"


def test_a_group_without_devices_has_nodes_all_the_same():
    assert [node.name for node in plan(group("w", count=2), group("one")).nodes] == ["w-1", "w-2", "one"]


def test_old_names_of_keys_win():
    old = {"name": "w", "exec": {"path": "swift://a/c/exe"}, "devices": [{"name": "stdout"}]}
    assert [c.device for c in plan({**old, "file_list": [{"device": "stderr", "name": "stdin"}]}).nodes[0].channels] == [
        "stderr"
    ]
    assert plan({**old, "file_list": []}).nodes[0].channels == ()


def test_keys_for_tools_are_ignored():
    tools = {"$schema": "https://example.org", "x-note": [{}], "x-": None}
    whole = group("w", {"name": "stdout", **tools}, **tools)
    whole["exec"] = {**whole["exec"], **tools}
    assert len(plan(whole).nodes) == 1


def test_null_is_as_good_as_absent():
    whole = group("w", {"name": "stdout", "path": None, "meta": None}, count=None, connect=None, timeout=None, memory=None)
    assert told(plan(whole).nodes[0]) == "1 w [/a] stdout"
