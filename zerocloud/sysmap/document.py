"""Reads a whole system map into frozen groups, noting every mistake. Source: system map, sections 1 and 11."""

from __future__ import annotations

from typing import Any

import simplejson

from . import grammar
from .context import Context, Limits
from .devices import name_fault
from .groups import AUTO, NO_PROGRAM, Device, Group
from .problems import Pointer, Problem, Problems, SystemMapSyntaxError, printable, shown
from .read_device import read_device
from .read_program import has_control, read_program
from .read_split import read_each
from .reader import JsonObject

_ELSEWHERE = {
    **dict.fromkeys(("args", "env", "path"), '"exec"'),
    **dict.fromkeys(("content_type", "meta", "mode", "min_size", "split"), '"devices"'),
}


def parse_document(text: bytes, limits: Limits) -> Any:
    """The JSON value of a map's text. Raises SystemMapSyntaxError if it is none, is too deep, or says a key twice."""
    try:
        document = simplejson.loads(text.decode("utf-8-sig"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise _syntax_error(f"it is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _syntax_error(f"it is nested deeper than {limits.maxdepth} levels") from None
    except ValueError as error:
        raise _syntax_error(str(error)) from None
    if not is_shallow(document, limits.maxdepth):
        raise _syntax_error(f"it is nested deeper than {limits.maxdepth} levels")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise ValueError(f"the key {shown(key)} is given twice in one object")
        value[key] = item
    return value


def _syntax_error(reason: str) -> SystemMapSyntaxError:
    return SystemMapSyntaxError([Problem("", f"Could not parse system map: {printable(reason)}")])


def is_shallow(document: object, limit: int) -> bool:
    """Whether lists and objects are nested at most ``limit`` deep."""
    level = [document]
    for _ in range(limit + 1):
        containers = [value for value in level if isinstance(value, (list, dict))]
        if not containers:
            return True
        level = [item for value in containers for item in (value.values() if isinstance(value, dict) else value)]
    return False


def read_document(document: object, context: Context, problems: Problems) -> list[Group]:
    """The groups without mistakes, in order. Mistakes go to ``problems``."""
    if not isinstance(document, list):
        problems.add((), f"Config parser internal error: a system map is a list of groups, not {shown(document)}")
        return []
    if not document:
        problems.add((), "Config parser cannot resolve any job nodes: the list of groups is empty")
    if not is_shallow(document, context.limits.maxdepth):
        problems.add((), f"The map is nested deeper than {context.limits.maxdepth} levels")
        return []
    groups = []
    for index, value in enumerate(document):
        group = _read_group(value, (index,), context, problems)
        if group:
            groups.append(group)
    return groups


def _read_group(value: object, pointer: Pointer, context: Context, problems: Problems) -> Group | None:
    if not isinstance(value, dict):
        problems.add(pointer, f"Config parser internal error: a group must be an object, not {shown(value)}")
        return None
    before = len(problems)
    group = JsonObject(value, pointer, problems)
    group.expect_keys(grammar.names(grammar.GROUP), _ELSEWHERE)
    name = _read_name(group, context.limits)
    called = name or f"group {pointer[0]}"
    key = group.given("file_list", "devices")
    program = read_program(group, called, _has_image(group.get(key)), context)
    count = _read_count(group, context.limits)
    devices = _read_devices(group, key, called, context)
    limits = context.limits
    read = Group(
        name=name,
        pointer=pointer,
        program=program or NO_PROGRAM,
        devices=devices,
        count=count,
        connect=_read_connect(group),
        replicate=group.integer("replicate", 1, 0, limits.maxreplicate),
        attach=group.text("attach", "default"),
        location=_read_location(group),
        each=read_each(group, devices, limits),
        timeout=group.seconds("timeout", limits.maxtimeout),
        memory=group.size("memory", limits.maxmemory, 1, limits.maxmemory) if "memory" in group else None,
        retries=group.integer("retries", 0, 0, limits.maxretries),
        continue_on_error=group.choice("on_error", grammar.ON_ERROR, "cancel") == "continue",
        ignore_exit=group.choice("on_exit", grammar.ON_EXIT, "fail") == "ignore",
        speculate=group.boolean("speculate"),
    )
    _check_auto(group, read)
    return None if len(problems) > before else read


def _read_name(group: JsonObject, limits: Limits) -> str:
    name = group.text("name")
    if not name:
        group.wrong("name" if "name" in group else "", "Must specify node name")
        return ""
    fault = name_fault(name, limits.maxname)
    if fault:
        group.wrong("name", f"Invalid node name {shown(name)}: {fault}")
    return name


def _has_image(devices: object) -> bool:
    listed = devices if isinstance(devices, list) else []
    return any(isinstance(device, dict) and "image" in (device.get("name"), device.get("device")) for device in listed)


def _read_count(group: JsonObject, limits: Limits) -> int:
    count = group.get("count")
    if count is None:
        return 1
    if count == grammar.COUNT_AUTO:
        return AUTO
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        group.wrong("count", f"Invalid node count: {shown(count)}", 'It is a whole number above 0, or "auto"')
    elif count > limits.maxnodes:
        group.wrong("count", f"Invalid node count: {shown(count)}, the limit is {limits.maxnodes} nodes for a job")
    else:
        return count
    return 1


def _read_devices(group: JsonObject, key: str, name: str, context: Context) -> tuple[Device, ...]:
    devices: list[Device] = []
    names: set[str] = set()
    splits = False
    for index, value in group.items(key):
        pointer = (*group.pointer, key, index)
        device = read_device(value, pointer, name, context, group.problems)
        if device is None:
            continue
        if device.name in names:
            group.problems.add(pointer, f"Device {shown(device.name)} is listed twice in {name}")
        if device.split and splits:
            group.problems.add((*pointer, "split"), f"Only one device of {name} can be split")
        names.add(device.name)
        splits = splits or device.split is not None
        devices.append(device)
    return tuple(devices)


def _read_connect(group: JsonObject) -> tuple[str, ...]:
    targets = []
    for index, value in group.items("connect"):
        if isinstance(value, str) and value:
            targets.append(value)
        else:
            group.problems.add((*group.pointer, "connect", index), f"connect names groups or nodes, not {shown(value)}")
    return tuple(targets)


def _read_location(group: JsonObject) -> str:
    location = group.text("location")
    if has_control(location):
        group.wrong("location", "location holds a control character or is not Unicode text")
    return location


def _check_auto(group: JsonObject, read: Group) -> None:
    fixed = [device.name for device in read.devices if device.name in ("stdin", "input") and device.paths and not device.peer]
    if read.count == AUTO and fixed and not any(device.spreads for device in read.devices):
        group.wrong("count", f'"auto" is for groups without inputs, but {fixed[0]} has one', "Give a number")
