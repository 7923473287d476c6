"""Checks values against the part of JSON Schema that the system map's schema uses. Unknown keywords are refused."""

from __future__ import annotations

import re
from typing import Any

ANNOTATIONS = {"$schema", "$defs", "title", "description", "deprecated"}
TYPES = {
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}


def is_valid(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether the value keeps to the schema."""
    return all(CHECKS[word](value, schema[word], schema, root) for word in schema if word not in ANNOTATIONS)


def _reference(value, word, schema, root):
    assert word.startswith("#/$defs/")
    return is_valid(value, root["$defs"][word.removeprefix("#/$defs/")], root)


def _properties(value, word, schema, root):
    return not isinstance(value, dict) or all(is_valid(value[key], part, root) for key, part in word.items() if key in value)


def _additional(value, word, schema, root):
    if not isinstance(value, dict):
        return True
    rest = [key for key in value if key not in schema.get("properties", {})]
    rest = [key for key in rest if not any(re.search(pattern, key) for pattern in schema.get("patternProperties", {}))]
    return not rest if word is False else all(is_valid(value[key], word, root) for key in rest)


CHECKS = {
    "$ref": _reference,
    "type": lambda v, word, schema, root: any(TYPES[kind](v) for kind in ([word] if isinstance(word, str) else word)),
    "enum": lambda v, word, schema, root: v in word,
    "const": lambda v, word, schema, root: v == word,
    "anyOf": lambda v, word, schema, root: any(is_valid(v, part, root) for part in word),
    "items": lambda v, word, schema, root: not isinstance(v, list) or all(is_valid(item, word, root) for item in v),
    "minItems": lambda v, word, schema, root: not isinstance(v, list) or len(v) >= word,
    "minimum": lambda v, word, schema, root: not TYPES["number"](v) or v >= word,
    "exclusiveMinimum": lambda v, word, schema, root: not TYPES["number"](v) or v > word,
    "minLength": lambda v, word, schema, root: not isinstance(v, str) or len(v) >= word,
    "pattern": lambda v, word, schema, root: not isinstance(v, str) or re.search(word, v) is not None,
    "required": lambda v, word, schema, root: not isinstance(v, dict) or all(key in v for key in word),
    "properties": _properties,
    "patternProperties": lambda v, word, schema, root: all(part == {} for part in word.values()),
    "additionalProperties": _additional,
}
