"""Jobs as people see them on a terminal: lists, one job with its table of nodes, progress that renews itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zerocloud.cli.terminal import plain, plain_lines

STYLES = {
    "queued": "dim",
    "starting": "cyan",
    "running": "cyan",
    "publishing": "blue",
    "succeeded": "green",
    "spare": "dim",
    "failed": "bold red",
    "cancelled": "yellow",
    "lost": "bold magenta",
}
ENDED = ("succeeded", "spare", "failed", "cancelled")
URGENCY = ("failed", "running", "starting", "publishing", "queued", "cancelled", "succeeded", "spare")
"""Which nodes are shown first where there is no room for all."""

Value = Mapping[str, Any]


def job_list(jobs: Iterable[Value]) -> Table:
    """Jobs, one in a line."""
    table = _table("id", "state", "created", "seconds", "nodes", "status")
    for job in jobs:
        _add(table, job["id"], _state(job), _clock(job.get("created")), _seconds(job), job.get("nodes"), job.get("status"))
    return table


def whole_job(job: Value, most: int) -> RenderableType:
    """A job with at most ``most`` of its nodes."""
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(job):
        facts.add_row(Text(name, style="dim"), text)
    return Group(facts, Text(), *_nodes(job["table"], most, int(job.get("omitted") or 0)))


def progress(head: Value, rows: Sequence[Value], most: int) -> RenderableType:
    """A job under way: a line, a bar, and the nodes that matter most."""
    counts = head.get("counts") or {}
    ended = sum(int(counts.get(state, 0)) for state in ENDED)
    total = max(1, int(head.get("nodes") or 0))
    line = Text.assemble(plain(head.get("id", "")), "  ", _state(head), f"  {_seconds(head)} s  {counts_line(counts)}")
    bar = ProgressBar(total=total, completed=ended, width=60)
    return Group(line, bar, *_nodes(rows, most, 0))


def counts_line(counts: Mapping[str, int]) -> str:
    """How many nodes are in which state, in words."""
    return ", ".join(f"{number} {plain(state)}" for state, number in counts.items()) or "no node yet"


def failures(job: Value) -> list[str]:
    """Lines that tell of every failed session: what happened to it, and the last it wrote to its stderr."""
    names = {str(row["id"]): row for row in job["table"]}
    lines: list[str] = []
    for session, failure in job["failures"].items():
        row = names.get(session, {})
        lines.append(f"{plain(row.get('name', session))}: {plain(row.get('error', 'failed'))}")
        lines += [f"  {plain(at):>8} s  {plain(line)}" for at, line in failure.get("story", ())]
        lines += [f"  | {line}" for line in plain_lines(str(failure.get("stderr", "")))]
        lines.append("")
    return lines


def _facts(job: Value) -> Iterable[tuple[str, Text]]:
    yield "job", Text(plain(job["id"]))
    yield "state", _state(job)
    yield "created", Text(f"{_clock(job.get('created'))} by {plain(job.get('user') or 'somebody')}")
    yield "seconds", Text(f"{_seconds(job)} of {plain(job.get('timeout'))}")
    yield "nodes", Text(counts_line(job.get("counts") or {}))
    if job.get("status") is not None:
        yield "answer", Text(f"{plain(job['status'])}, {plain((job.get('body') or {}).get('size', 0))} bytes")
    if job.get("result"):
        yield "result", Text(plain(job["result"]))
    if job.get("error"):
        yield "error", Text(plain(job["error"]), style="red")


def _nodes(rows: Sequence[Value], most: int, omitted: int) -> Iterable[RenderableType]:
    shown = sorted(rows, key=lambda row: URGENCY.index(row["state"]) if row["state"] in URGENCY else 0)[:most]
    if not shown:
        return
    table = _table("node", "state", "server", "tries", "seconds", "exit", "error")
    for row in sorted(shown, key=lambda row: int(row["id"])):
        span = _span(row.get("started"), row.get("ended"))
        error = plain(row.get("error", ""))[:80]
        _add(table, row["name"], _state(row), row.get("server"), row.get("attempts"), span, row.get("exit_code"), error)
    yield table
    if hidden := len(rows) - len(shown) + omitted:
        yield Text(f"and {hidden} more", style="dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in ("seconds", "nodes", "tries", "exit") else "left")
    return table


def _state(value: Value) -> Text:
    state = plain(value.get("state") or "gone")
    return Text(state, style=STYLES.get(state, ""))


def _add(table: Table, *cells: object) -> None:
    """A line of cells, none of which is taken for markup."""
    table.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else plain(cell)) for cell in cells))


def _clock(text: object) -> str:
    """A time of the API as the local time of day."""
    at = moment(text)
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _seconds(job: Value) -> str:
    return _span(job.get("created"), job.get("ended"))


def _span(start: object, end: object) -> str:
    """The seconds from one time to another, or until now; empty if it has not begun."""
    began = moment(start)
    if began is None:
        return ""
    return f"{max(0.0, ((moment(end) or datetime.now(UTC)) - began).total_seconds()):.1f}"


def moment(text: object) -> datetime | None:
    """A time as the API writes it; None for what is none."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
