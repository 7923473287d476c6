"""Text from elsewhere on a terminal: what programs and other people wrote must not steer it."""

from __future__ import annotations


def plain(text: object) -> str:
    """One line of a text, with nothing in it that a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))


def plain_lines(text: str) -> list[str]:
    """The lines of a text, each made plain."""
    return [plain(line.expandtabs()) for line in text.splitlines()]
