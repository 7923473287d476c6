"""The page on the system map says what the code does: its maps are planned, its keys and limits are all there."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from zerocloud.sysmap import Limits, Node, SystemMapError, json_schema, plan_job
from zerocloud.sysmap.grammar import DEVICE, EACH, EXEC, GROUP, SPLIT

from .schema_checker import is_valid
from .store import STORE, context

PAGE = (Path(__file__).parents[3] / "doc" / "system-map.md").read_text()
EXAMPLES = re.findall(r"\*\*(E\d+)\*\*(?:(?!\*\*E).)*?```json\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
TEXTS = {"a": {**STORE["a"], "texts": {"moby-dick.txt": 5, "emma.txt": 6}}}


def told(node: Node) -> str:
    """A node as the page tells it: bound devices first, then its streams."""
    bound = []
    for channel in node.channels:
        part = f" {channel.slice.start}-{channel.slice.end}" if channel.slice else ""
        bound.append(channel.device + (f"={channel.path.url}" if channel.path else "") + part)
    streams = [end.device for end in (*node.binds, *node.connects)]
    place = f"{node.access} {node.path_info}".strip()
    return " ".join(filter(None, [f"{node.id} {node.name} [{place}]", ", ".join(bound), *streams]))


def test_there_are_all_examples():
    assert [name for name, _, _ in EXAMPLES] == [f"E{i}" for i in range(1, 17) if i != 12]


@pytest.mark.parametrize(("name", "document", "expected"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_worked_examples(name, document, expected):
    document = json.loads(document)
    assert is_valid(document, json_schema(), json_schema())
    if name == "E4":
        with pytest.raises(SystemMapError) as caught:
            plan_job(document, context())
        assert str(caught.value) == expected.strip()
        return
    assert "".join(told(node) + "\n" for node in plan_job(document, context()).nodes) == expected


def test_the_first_maps():
    documents = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE.split("## 1 ")[0], re.DOTALL)]
    plans = [plan_job(document, context(TEXTS)) for document in documents]
    assert [[node.name for node in plan.nodes] for plan in plans] == [["count"], ["map-1", "map-2", "reduce-1", "reduce-2"]]


@pytest.mark.parametrize("key", [key.name for keys in (GROUP, EXEC, DEVICE, SPLIT, EACH) for key in keys])
def test_every_key_is_described(key):
    assert re.search(rf"[`\"]{key}[`\"]", PAGE)


def test_every_limit_is_told():
    table = PAGE.split("A server's limits")[1].split("## 12")[0]
    shown = {"maxmemory": "4 GiB"}
    for limit in fields(Limits):
        if limit.name.startswith("max"):
            assert shown.get(limit.name, f"{limit.default:,.0f}") in table, limit.name
