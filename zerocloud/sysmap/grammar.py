"""The keys of the language, as data: what the reader knows and the JSON Schema says. Source: system map, section 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .devices import MODES

SPLIT_MODES = ("line", "bytes", "record")
ON_ERROR = ("cancel", "continue")
ON_EXIT = ("fail", "ignore")
COUNT_AUTO = "auto"

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1, "pattern": r'^[^\u0000-\u001f\u007f,;*#="\\/]+$'}
URL: Schema = {"type": "string", "pattern": "^(swift|file|zvm|tcp|udp)://"}
NATURAL: Schema = {"type": "integer", "minimum": 0}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
SIZE: Schema = {"anyOf": [NATURAL, {"type": "string", "pattern": r"^[0-9]{1,18}\s*[KkMmGgTt]?([Ii]?[Bb])?$"}]}


@dataclass(frozen=True)
class Key:
    """One key: its name, what its value may be (JSON Schema), what it means, whether it must be there, what replaces it."""

    name: str
    schema: Schema
    meaning: str
    required: bool = False
    replaced_by: str = ""


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


GROUP = (
    Key("name", NAME, "The group's name. Connections and answers use it.", required=True),
    Key("exec", _reference("exec"), "The program that its nodes run.", required=True),
    Key("devices", _list_of(_reference("device")), "The devices of each node."),
    Key("file_list", _list_of(_reference("device")), "Old name of devices; wins if both are given.", replaced_by="devices"),
    Key(
        "count",
        {"anyOf": [POSITIVE, {"const": COUNT_AUTO}]},
        "How many nodes, 1 by default. Wildcard, listed and split inputs decide it instead. auto: as many as can run at once.",
    ),
    Key("connect", _list_of(TEXT), "Names of groups or nodes that each node of this group sends to."),
    Key("replicate", NATURAL, "How many copies of each node run, 1 by default. 0: never more than one."),
    Key("attach", TEXT, "The device next to whose object the node runs. default: the first that reads an object."),
    Key("location", TEXT, "Groups with the same location run on the same server where possible."),
    Key("each", _reference("each"), "Puts several objects of a wildcard input on one node."),
    Key("timeout", {"type": "number", "exclusiveMinimum": 0}, "Seconds that a node may take."),
    Key("memory", SIZE, "Bytes of memory that a node may have."),
    Key("retries", NATURAL, "How often a node is tried again after it failed, 0 by default."),
    Key("on_error", {"enum": list(ON_ERROR)}, "cancel (default): a failed node cancels the job. continue: the others go on."),
    Key("on_exit", {"enum": list(ON_EXIT)}, "fail (default): a non-zero exit code is a failure. ignore: it is only reported."),
    Key("speculate", {"type": "boolean"}, "Whether slow nodes get a second copy on another replica."),
)

EXEC = (
    Key(
        "path",
        {"type": "string", "pattern": "^(swift|file)://"},
        "The program: an object, or a file in an image.",
        required=True,
    ),
    Key("args", TEXT, "Arguments, separated by blanks."),
    Key(
        "env",
        {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}},
        "Environment variables. Empty ones are left out.",
    ),
    Key("name", TEXT, "The program's own name (argv[0]); the node's name by default."),
)

DEVICE = (
    Key("name", TEXT, "stdin, input, script, image, stdout, stderr, output, debug or the name of a system image."),
    Key("device", TEXT, "Old name of name; wins if both are given.", replaced_by="name"),
    Key("path", {"anyOf": [URL, _list_of(URL)]}, "What the device is bound to. A list, or *, makes a node for each object."),
    Key("content_type", TEXT, "Type of the object that is written, or of the answer."),
    Key("meta", {"type": "object", "additionalProperties": TEXT}, "User metadata of the object that is written."),
    Key("mode", {"enum": list(MODES)}, "What kind of file the program sees."),
    Key("min_size", SIZE, "Output with fewer bytes is dropped."),
    Key("split", _reference("split"), "Makes several nodes of an object larger than size, each with a range of its bytes."),
)

SPLIT = (
    Key("size", SIZE, "Bytes of each range, the last one excepted.", required=True),
    Key("on", {"enum": list(SPLIT_MODES)}, "Where to cut: after whole lines (default), anywhere, or after a separator."),
    Key("separator", {"type": "string", "minLength": 1}, "What ends a record, for on: record."),
)

EACH = (Key("objects", POSITIVE, "How many objects one node gets, as /dev/input/1, /dev/input/2 …", required=True),)


def names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """The names of the keys."""
    return tuple(key.name for key in keys)
