"""Reads one device of a group: its name, its paths, and whether they fit together. Source: system map, sections 1, 2, 3, 11."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from . import grammar
from .context import Context
from .devices import ANSWERING, DEVICES, MODES, READ_RANDOM, RESERVED, name_fault
from .groups import Device
from .paths import Location, NetworkPath, PeerPath, SwiftPath, SwiftPattern
from .plan import Access
from .problems import Pointer, Problems, did_you_mean, shown
from .read_program import has_control
from .read_split import read_split
from .reader import JsonObject
from .urls import UrlError, parse_url

MOST_META_COUNT = 90
MOST_META_NAME = 128
MOST_META_VALUE = 256
MOST_META_BYTES = 4096
IMMEDIATE_TYPE = "text/html"

_ELSEWHERE = {
    **dict.fromkeys(("args", "env"), '"exec"'),
    **dict.fromkeys(("count", "connect", "attach", "each"), "the group"),
}


class _Wrong(Exception):
    """The device can't be used; the mistake has been noted."""


def read_device(value: object, pointer: Pointer, group: str, context: Context, problems: Problems) -> Device | None:
    """One element of ``devices``; None if it is wrong, which has then been noted."""
    if not isinstance(value, dict):
        problems.add(pointer, f"A device of {group} must be an object, not {shown(value)}")
        return None
    device = JsonObject(value, pointer, problems)
    device.expect_keys(grammar.names(grammar.DEVICE), _ELSEWHERE)
    try:
        name = _name(device, group, context)
        paths, listed = _paths(device, context)
        access = _access(device, name, paths, context)
        _check_paths(device, name, access, paths, group, context)
    except _Wrong:
        return None
    content_type = _content_type(device, access, bool(paths), context)
    mode = device.choice("mode", MODES, "") or None
    split = read_split(device, access, paths)
    return Device(name, access, pointer, paths, listed, split, content_type, _meta(device), mode, device.size("min_size", 0))


def _name(device: JsonObject, group: str, context: Context) -> str:
    key = device.given("device", "name")
    name = device.text(key)
    if not name:
        device.wrong(key if key in device else "", f"Must specify device for file in {group}")
        raise _Wrong
    connected = isinstance(path := device.get("path"), str) and path.startswith("zvm://")
    fault = name_fault(name.replace("*", "_") if connected else name, context.limits.maxname, slashes=True)
    if fault or name in RESERVED:
        device.wrong(key, f"Bad device name: {shown(name)} in {group}: {fault or 'it belongs to the executor'}")
        raise _Wrong
    return name


def _paths(device: JsonObject, context: Context) -> tuple[tuple[Location, ...], bool]:
    """The paths of the device, and whether they were given as a list."""
    value = device.get("path")
    pointer = (*device.pointer, "path")
    if value is None or value == "":
        return (), False
    if isinstance(value, list):
        locations = [_location(device, (*pointer, index), item, context) for index, item in enumerate(value)]
    else:
        locations = [_location(device, pointer, value, context)]
    if not locations:
        device.wrong("path", "The list of paths is empty")
    paths = tuple(location for location in locations if location)
    if not paths or len(paths) < len(locations):
        raise _Wrong
    return paths, isinstance(value, list)


def _location(device: JsonObject, pointer: Pointer, value: object, context: Context) -> Location | None:
    if not isinstance(value, str):
        device.problems.add(pointer, f"A path must be a string, or a list of strings, not {shown(value)}")
        return None
    try:
        return parse_url(value, context.account)
    except UrlError as error:
        device.problems.add(pointer, str(error), error.cure)
        return None


def _access(device: JsonObject, name: str, paths: tuple[Location, ...], context: Context) -> Access:
    """The bits of the device. Devices that are neither known nor system images are wrong, unless they lead to another node."""
    if name in DEVICES:
        return DEVICES[name]
    if any(isinstance(path, PeerPath) for path in paths):
        return Access.NONE
    images = context.system_images
    key = device.given("device", "name")
    if images is not None and name not in images:
        reason = f"Unknown device {shown(name)}" if paths else f'Could not resolve channel path "" for device: {shown(name)}'
        device.wrong(key, reason, did_you_mean(name, (*DEVICES, *sorted(images))))
        raise _Wrong
    if paths:
        reason = f"Device {shown(name)} is not one that takes a path"
        device.wrong("path", reason, did_you_mean(name, DEVICES) or "System images are named without one")
        raise _Wrong
    return READ_RANDOM


def _check_paths(
    device: JsonObject, name: str, access: Access, paths: tuple[Location, ...], group: str, context: Context
) -> None:
    """Whether these paths may stand on this device. Raises _Wrong."""
    reason = ""
    if len(paths) > 1 and not access & (Access.READABLE | Access.CDR):
        reason = f"Device {name} takes one path, not a list"
    elif any(isinstance(path, PeerPath) for path in paths):
        if access & (Access.READABLE | Access.CDR | Access.NETWORK):
            reason = f"Device {name} cannot send to another node"
    elif access & Access.READABLE:
        reason = _readable_fault(paths, group)
    elif access & Access.CDR:
        reason = _image_fault(paths, group, context)
    elif access & Access.WRITABLE:
        reason = _writable_fault(name, paths, group)
    elif access & Access.NETWORK and not all(isinstance(path, NetworkPath) for path in paths or (None,)):
        reason = f"Device {name} needs a path tcp://host:port or udp://host:port"
    if reason:
        device.wrong("path" if paths else "", reason)
        raise _Wrong


def _readable_fault(paths: Iterable[Location], group: str) -> str:
    for path in paths:
        if not isinstance(path, (SwiftPath, SwiftPattern)):
            return f"Readable device must be a swift object, not {shown(path.url)}"
        if not path.container:
            return f"Invalid path {shown(path.url)} in {group}"
    return ""


def _image_fault(paths: tuple[Location, ...], group: str, context: Context) -> str:
    if context.image:
        return f"The job brings an image of its own, so {group} cannot have a device image"
    if not paths:
        return 'Could not resolve channel path "" for device: image'
    return _readable_fault(paths, group) or _container_fault(paths)


def _container_fault(paths: Iterable[Location]) -> str:
    for path in paths:
        if isinstance(path, (SwiftPath, SwiftPattern)) and not path.object:
            return f"Container path must be read-only: {shown(path.url)}"
    return ""


def _writable_fault(name: str, paths: tuple[Location, ...], group: str) -> str:
    if not paths:
        return "" if name in ANSWERING else f"Immediate response is not available for device {name}"
    if not isinstance(paths[0], (SwiftPath, SwiftPattern)):
        return f"Writable device must be a swift object, not {shown(paths[0].url)}"
    if not paths[0].container:
        return f"Invalid path {shown(paths[0].url)} in {group}"
    return _container_fault(paths)


def _content_type(device: JsonObject, access: Access, has_path: bool, context: Context) -> str | None:
    content_type = device.text("content_type")
    if has_control(content_type):
        device.wrong("content_type", "content_type holds a control character")
    if content_type or not access & Access.WRITABLE:
        return content_type or None
    return context.default_content_type if has_path else IMMEDIATE_TYPE


def _meta(device: JsonObject) -> dict[str, str]:
    meta: dict[str, str] = {}
    for name, value in device.pairs("meta"):
        fault = _meta_fault(name, value)
        if fault:
            device.problems.add((*device.pointer, "meta", name), f"Metadata {shown(name)}: {fault}")
        else:
            meta[name] = cast(str, value)
    total = sum(len(name.encode()) + len(value.encode()) for name, value in meta.items())
    if len(meta) > MOST_META_COUNT:
        device.wrong("meta", f"{len(meta)} metadata names, the limit is {MOST_META_COUNT}")
    elif total > MOST_META_BYTES:
        device.wrong("meta", f"Metadata has {total} bytes, the limit is {MOST_META_BYTES}")
    return meta


def _meta_fault(name: str, value: object) -> str:
    if not name or has_control(name) or ":" in name or name != name.strip():
        return "not a name"
    if len(name.encode()) > MOST_META_NAME:
        return f"its name has {len(name.encode())} bytes, the limit is {MOST_META_NAME}"
    if not isinstance(value, str):
        return f"its value must be a string, not {shown(value)}"
    if has_control(value):
        return "its value holds a control character"
    if len(value.encode()) > MOST_META_VALUE:
        return f"its value has {len(value.encode())} bytes, the limit is {MOST_META_VALUE}"
    return ""
