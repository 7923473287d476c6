"""Where nodes write: system map, section 5."""

from __future__ import annotations

import pytest

from .store import group, paths, plan, problem


def test_outputs_of_counted_nodes_may_have_any_number_of_wildcards():
    found = plan(group("w", ("stdout", "swift://a/c/*"), ("stderr", "swift://a/c/*/*.err"), count=2))
    assert paths(found, "stderr") == ["swift://a/c/w-1/w-1.err", "swift://a/c/w-2/w-2.err"]
    assert found.nodes[1].wildcards == ("w-2", "w-2")


@pytest.mark.parametrize(
    "groups",
    [
        (group("w", ("stdout", "swift://a/c/x"), ("stderr", "swift://~/c/x")),),
        (group("w", ("stdout", "swift://a/c/x")), group("v", ("stderr", "swift://a/c/%78"))),
        (group("w", ("stdout", "swift://a/c/*")), group("v", ("stderr", "swift://a/c/w"))),
    ],
)
def test_an_output_written_twice(groups):
    found = problem(*groups)
    assert "would be written twice: by stdout of w and by stderr of" in found.reason


@pytest.mark.parametrize("path", ["swift://a/c_*/x", "swift://a/*x/x", "swift://a/c/" + "y" * 1000 + "*"])
def test_captures_that_make_no_path(path):
    store = {"a": {"data": {"1/2" + "z" * 30: 1}}}
    assert problem(group("w", ("stdin", "swift://a/data/1*"), ("stdout", path)), store=store).reason.startswith(
        "Output path of w-1"
    )


def test_a_capture_may_be_empty_but_not_all_of_a_name():
    store = {"a": {"data": {"x": 1}}}
    assert paths(plan(group("w", ("stdin", "swift://a/data/x*"), ("stdout", "swift://a/c/y*")), store=store), "stdout") == [
        "swift://a/c/y"
    ]
    found = problem(group("w", ("stdin", "swift://a/data/x*"), ("stdout", "swift://a/c/*")), store=store)
    assert found.reason == "Output path of w-1 from swift://a/c/*: No object is left of it: swift://a/c"


def test_types_and_metadata_of_outputs():
    described = {"name": "stdout", "path": "swift://a/c/x", "content_type": "text/csv", "meta": {"key": "é"}, "min_size": "1K"}
    channels = plan(group("w", {**described, "mode": "pipe"}, ("stderr", "swift://a/c/y"))).nodes[0].channels
    assert (channels[0].content_type, channels[0].meta, channels[0].min_size) == ("text/csv", {"key": "é"}, 1024)
    assert (channels[0].mode, channels[1].mode, channels[1].content_type) == ("pipe", None, "application/octet-stream")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"meta": {"a:b": "x"}}, "Metadata a:b: not a name"),
        ({"meta": {"a\r\nX-Evil": "x"}}, "Metadata a\\u000d\\u000aX-Evil: not a name"),
        ({"meta": {"a": "x\r\nX-Evil: y"}}, "Metadata a: its value holds a control character"),
        ({"meta": {"a": 1}}, "Metadata a: its value must be a string, not 1"),
        ({"meta": {"a": "x" * 257}}, "Metadata a: its value has 257 bytes, the limit is 256"),
        ({"meta": {"a" * 129: "x"}}, "Metadata " + "a" * 129 + ": its name has 129 bytes, the limit is 128"),
        ({"meta": {f"a{i}": "x" for i in range(91)}}, "91 metadata names, the limit is 90"),
        ({"meta": {f"a{i:02}": "x" * 250 for i in range(17)}}, "Metadata has 4301 bytes, the limit is 4096"),
        ({"content_type": "text/html\r\nX-Evil: y"}, "content_type holds a control character"),
        ({"mode": "fil"}, "mode must be file or char or pipe or block, not fil"),
        ({"min_size": -1}, 'min_size must be bytes, 0 or more, such as 4096 or "64M", not -1'),
    ],
)
def test_mistakes_of_outputs(more, reason):
    assert problem(group("w", {"name": "stdout", "path": "swift://a/c/x", **more})).reason == reason
