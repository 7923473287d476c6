"""What a terminal shows of work that takes a while, and that nothing else shows it."""

from __future__ import annotations

import io

from rich.console import Console

from zerocloud.cli.waiting import steps


def shown(terminal: bool) -> str:
    stream = io.StringIO()
    with steps(Console(file=stream, force_terminal=terminal, width=100), "Starting") as step:
        step("Compiling", 60)
    return stream.getvalue()


def test_a_terminal_shows_the_steps_and_a_bar() -> None:
    text = shown(terminal=True)
    assert "Starting …" in text
    assert "Compiling …" in text.partition("Starting …")[2]
    assert "━" in text.partition("Compiling …")[2]
    assert "0:00:00" in text


def test_nothing_is_shown_elsewhere() -> None:
    assert shown(terminal=False).strip() == ""
