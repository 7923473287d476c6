"""What a plan would do, told as values, as a table and as drawings: system map, section 13."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.sysmap import (
    Facts,
    Limits,
    ListingError,
    Placement,
    StoredListing,
    SwiftPath,
    explain,
    graphviz,
    mermaid,
    plan_job,
    table,
    unsized,
)
from zerocloud.sysmap.explain import size_text

from .store import STORE, context, group, plan
from .strategies import PLANNABLE_MAPS, STORES
from .test_properties import planned

EXE = SwiftPath("a", "c", "exe")
JOB = (
    group(
        "map",
        ("stdin", "swift://a/c_in*/in*"),
        ("input", "swift://a/c/o"),
        ("stderr", "zvm://log:/dev/in/*-*"),
        connect=["red"],
    ),
    group("red", ("stdout", "swift://a/x/*"), count=2, replicate=2),
    group("log", "stdout", exe="file://py:log"),
)


def test_sizes_to_look_up():
    assert unsized(plan(*JOB)) == {EXE, SwiftPath("a", "c", "o")}
    assert unsized(plan(group("w", ("input", "swift://a/c"), exe="file://py:x"))) == frozenset()


def test_nodes():
    facts = Facts(placements={1: Placement(("s1", "s2"), "primary of 3")}, sizes={EXE: 1000})
    views = explain(plan(*JOB), facts).nodes
    first, reducer, log = views[0], views[4], views[6]
    assert (first.name, first.place, first.why) == ("map-1", "/a/c_in1/input1", "reads it as stdin; primary of 3")
    assert (first.servers, first.copies, reducer.copies) == (("s1", "s2"), 1, 2)
    assert [(c.device, c.direction, c.path, c.size) for c in first.channels] == [
        ("stdin", "in", "swift://a/c_in1/input1", 11),
        ("input", "in", "swift://a/c/o", None),
    ]
    assert [(t.member, t.path, t.size) for t in first.brought] == [
        ("boot", "swift://a/c/exe", 1000),
        ("input", "swift://a/c/o", None),
    ]
    assert first.sends_to == ("red-1", "red-2", "log")
    assert reducer.receives_from == ("map-1", "map-2", "map-3", "map-4")
    assert (reducer.why, log.why, log.brought) == ("writes it as stdout", "attached to no object: any server", ())


def test_sums():
    explanation = explain(plan(*JOB), Facts(sizes={EXE: 1000}, limits=Limits(maxnodes=7)))
    totals = explanation.totals
    assert (totals.nodes, totals.sessions, totals.connections) == (7, 9, 12)
    assert (totals.fetched_objects, totals.fetched_bytes, totals.pushed_bytes) == (2, 1000, (4 + 2 * 2) * 1000)
    assert (totals.local_bytes, totals.unknown) == (11 + 12 + 21 + 22, 1)
    assert explanation.limits["maxnodes"] == 7


def test_slices_count_by_their_ranges():
    device = {"name": "stdin", "path": "swift://a/c/exe", "split": {"size": 400}}
    explanation = explain(plan(group("w", device, exe="file://py:x")), Facts())
    assert [view.channels[0].range for view in explanation.nodes] == [(0, 400), (400, 800), (800, 1000)]
    assert (explanation.totals.local_bytes, explanation.totals.unknown) == (1000, 0)
    assert "stdin=swift://a/c/exe bytes 400-800" in table(explanation)


def test_table():
    text = table(explain(plan(*JOB, group("all", "stderr", count=5, connect=["all"])), Facts(limits=Limits())))
    lines = text.splitlines()
    assert lines[0].split() == ["id", "node", "copies", "runs", "at", "why", "reads", "writes", "sends", "to", "brought"]
    assert re.match(r"1 +map-1 +1 +/a/c_in1/input1 +reads it as stdin +stdin=swift://a/c_in1/input1 11 B, input=", lines[1])
    assert re.search(r"all-2, all-3 … all-5 \(4\)$|all-2, all-3 … all-5 \(4\) ", lines[8])
    assert "nodes: 12, sessions: 14, connections: 32" in lines
    assert "objects of unknown size, not counted: 2" in lines
    assert lines[-1].startswith("limits: reads 1073741824")


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "?"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 1024**3, "5.0 GiB"), (1 << 60, "1024.0 PiB")],
)
def test_sizes_for_people(size, text):
    assert size_text(size) == text


def test_drawings_of_small_jobs_show_every_node():
    drawn = mermaid(plan(*JOB))
    assert drawn.startswith("flowchart LR\n")
    assert '    v0["map-1"]\n' in drawn
    assert '    v4["red-1<br/>2 copies"]\n' in drawn
    assert '[("swift://a/c_in1/input1<br/>11 B")]' in drawn
    assert "    v0 --> v4\n" in drawn
    assert '    v0 -->|"stderr"| v6\n' in drawn
    assert '    v7 -->|"stdin"| v0\n' in drawn


def test_drawings_of_large_jobs_show_groups():
    whole = plan(group("m", ("input", "swift://a/c_in*/in*"), count=9, connect=["r"]), group("r", "stdout", count=51))
    assert graphviz(whole) == (
        "digraph job {\n"
        "    rankdir=LR;\n"
        "    node [shape=box];\n"
        '    v0 [label="m (4 nodes)"];\n'
        '    v1 [label="r (51 nodes)"];\n'
        '    v2 [label="4 objects\\n66 B", shape=cylinder];\n'
        '    v0 -> v1 [label="204 streams"];\n'
        '    v2 -> v0 [label="input"];\n'
        "}\n"
    )


HOSTILE = 'a"];b-->c\\"\n\r\t`<script>#quot;\x1b[31m'


def test_hostile_names_stay_within_their_labels():
    store = {"a": {"data": {HOSTILE: 1}}}
    found = plan(group("w", ("stdin", "swift://a/data/a*")), store=store)
    drawn = mermaid(found)
    assert len(drawn.splitlines()) == 4
    for character in '"<>`#\\\x1b':
        assert character not in drawn.split('("')[1].split('")]')[0].replace("<br/>", "").translate({ord("#"): None})
    dot = graphviz(found)
    assert len(dot.splitlines()) == 7
    assert '\\"];b-->c\\\\\\"\\\\u000a\\\\u000d' in dot
    text = table(explain(found, Facts()))
    assert "\x1b" not in text
    assert len(text.splitlines()) == 7


@given(PLANNABLE_MAPS, STORES)
def test_every_plan_can_be_explained(document, store):
    found, _ = planned(document, context(store))
    if found is None:
        return
    explanation = explain(found, Facts(limits=Limits()))
    json.dumps(explanation.to_value())
    assert len(table(explanation).splitlines()) >= len(found.nodes) + 4
    for drawn in (mermaid(found), graphviz(found)):
        arrows = re.findall(r"^ +(v\d+) -->?(?:\|.*\|)? (v\d+)", drawn, re.MULTILINE)
        boxes = set(re.findall(r"^ +(v\d+) ?[\[(]", drawn, re.MULTILINE))
        assert {end for arrow in arrows for end in arrow} <= boxes


def test_a_stored_listing():
    assert plan_job(list(JOB), context(listing=StoredListing.from_value(STORE))) == plan(*JOB)
    listing = StoredListing({"a": {"c": {"b": 1, "é": 2, "a": 3, "aa": 4}}})
    assert [entry.name for entry in listing.objects("a", "c", "")] == ["a", "aa", "b", "é"]
    assert [(entry.name, entry.bytes) for entry in listing.objects("a", "c", "a")] == [("a", 3), ("aa", 4)]
    for missing in (lambda: list(listing.containers("b")), lambda: list(listing.objects("a", "d", ""))):
        with pytest.raises(ListingError):
            missing()


@given(
    st.recursive(
        st.none() | st.integers(-2, 9) | st.text(max_size=2), lambda inner: st.dictionaries(st.text(max_size=2), inner)
    )
)
def test_a_listing_from_any_value(value):
    try:
        StoredListing.from_value(value)
    except ListingError:
        return
    assert isinstance(value, dict)
