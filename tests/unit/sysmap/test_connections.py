"""Who sends to whom: system map, section 9."""

from __future__ import annotations

from .store import IN, group, plan, problem


def test_several_devices_to_one_node_are_all_connected():
    found = plan(
        group("m", ("stdout", "zvm://r:/dev/a"), ("stderr", "zvm://r:b"), ("more/x", "zvm://r:c"), connect=["q"]),
        group("r", "stdout"),
        group("q", "stdout"),
    )
    assert [(end.device, end.peers) for end in found.nodes[0].connects] == [
        ("out/q", (3,)),
        ("stdout", (2,)),
        ("stderr", (2,)),
        ("more/x", (2,)),
    ]
    assert [end.device for end in found.nodes[1].binds] == ["a", "b", "c"]


def test_nodes_and_groups_as_targets():
    found = plan(group("m", "stderr", connect=["r-2", "r", "r"]), group("r", "stdout", count=3, connect=["r-1"]))
    assert [end.device for end in found.nodes[0].connects] == ["out/r-2", "out/r-1", "out/r-3"]
    assert [[end.device for end in node.connects] for node in found.nodes[1:]] == [[], ["out/r-1"], ["out/r-1"]]


def test_a_mesh_of_one_numbered_node_has_no_connections():
    assert plan(group("w", ("stdin", "swift://a/data/one*"), connect=["w"])).nodes[0].connected is False


def test_names_of_counted_nodes_stand_for_wildcards_once_an_output_uses_them():
    found = plan(group("m", ("stdout", "zvm://r:x/*"), ("stderr", "swift://a/c/*.err"), count=2), group("r", "stdout"))
    assert [end.device for end in found.nodes[2].binds] == ["x/m-1", "x/m-2"]


def test_wildcards_in_the_sending_device_are_the_receivers():
    found = plan(group("m", ("to-*", "zvm://r:/dev/x")), group("r", IN, "stdout"))
    assert [end.device for end in found.nodes[0].connects] == ["to-put1", "to-put2"]


def test_one_device_for_two_streams():
    found = problem(group("m", ("stdout", "zvm://r:/dev/stdin")), group("r", ("stdin", "swift://a/c/o"), "stdout"))
    assert (found.pointer, found.reason) == ("/1", "Device stdin of node r is used 2 times, with its connections")


def test_captures_that_make_no_device():
    store = {"a": {"data": {"x,0": 1}}}
    found = problem(group("m", ("stdin", "swift://a/data/*"), ("stdout", "zvm://r:*")), group("r", "stdout"), store=store)
    assert found.reason == "Bad device name: x,0 in r: it holds ,"
