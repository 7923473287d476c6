"""The language as a JSON Schema (draft 2020-12), for editors and other tools: made from the keys that the reader knows.

It is published as ``doc/system-map.schema.json``; a test holds the two equal. The schema tells what can be told of a map
without its context; the rest (listings, limits, what fits together) is :func:`zerocloud.sysmap.plan_job`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .grammar import DEVICE, EACH, EXEC, GROUP, SPLIT, Key

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema as a JSON value."""
    return {
        "$schema": DRAFT,
        "title": "ZeroCloud system map",
        "description": "A job: groups of nodes, each with a program, devices and connections.",
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#/$defs/group"},
        "$defs": {
            "group": _object("A group of nodes that run the same program.", GROUP),
            "exec": _object("A program and its arguments.", EXEC),
            "device": {
                **_object("A device of each node.", DEVICE),
                "anyOf": [{"required": ["name"]}, {"required": ["device"]}],
            },
            "split": _object("How large objects are cut.", SPLIT),
            "each": _object("How many objects share a node.", EACH),
        },
    }


def json_schema_text() -> str:
    """The schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(description: str, keys: Iterable[Key]) -> dict[str, Any]:
    keys = tuple(keys)
    value: dict[str, Any] = {
        "description": description,
        "type": "object",
        "properties": {"$schema": {}, **{key.name: _property(key) for key in keys}},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    required = [key.name for key in keys if key.required]
    return {**value, "required": required} if required else value


def _property(key: Key) -> dict[str, Any]:
    described = {**key.schema, "description": key.meaning}
    return {**described, "deprecated": True} if key.replaced_by else described
