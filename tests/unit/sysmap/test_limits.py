"""What a job may have, and what a document may be."""

from __future__ import annotations

from itertools import count

import pytest

from zerocloud.sysmap import Limits, ObjectEntry, SystemMapSyntaxError, parse_document, plan_job

from .store import MemoryListing, context, group, lines, plan, problem


def test_nodes_of_a_job():
    found = problem(group("v", "stdout", count=2), group("w", ("stdin", "swift://a/c_in*/in*")), limits={"maxnodes": 5})
    assert (found.pointer, found.reason) == ("/1", "w with 4 nodes brings the job above the limit of 5 nodes")
    found = problem(group("w", ("stdin", "swift://a/c_in*/in*")), limits={"maxnodes": 3})
    assert (found.pointer, found.reason) == ("/0/devices/0/path", "More than 3 objects for device stdin of w")


def test_connections_of_a_job():
    groups = group("m", "stderr", count=3, connect=["m", "r"]), group("r", "stdout", count=2)
    assert sum(len(lines(node.connects)) for node in plan(*groups, limits={"maxconnections": 12}).nodes) == 12
    found = problem(*groups, limits={"maxconnections": 11})
    assert (found.pointer, found.reason) == ("/0/connect", "With those of m the job has 12 connections, the limit is 11")


def test_a_listing_is_not_read_to_its_end_for_nothing():
    class Endless(MemoryListing):
        def objects(self, account, container, prefix):
            return (ObjectEntry(f"x{i:09}", 1) for i in count())

    reason = problem(group("w", ("stdin", "swift://a/c/x*")), listing=Endless({})).reason
    assert reason == "More than 10000 objects for device stdin of w"
    reason = problem(
        group("w", ("input", "swift://a/c/x*"), each={"objects": 2}), listing=Endless({}), limits={"maxobjects": 50}
    ).reason
    assert reason == "More than 50 objects for device input of w"


def test_depth():
    deep = []
    for _ in range(40):
        deep = [deep]
    assert problem({**group("w", "stdout"), "x-deep": deep}).reason == "The map is nested deeper than 32 levels"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[" * 100000, "it is nested deeper than 32 levels"),
        (b"[" * 40 + b"]" * 40, "it is nested deeper than 32 levels"),
        (b'[{"a": 1, "b": 2, "b": 3}]', "the key b is given twice in one object"),
        (b"[\xff]", "it is not UTF-8 at byte 1"),
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b"[NaN]", "Expecting value: line 1 column 2"),
    ],
)
def test_texts_that_are_no_document(text, reason):
    with pytest.raises(SystemMapSyntaxError) as caught:
        parse_document(text, Limits())
    assert str(caught.value).startswith("Could not parse system map: ")
    assert reason in str(caught.value)


def test_documents():
    assert parse_document(b'\xef\xbb\xbf[{"a": [1]}]', Limits()) == [{"a": [1]}]
    assert plan_job(
        parse_document(b'[{"name":"w","exec":{"path":"swift://~/c/e"},"devices":[{"name":"stdout"}]}]', Limits()), context()
    )
