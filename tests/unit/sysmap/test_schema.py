"""The published schema is the one of the code, and says of maps what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from zerocloud.sysmap import SystemMapError, json_schema, json_schema_text, plan_job

from .schema_checker import is_valid
from .store import context, group
from .strategies import MAPS, STORES

PUBLISHED = Path(__file__).parents[3] / "doc" / "system-map.schema.json"


def valid(document):
    return is_valid(document, json_schema(), json_schema())


def without_nulls(value):
    """The value without keys that are null, which the language takes as absent and the schema does not know."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def test_the_published_schema_is_the_one_of_the_code():
    assert PUBLISHED.read_text() == json_schema_text(), "write json_schema_text() to the file"
    assert json.loads(json_schema_text()) == json_schema()


@given(MAPS, STORES)
def test_what_can_be_planned_is_valid(document, store):
    try:
        plan_job(document, context(store))
    except SystemMapError:
        return
    assert valid(without_nulls(document))


MISTAKES = [
    {},
    [],
    [{}],
    [5],
    [{**group("n", "stdout"), "args": "x"}],
    [group("", "stdout")],
    [group("a,b", "stdout")],
    [group("n", "stdout", exe="/c/e")],
    [group("n", "stdout", exe="zvm://r:x")],
    [group("n", "stdout", count=0)],
    [group("n", "stdout", count="many")],
    [group("n", "stdout", connect="r")],
    [group("n", ("stdin", "/c/o"))],
    [group("n", ("stdin", ["swift://a/c/o", 5]))],
    [group("n", {"path": "swift://a/c/o"})],
    [group("n", {"name": "stdin", "path": "swift://a/c/o", "split": {"on": "line"}})],
    [group("n", {"name": "stdin", "path": "swift://a/c/o", "split": {"size": "64X"}})],
    [group("n", {"name": "stdout", "mode": "fil"})],
    [group("n", "stdout", each={"objects": 0})],
    [group("n", "stdout", timeout=0)],
    [group("n", "stdout", on_error="stop")],
]


@pytest.mark.parametrize("document", MISTAKES)
def test_mistakes_that_need_no_context_are_not_valid(document):
    assert not valid(document)
    with pytest.raises(SystemMapError):
        plan_job(document, context())
