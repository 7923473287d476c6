"""Reads YAML as JSON values that know where they stand. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST_VALUES = 20_000
"""Values in one document, aliases followed: a short text may stand for billions."""

MOST_LEVELS = 50

Pointer = tuple[str | int, ...]


class MarkedError(ValueError):
    """A text that is no YAML, or none that is a JSON value. ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True)
class Marked:
    """A JSON value, and the lines of all that is in it, by pointers."""

    value: Any
    lines: Mapping[Pointer, int]

    def line(self, pointer: Pointer) -> int:
        """The line of a value, or of the nearest thing around it."""
        while pointer not in self.lines and pointer:
            pointer = pointer[:-1]
        return self.lines.get(pointer, 1)


def read_marked(text: str) -> Marked:
    """The value of a YAML text. Raises MarkedError."""
    try:
        return _read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise MarkedError(mark.line + 1 if mark else 1, error.problem or "it is no YAML") from None
    except yaml.YAMLError as error:
        raise MarkedError(1, str(error).splitlines()[0]) from None
    except (ValueError, RecursionError) as error:  # dates that are none, and so on
        raise error if isinstance(error, MarkedError) else MarkedError(1, f"it can't be read: {error}") from None


def _read(text: str) -> Marked:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Marked(None, {})
        lines = dict(_lines(node))
        return Marked(loader.construct_document(node), lines)
    finally:
        loader.dispose()


def _lines(root: yaml.Node) -> Iterator[tuple[Pointer, int]]:
    """The line of every value; of a member that of its key. Raises MarkedError."""
    waiting: list[tuple[Pointer, yaml.Node, int]] = [((), root, root.start_mark.line + 1)]
    count = 0
    while waiting:
        pointer, node, line = waiting.pop()
        count += 1
        if count > MOST_VALUES or len(pointer) > MOST_LEVELS:
            raise MarkedError(line, f"it has more than {MOST_VALUES} values, or more than {MOST_LEVELS} levels")
        yield pointer, line
        if isinstance(node, yaml.SequenceNode):
            waiting += [((*pointer, index), item, item.start_mark.line + 1) for index, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            seen = set()
            for key, item in node.value:
                name = key.value if isinstance(key, yaml.ScalarNode) else None
                if not isinstance(name, str):
                    raise MarkedError(key.start_mark.line + 1, "a key must be a word")
                if name in seen:
                    raise MarkedError(key.start_mark.line + 1, f"the key {name} is given twice")
                seen.add(name)
                waiting.append(((*pointer, name), item, key.start_mark.line + 1))
