"""URLs, wildcards and lists of paths: system map, sections 3 and 6."""

from __future__ import annotations

import pytest

from zerocloud.sysmap import SwiftPath

from .store import STORE, MemoryListing, group, paths, plan, problem


def test_paths_are_percent_decoded_once():
    found = plan(group("w", ("stdin", "swift://%61/c/100%2525%20%C3%A9%2A"), "stdout", exe="swift://a/c/e%2Bx*"))
    assert found.nodes[0].channels[0].path == SwiftPath("a", "c", "100%25 é*")
    assert found.nodes[0].exe == SwiftPath("a", "c", "e+x*")


def test_encoded_wildcards_are_ordinary_characters():
    store = {"a": {"data": {"a*1": 1, "ab1": 1, "a*2": 1}}}
    assert paths(plan(group("w", ("stdin", "swift://a/data/a%2A*")), store=store), "stdin") == [
        "swift://a/data/a*1",
        "swift://a/data/a*2",
    ]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("swift://a/c/%ff", "Percent-encoded bytes are not UTF-8 in %ff"),
        ("swift://a/c/%00", "Null character in %00"),
        ("swift://a/c/%zz", '"%" without two hexadecimal digits in %zz'),
        ("swift://a/c%2Fd/e", '"/" in the name of an account or container: c/d'),
        ("swift://a/c/\ud800", "Not Unicode text: swift://a/c/\\ud800"),
        ("swift://a/c/\x00", "Control character in URL: swift://a/c/\\u0000"),
        ("swift://a//o", "No container before the object o"),
        ("swift://a//o*", "No container in URL: swift://a//o*"),
        ("swift://a/" + "c" * 257 + "/o", "The container " + "c" * 199 + "… has 257 bytes, the limit is 256"),
        ("swift://a/c/" + "o" * 1025, "The object " + "o" * 199 + "… has 1025 bytes, the limit is 1024"),
        ("file://py:", "No file in URL: file://py:"),
        (5, "A path must be a string, or a list of strings, not 5"),
    ],
)
def test_malformed_paths(path, reason):
    found = problem(group("w", ("stdin", path)))
    assert (found.pointer, found.reason) == ("/0/devices/0/path", reason)


def test_wildcards_match_whole_names_and_slashes():
    store = {"a": {"c_1": {"in1.txt": 1, "in1.txt.bak": 1, "in/x/y.txt": 1, "in2/": 1}, "c_1x": {"in1.txt": 1}}}
    assert paths(plan(group("w", ("stdin", "swift://a/c_*/in*.txt")), store=store), "stdin") == [
        "swift://a/c_1/in/x/y.txt",
        "swift://a/c_1/in1.txt",
        "swift://a/c_1x/in1.txt",
    ]
    assert paths(plan(group("w", ("input", "swift://a/c_*")), store=store), "input") == ["swift://a/c_1", "swift://a/c_1x"]
    assert paths(plan(group("w", ("stdin", "swift://a/*x/in1.txt")), store=store), "stdin") == ["swift://a/c_1x/in1.txt"]


def test_only_what_can_match_is_listed():
    listing = MemoryListing(STORE)
    plan(group("w", ("stdin", "swift://a/data/logs/a*")), group("v", ("stdin", "swift://a/data/logs/a*")), listing=listing)
    assert listing.asked == [("a", "data", "logs/a")]


def test_lists_of_paths():
    found = plan(group("w", ("stdin", ["swift://a/c/o", "swift://a/data/x*", "swift://a/data/x2.txt", "swift://~/c/o"])))
    assert paths(found, "stdin") == ["swift://a/c/o", "swift://a/data/x1.txt", "swift://a/data/x2.txt"]
    assert [node.name for node in plan(group("w", ("stdin", ["swift://a/c/o"]))).nodes] == ["w-1"]


def test_outputs_for_listed_paths_are_named_by_captures_or_nodes():
    found = plan(group("w", ("stdin", ["swift://a/c/o", "swift://a/data/x*.txt"]), ("stdout", "swift://a/c/*.out")))
    assert paths(found, "stdout") == ["swift://a/c/w-1.out", "swift://a/c/1.out", "swift://a/c/2.out"]


@pytest.mark.parametrize(
    ("device", "pointer", "reason"),
    [
        (("stdin", []), "/0/devices/0/path", "The list of paths is empty"),
        (("stdin", ["swift://a/c/o", 5]), "/0/devices/0/path/1", "A path must be a string, or a list of strings, not 5"),
        (("stdin", ["swift://a/c/o", "/c/o"]), "/0/devices/0/path/1", "Not a URL: /c/o"),
        (("stdin", ["swift://a/c/o", "swift://a/c/q*"]), "/0/devices/0/path/1", "No objects found in path swift://a/c/q*"),
        (("stdout", ["swift://a/c/o", "swift://a/c/p"]), "/0/devices/0/path", "Device stdout takes one path, not a list"),
    ],
)
def test_mistakes_in_lists_of_paths(device, pointer, reason):
    found = problem(group("w", device))
    assert (found.pointer, found.reason) == (pointer, reason)
