"""Where nodes belong and what is brought to them: system map, section 7."""

from __future__ import annotations

import pytest

from zerocloud.sysmap import Access, SwiftPath

from .store import READ, group, plan, problem


@pytest.mark.parametrize(
    ("devices", "place"),
    [
        (("stdin", ("input", "swift://a/c/o")), "GET /a/c/o"),
        ((("script", "swift://a/c/exe"), ("image", "swift://a/imgs/i1.tar"), "stdout"), "GET /a/c/exe"),
        ((("image", "swift://a/imgs/i1.tar"), ("stdout", "swift://a/c/x")), "GET /a/imgs/i1.tar"),
        (("stdin", ("stdout", "swift://a/c/x")), " /a"),
        (("stderr", ("stdout", "swift://a/c/x")), "PUT /a/c/x"),
        (("py", ("stdout", "swift://a/c/x")), "PUT /a/c/x"),
        ((("input", "swift://a/c"),), "GET /a/c"),
    ],
)
def test_the_first_readable_device_with_a_path_is_local(devices, place):
    node = plan(group("w", *devices)).nodes[0]
    assert f"{node.access} {node.path_info}" == place


@pytest.mark.parametrize("attach", ["stdout", "elsewhere"])
def test_attached_to_no_object(attach):
    node = plan(group("w", ("stdin", "swift://a/c/o"), "stdout", attach=attach)).nodes[0]
    assert (node.access, node.path_info, list(node.remote)) == ("", "/a", ["boot", "stdin"])


@pytest.mark.parametrize(("replicate", "expected"), [(0, 1), (1, 1), (3, 3)])
def test_copies_of_a_node_that_only_writes(replicate, expected):
    node = plan(group("w", ("stdout", "swift://a/c/x"), replicate=replicate)).nodes[0]
    assert (node.access, node.path_info, node.replicate) == ("PUT", "/a/c/x", expected)


def test_reading_and_writing_one_object_brings_the_old_one():
    node = plan(group("w", ("stdin", "swift://a/c/o"), ("stdout", "swift://a/c/o"), attach="stdout")).nodes[0]
    assert (node.access, node.remote["stdin"]) == ("PUT", SwiftPath("a", "c", "o"))


def test_a_container_is_not_brought():
    found = problem(group("w", ("stdin", "swift://a/c/o"), ("input", "swift://a/c")))
    assert (found.pointer, found.cure) == ("/0/devices/1/path", 'Write "attach": "input"')
    assert found.reason == "Cannot use container swift://a/c as a remote object reference"
    assert "input" not in plan(group("w", ("stdin", "swift://a/c/o"), ("input", "swift://a/c"), attach="input")).nodes[0].remote


def test_program_and_payload():
    whole = group("w", "stdin", "script", "py", location="here")
    whole["exec"] = {"path": "file://py:bin/x", "args": "-u é", "env": {"A": "1\n2", "B": "", "C": None, "D": 1.5}, "name": "x"}
    node = plan(whole).nodes[0]
    assert (node.exe.url, node.exe_name, node.args, node.env) == ("file://py:bin/x", "x", "-u é", {"A": "1\n2", "D": "1.5"})
    assert (node.data_in, node.remote, node.location) == (True, {}, "here")
    assert not plan(group("w", "py", "stdout")).nodes[0].data_in


def test_system_images_that_are_not_known_here():
    assert plan(group("w", "perl", exe="file://perl:x"), system_images=None).nodes[0].channels[0].access == READ | Access.RANDOM
    assert problem(group("w", ("py", "swift://a/c/o"))).reason == "Device py is not one that takes a path"
    assert problem(group("w", ("db", "swift://a/c/o"))).reason == "Unknown device db"
