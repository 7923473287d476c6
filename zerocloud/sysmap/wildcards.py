"""Wildcards: ``*`` stands for any text, also across ``/``; a pattern always covers the whole name.

Source: system map, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TooFewCaptures(ValueError):
    """A pattern has more ``*`` than there are texts to put there."""


@dataclass(frozen=True)
class Glob:
    """A pattern, cut at its ``*``: ``in*.txt`` is ``("in", ".txt")``; a text without ``*`` is one literal."""

    literals: tuple[str, ...]

    @property
    def stars(self) -> int:
        """How many ``*`` it has."""
        return len(self.literals) - 1

    @property
    def prefix(self) -> str:
        """What every match begins with."""
        return self.literals[0]

    @property
    def text(self) -> str:
        """The pattern as messages show it."""
        return "*".join(self.literals)

    def match(self, name: str) -> tuple[str, ...] | None:
        """What each ``*`` stands for in ``name``, or None.

        Where there is a choice, an earlier ``*`` takes as much as it can, as ``.*`` does in a regular expression. The literals
        are placed from the right, each as far right as it goes: the same result without backtracking, so no pattern is slow.
        """
        first, *middle = self.literals
        if not middle:
            return () if name == first else None
        last = middle.pop()
        end = len(name) - len(last)
        if end < len(first) or not name.startswith(first) or not name.endswith(last):
            return None
        captures = []
        for literal in reversed(middle):
            at = name.rfind(literal, len(first), end)
            if at < 0:
                return None
            captures.append(name[at + len(literal) : end])
            end = at
        captures.append(name[len(first) : end])
        return tuple(reversed(captures))

    def fill(self, captures: Sequence[str]) -> str:
        """The pattern with its ``*`` replaced from left to right. Surplus captures are unused; raises TooFewCaptures."""
        if len(captures) < self.stars:
            raise TooFewCaptures(f"{self.text} has {self.stars} wildcards, but there are {len(captures)} texts to put there")
        parts = [self.literals[0]]
        for capture, literal in zip(captures, self.literals[1:], strict=False):
            parts += (capture, literal)
        return "".join(parts)
