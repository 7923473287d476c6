"""The mistakes of a system map, collected: where each is, why it is one, and how to mend it.

Source: system map, section 11.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_PROBLEMS = 20
"""More mistakes than this in one map are not looked for."""

_SHOWN = 200
_COMPARED_WORDS = 100
_COMPARED_LENGTH = 32
_MOST_TYPED_TOO_MUCH = 4

Pointer = tuple[str | int, ...]
"""Where a value stands in the document: the keys and indexes that lead to it."""


class ListingError(Exception):
    """An account or a container could not be listed. The text says why; raised by what implements ``Listing``."""


@dataclass(frozen=True)
class Problem:
    """One mistake. ``pointer`` is a JSON pointer (RFC 6901), empty for the whole map; ``cure`` may be empty."""

    pointer: str
    reason: str
    cure: str = ""

    def __str__(self) -> str:
        place = f"{self.pointer}: " if self.pointer else ""
        cure = f". {self.cure}" if self.cure else ""
        return f"{place}{self.reason}{cure}"

    def to_value(self) -> dict[str, str]:
        """The mistake as a JSON object."""
        return {"pointer": self.pointer, "reason": self.reason, "cure": self.cure}


class SystemMapError(ValueError):
    """A system map that cannot be planned. ``problems`` are its mistakes; the text has one a line and is the 400's body."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def to_value(self) -> dict[str, Any]:
        """The same as a JSON object, for clients that accept JSON."""
        return {"problems": [problem.to_value() for problem in self.problems]}


class SystemMapSyntaxError(SystemMapError):
    """A text that is not the JSON of any system map (HTTP API, section 2: status 422)."""


class Problems:
    """Collects the mistakes of one map. Ends the work, by raising SystemMapError, as soon as there are ``MOST_PROBLEMS``."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, pointer: Pointer, reason: str, cure: str = "") -> None:
        """Note one mistake. Raises SystemMapError with all of them when it is one too many."""
        self._found.append(Problem(render_pointer(pointer), printable(reason), printable(cure)))
        if len(self._found) >= MOST_PROBLEMS:
            self.check()

    def check(self) -> None:
        """Raises SystemMapError if any mistake was noted."""
        if self._found:
            raise SystemMapError(self._found)


def render_pointer(pointer: Pointer) -> str:
    """The JSON pointer as text (RFC 6901, section 3), fit for a message."""
    return "".join("/" + shortened(printable(str(step))).replace("~", "~0").replace("/", "~1") for step in pointer)


def printable(text: str) -> str:
    """The text with everything escaped that would not survive a line of UTF-8: control characters and lone surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"


def shortened(text: str) -> str:
    """The text, cut where it is too long for a message."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def shown(value: object) -> str:
    """Any value of a JSON document as a message shows it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 128:
        return "a very large number"
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError):
        return f"a value of type {type(value).__name__}"
    return shortened(printable(text))


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The cure for a mistyped word: the nearest of ``choices`` as a question, or nothing.

    Only the first hundred words of about the same length are compared, by their beginnings: choices may be many, and long.
    """
    alike = (choice for choice in choices if abs(len(choice) - len(word)) <= _MOST_TYPED_TOO_MUCH)
    lowered: dict[str, str] = {}
    for choice in islice(alike, _COMPARED_WORDS):
        lowered.setdefault(choice[:_COMPARED_LENGTH].lower(), choice)
    near = difflib.get_close_matches(word[:_COMPARED_LENGTH].lower(), lowered, n=1)
    return f'Did you mean "{lowered[near[0]]}"?' if near else ""
