"""Makes the system map of a zapp from its groups, and finds the mistakes of these. Pure. Source: cli, section 1."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zerocloud.sysmap import Context, Problem, StoredListing, SystemMapError, check_map
from zerocloud.sysmap.grammar import names

from . import grammar

PACKAGES = "lib/python/site-packages"
"""Where Python packages are in a zapp, which its programs see at ``/``."""

ESCAPED = frozenset('\\", \n')
"""Letters that a guest would take for something else (executor, nvram)."""

PROGRAM = frozenset(names(grammar.PROGRAM))


def system_map(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The map of these groups, in which the keys of the program stand beside the others."""
    return [_group(group) for group in groups]


def with_packages(job_map: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The map with the zapp's own Python packages on the path of every program that has no other."""
    found = []
    for group in job_map:
        program = {**group["exec"], "env": {"PYTHONPATH": f"/{PACKAGES}", **(group["exec"].get("env") or {})}}
        found.append({**group, "exec": program})
    return found


def escape(arguments: str) -> str:
    """Arguments as a shell would split them, as one text that the guest splits the same way. Raises ValueError."""
    return " ".join("".join(map(_letter, word)) for word in shlex.split(arguments))


def map_mistakes(job_map: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str | int, ...], Problem]]:
    """What is wrong with the map wherever it runs, and where that is in the groups it was made of."""
    if not job_map:
        return
    context = Context(account="account", listing=StoredListing({}), image=True, system_images=None)
    try:
        check_map(list(job_map), context)
    except SystemMapError as error:
        for problem in error.problems:
            yield _flat(problem.pointer), problem
    for index, group in enumerate(job_map):
        try:
            shlex.split(str(group["exec"].get("args") or ""))
        except ValueError as error:
            yield (index, "args"), Problem("", f"The arguments can't be split: {error}")


def _group(group: Mapping[str, Any]) -> dict[str, Any]:
    program = {key: value for key, value in group.items() if key in PROGRAM}
    others = {key: value for key, value in group.items() if key not in PROGRAM}
    if isinstance(program.get("args"), str):
        program["args"] = _escaped_or_as_it_is(program["args"])
    if name := _name(program.get("path")):
        program["name"] = name
    return {**({"name": others.pop("name")} if "name" in others else {}), "exec": program, **others}


def _escaped_or_as_it_is(arguments: str) -> str:
    try:
        return escape(arguments)
    except ValueError:
        return arguments


def _letter(letter: str) -> str:
    return f"\\x{ord(letter):02x}" if letter in ESCAPED else letter


def _name(path: object) -> str:
    """What a program is called: the file in the image, or the object."""
    text = path if isinstance(path, str) else ""
    scheme, _, rest = text.partition("://")
    if scheme == "file":
        return rest.rpartition(":")[2]
    return "/".join(rest.split("/")[2:]) if scheme == "swift" else ""


def _flat(pointer: str) -> tuple[str | int, ...]:
    """A pointer into the map as one into the groups: what is in ``exec`` there is in the group here."""
    steps = pointer.split("/")[1:]
    if steps[1:2] == ["exec"]:
        del steps[1]
        if steps[1:] == ["name"]:
            steps[1] = "path"
    return tuple(int(step) if step.isdecimal() else step for step in steps)
