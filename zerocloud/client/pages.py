"""Answers and jobs as HTML, for notebooks. Everything that is shown is escaped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results import Answer

MOST_ROWS = 50
MOST_TEXT = 4000
LIVE = ("node", "state", "server", "attempts", "error")


def answer(told: Answer) -> str:
    """A table of nodes, and the beginning of what they wrote."""
    head = f"<p>Job {escape(told.job)}: status {told.status}, {told.seconds:.3f} s</p>"
    rows = [
        (node.name, node.server, node.status, node.exit_code, f"{node.seconds:.3f}", node.counters.bytes_read)
        for node in told.nodes
    ]
    columns = ("node", "server", "status", "exit code", "seconds", "bytes read")
    return head + _table(columns, rows, len(rows) + told.more_nodes) + _beginning(told.text)


def job(value: Mapping[str, Any]) -> str:
    """The state of a job, as its resource tells it, with a bar and a table of nodes."""
    counts: Mapping[str, int] = value.get("counts") or {}
    total = max(1, int(value.get("nodes") or 0))
    ended = sum(number for state, number in counts.items() if state in ("succeeded", "failed", "cancelled", "spare"))
    told = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    head = f"<p>Job {escape(str(value.get('id', '')))}: <b>{escape(str(value.get('state')))}</b> {escape(told)}</p>"
    bar = f'<progress value="{ended}" max="{total}" aria-label="nodes that have ended"></progress>'
    error = f"<p>{escape(str(value['error']))}</p>" if value.get("error") else ""
    table: Sequence[Mapping[str, Any]] = value.get("table") or ()
    rows = [(row.get("name"), *(row.get(name) for name in LIVE[1:])) for row in table]
    return head + bar + error + (_table(LIVE, rows, len(rows)) if rows else "")


def _table(columns: Iterable[str], rows: Sequence[Iterable[Any]], total: int) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows[:MOST_ROWS])
    more = f"<p>… and {total - MOST_ROWS} more</p>" if total > MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    return f"<td>{'' if value is None else escape(str(value))}</td>"


def _beginning(text: str) -> str:
    more = "…" if len(text) > MOST_TEXT else ""
    return f"<pre>{escape(text[:MOST_TEXT])}{more}</pre>" if text else ""
