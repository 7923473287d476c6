"""Reads ``split`` and ``each``: how objects are cut for, or gathered on, nodes. Source: system map, section 6."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import grammar
from .context import Limits
from .groups import Device, Split
from .paths import Location, SwiftPath, SwiftPattern
from .plan import Access
from .problems import shown
from .reader import JsonObject
from .urls import has_surrogate

MOST_SEPARATOR_BYTES = 256
EACH_DEVICE = "input"


def read_split(device: JsonObject, access: Access, paths: Iterable[Location]) -> Split | None:
    """How a device's objects are cut; None if they are not, or if the device is not one to cut."""
    split = device.child("split")
    if split is None:
        return None
    split.expect_keys(grammar.names(grammar.SPLIT), {})
    objects = [path for path in paths if isinstance(path, (SwiftPath, SwiftPattern)) and path.object]
    if not objects or len(objects) < len(tuple(paths)) or not access & Access.READABLE:
        device.wrong("split", "split needs a readable device with the path of an object")
        return None
    if "size" not in split:
        split.wrong("", "split needs a size", 'Write "size": "64M"')
    size = split.size("size", 1, minimum=1)
    mode = split.choice("on", grammar.SPLIT_MODES, "line")
    return Split(size, mode, _separator(split, mode))


def _separator(split: JsonObject, mode: str) -> str:
    separator = split.text("separator")
    if mode != "record":
        if "separator" in split:
            split.wrong("separator", "Only records have a separator", 'Write "on": "record"')
        return "\n" if mode == "line" else ""
    if not separator:
        split.wrong("separator" if "separator" in split else "", "Records need a separator", 'Write "separator": "\\n\\n"')
    elif has_surrogate(separator):
        split.wrong("separator", "The separator is not Unicode text")
    elif len(separator.encode()) > MOST_SEPARATOR_BYTES:
        split.wrong("separator", f"The separator has {len(separator.encode())} bytes, the limit is {MOST_SEPARATOR_BYTES}")
    return separator


def read_each(group: JsonObject, devices: Sequence[Device], limits: Limits) -> int:
    """How many objects a node of the group gets at most; 0 if the key is absent or wrong."""
    each = group.child("each")
    if each is None:
        return 0
    each.expect_keys(grammar.names(grammar.EACH), {})
    if "objects" not in each:
        each.wrong("", "each needs a number of objects", 'Write "objects": 16')
    spread = [device for device in devices if device.spreads]
    if [device.name for device in spread] != [EACH_DEVICE]:
        names = ", ".join(shown(device.name) for device in spread) or "none"
        reason = f"each needs wildcards (or a list) on the device {EACH_DEVICE} and on no other, here they are on: {names}"
        group.wrong("each", reason, f"Use the device {EACH_DEVICE}")
    elif spread[0].split:
        group.wrong("each", "each and split exclude each other")
    return each.integer("objects", 1, 1, limits.maxeach)
