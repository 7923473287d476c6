"""The keys of a zapp.yaml, as data: what the reader knows and the JSON Schema says. Source: command-line tools, section 1."""

from __future__ import annotations

from typing import Any

from zerocloud.sysmap import json_schema
from zerocloud.sysmap.grammar import EXEC, GROUP, TEXT, Key, Schema

PROJECT_TYPES = ("python", "c", "other")
ZAPP_NAME = r"^[^\u0000-\u001f\u007f/\\]+$"


def _texts(**more: Any) -> Schema:
    return {"type": "array", "items": TEXT, **more}


def _object(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


ARGUMENT: Schema = {"type": "array", "items": TEXT, "minItems": 2}
DEPENDENCY: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}

TOP = (
    Key("project_type", {"enum": list(PROJECT_TYPES)}, "What it is written in, python by default."),
    Key("execution", _object("execution"), "The job.", required=True),
    Key("meta", _object("meta"), "What it is called and who made it.", required=True),
    Key("help", _object("help"), "What the zapp's page tells its users."),
    Key("build", TEXT, "A command that is run before bundling, in the folder of zapp.yaml."),
    Key("bundling", _texts(), "The files that go into the zapp: patterns, ** for folders of any depth."),
    Key("ui", _texts(), "The files of the zapp's page, which deploy puts beside it. Those that end in .tmpl are filled in."),
    Key("dependencies", {"type": "array", "items": DEPENDENCY}, "Python packages that go into the zapp."),
)
EXECUTION = (Key("groups", {"type": "array", "minItems": 1, "items": _object("group")}, "The groups of nodes.", required=True),)
META = (
    Key("name", {"type": "string", "pattern": ZAPP_NAME}, "The zapp's name, and its file's.", required=True),
    Key("Version", {"type": ["string", "number"]}, "Its version."),
    Key("Author-email", TEXT, "Whom to write to."),
    Key("Summary", TEXT, "What it does, in a line."),
)
HELP = (
    Key("description", TEXT, "What it does."),
    Key("args", {"type": "array", "items": ARGUMENT}, "Its arguments: pairs of an id and a label."),
)
PROGRAM = tuple(key for key in EXEC if key.name != "name")
"""What a group has of its program, beside the keys of a system map's group; the program's own name is found from its path."""

FLAT_GROUP = (*PROGRAM, *(key for key in GROUP if key.name != "exec"))


def zapp_schema() -> dict[str, Any]:
    """The JSON Schema of a zapp.yaml (draft 2020-12), for editors. It is published as ``doc/zapp.schema.json``."""
    language = json_schema()
    shared = {name: value for name, value in language["$defs"].items() if name not in ("group", "exec")}
    return {
        "$schema": language["$schema"],
        "title": "zapp.yaml",
        **_described("A zapp: a program, its files and its job.", TOP),
        "$defs": {
            "execution": _described("The job.", EXECUTION),
            "group": _described("A group of nodes that run the same program.", FLAT_GROUP),
            "meta": {**_described("What it is called and who made it.", META), "additionalProperties": True},
            "help": _described("What the zapp's page tells its users.", HELP),
            **shared,
        },
    }


def _described(description: str, keys: tuple[Key, ...]) -> dict[str, Any]:
    required = [key.name for key in keys if key.required]
    properties = {key.name: {**key.schema, "description": key.meaning} for key in keys}
    return {
        "description": description,
        "type": "object",
        "properties": {"$schema": {}, **properties},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
