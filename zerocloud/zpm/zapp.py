"""A zapp's description, read from its zapp.yaml with every mistake told by its line. Pure. Source: cli, section 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerocloud.sysmap import SystemMapError
from zerocloud.sysmap.grammar import names
from zerocloud.sysmap.problems import Problem, Problems, shown
from zerocloud.sysmap.reader import JsonObject

from . import grammar
from .errors import ZappError
from .marks import Marked, MarkedError, Pointer, read_marked
from .system_map import map_mistakes, system_map

ZAPP_YAML = "zapp.yaml"
FLAT = tuple(names(grammar.FLAT_GROUP))


@dataclass(frozen=True)
class Zapp:
    """What a zapp.yaml says. ``job_map`` is its system map, ``value`` the whole of it. Patterns are relative to its folder."""

    name: str
    job_map: Sequence[Mapping[str, Any]]
    value: Mapping[str, Any]
    bundling: tuple[str, ...] = ()
    ui: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    build: str = ""


def read_zapp(text: str, file: str = ZAPP_YAML) -> Zapp:
    """The zapp of a zapp.yaml's text; ``file`` is what mistakes call it. Raises ZappError with all of them."""
    try:
        marked = read_marked(text)
    except MarkedError as error:
        raise ZappError(f"{file}:{error.line}: {error}") from None
    problems = Problems()
    try:
        zapp = _read(marked.value, problems)
        problems.check()
    except SystemMapError as error:
        raise ZappError("\n".join(_told(file, marked, error.problems))) from None
    assert zapp is not None
    return zapp


def _read(value: object, problems: Problems) -> Zapp | None:
    if not isinstance(value, dict):
        problems.add((), f"A zapp.yaml has the keys execution and meta, it can't be {shown(value)}")
        return None
    top = JsonObject(value, (), problems)
    top.expect_keys(names(grammar.TOP), {"groups": '"execution"', "name": '"meta"'})
    top.choice("project_type", grammar.PROJECT_TYPES, "python")
    name = _name(top)
    groups = _groups(top)
    _check_help(top)
    zapp = Zapp(
        name=name,
        job_map=system_map(groups),
        value=value,
        bundling=tuple(_texts(top, "bundling")),
        ui=tuple(_texts(top, "ui")),
        dependencies=tuple(_dependencies(top)),
        build=top.text("build"),
    )
    for pointer, problem in map_mistakes(zapp.job_map):
        problems.add(("execution", "groups", *pointer), problem.reason, problem.cure)
    return zapp


def _name(top: JsonObject) -> str:
    meta = top.child("meta")
    if meta is None:
        if "meta" not in top:
            top.wrong("", "There is no meta", "Write meta: and below it name: NAME")
        return ""
    name = meta.text("name")
    if not name:
        meta.wrong("name" if "name" in meta else "", "meta has no name")
    elif not re.search(grammar.ZAPP_NAME, name) or name.startswith("."):
        meta.wrong("name", f"{shown(name)} can't be a file's name")
    return name


def _groups(top: JsonObject) -> list[dict[str, Any]]:
    execution = top.child("execution")
    if execution is None:
        if "execution" not in top:
            top.wrong("", "There is no execution", "Write execution: and below it groups:")
        return []
    execution.expect_keys(names(grammar.EXECUTION), {})
    found = []
    for index, group in execution.items("groups"):
        if not isinstance(group, dict):
            execution.problems.add((*execution.pointer, "groups", index), f"A group has keys, it can't be {shown(group)}")
        elif "exec" in group:
            reason = "A group of a zapp.yaml has no exec"
            execution.problems.add(
                (*execution.pointer, "groups", index, "exec"), reason, "Put path, args and env into the group"
            )
        else:
            pointer = (*execution.pointer, "groups", index)
            JsonObject(group, pointer, execution.problems).expect_keys(FLAT, {})
            found.append({key: value for key, value in group.items() if key in FLAT})
    if not execution.get("groups"):
        execution.wrong("groups" if "groups" in execution else "", "There are no groups")
    return found


def _check_help(top: JsonObject) -> None:
    told = top.child("help")
    if told is None:
        return
    told.expect_keys(names(grammar.HELP), {})
    told.text("description")
    for index, pair in told.items("args"):
        if not isinstance(pair, list) or len(pair) < 2 or not all(isinstance(text, str) for text in pair):
            told.problems.add((*told.pointer, "args", index), "An argument is a pair of texts: [id, label]")


def _texts(top: JsonObject, key: str) -> Iterator[str]:
    for index, value in top.items(key):
        if isinstance(value, str) and value:
            yield value
        else:
            top.problems.add((key, index), f"{key} has texts, not {shown(value)}")


def _dependencies(top: JsonObject) -> Iterator[str]:
    """The packages; of an entry that is a list the first item (the others, modules, are found by themselves today)."""
    for index, value in top.items("dependencies"):
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str) and first and not first.startswith("-"):
            yield first
        else:
            top.problems.add(("dependencies", index), f"A dependency is the name of a package, not {shown(value)}")


def _told(file: str, marked: Marked, problems: Sequence[Problem]) -> Iterator[str]:
    ordered = sorted(problems, key=lambda problem: marked.line(_steps(marked, problem.pointer)))
    for problem in ordered:
        line = marked.line(_steps(marked, problem.pointer))
        cure = f". {problem.cure}" if problem.cure else ""
        yield f"{file}:{line}: {problem.reason}{cure}"


def _steps(marked: Marked, pointer: str) -> Pointer:
    """A rendered pointer as the steps by which lines are known."""
    found: Pointer = ()
    for step in pointer.split("/")[1:]:
        plain = step.replace("~1", "/").replace("~0", "~")
        index = (*found, int(plain)) if plain.isdecimal() else None
        found = index if index in marked.lines and index is not None else (*found, plain)
    return found
