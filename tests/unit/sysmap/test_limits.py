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

    found = problem(group("w", ("stdin", "swift://a/c/x*")), listing=Endless({}))
    assert found.reason == "More than 10000 objects for device stdin of w"
    found = problem(group("w", ("stdin", "swift://a/c/*y")), listing=Endless({}), limits={"maxlisted": 1000})
    assert found.reason == "More than 1000 names would have to be listed for the job's wildcards"


def test_objects_of_a_job():
    many = [group(name, ("input", f"swift://a/c_in{name}/in*"), each={"objects": 2}) for name in "12"]
    assert len(plan(*many, limits={"maxobjects": 4}).nodes) == 2
    found = problem(*many, limits={"maxobjects": 3})
    assert (found.pointer, found.reason) == (
        "/1/devices/0/path",
        "With swift://a/c_in2/in* the job names more than 3 objects",
    )


def test_wildcards_of_a_path():
    assert problem(group("w", ("stdin", "swift://a/c/" + "*a" * 33))).reason.startswith("33 wildcards in URL")


def test_variables_of_a_program():
    whole = group("w", "stdout")
    whole["exec"] = {**whole["exec"], "env": {f"A{i}": "x" for i in range(101)}}
    assert problem(whole).reason == "w has 101 environment variables, the limit is 100"


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
