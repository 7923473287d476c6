"""The look that all commands share: answers on standard output, the rest on standard error, colours only on terminals."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from zerocloud.client import Answer, NodeResult
from zerocloud.sysmap.explain import size_text

WIDTH = 200
"""Columns of what is no terminal: tables there are for reading later, not for fitting."""


def errors() -> Console:
    """Standard error."""
    return _console(stderr=True)


def output() -> Console:
    """Standard output."""
    return _console(stderr=False)


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    return console


def progress(console: Console) -> Progress:
    """A bar with numbers, time passed and time left. It leaves the terminal as it was."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    )


def summary(answer: Answer) -> None:
    """Show on standard error what each session of a job did."""
    console = errors()
    nodes, more = answer.nodes, answer.more_nodes
    console.print(_nodes_table(nodes))
    if more:
        console.print(f"and {more} more: zerocloud job show {answer.job} --nodes {len(nodes) + more}", markup=False)
    console.print(f"Total time: {answer.seconds:.3f} s")


def _nodes_table(nodes: Iterable[NodeResult]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("node", "ran on", "status"):
        table.add_column(heading)
    for heading in ("exit", "seconds", "cpu", "read", "written", "received", "sent"):
        table.add_column(heading, justify="right")
    for node in nodes:
        used = node.counters
        moved = (used.bytes_read, used.bytes_written, used.network_bytes_read, used.network_bytes_written)
        times = (node.seconds, used.system_seconds + used.user_seconds)
        colour = "" if node.status == "ok" else "red"
        told = (Text(node.name), Text(node.server), Text(node.status, colour), str(node.exit_code))
        table.add_row(*told, *(f"{seconds:.3f}" for seconds in times), *map(size_text, moved))
    return table
