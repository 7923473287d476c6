"""Follows a job's events: a table that renews itself on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import simplejson
from rich.console import Console, RenderableType
from rich.live import Live

from zerocloud.cli import look
from zerocloud.cli.errors import CommandError
from zerocloud.cli.job_view import counts_line, progress
from zerocloud.cli.terminal import plain
from zerocloud.client import Job

ROOM = 6
"""Lines of the terminal that are not for nodes."""


def watch_job(job: Job, as_json: bool) -> str:
    """Show its progress until it ends; the state in which it did. Raises ClientError, CommandError for a job there is not."""
    console = look.output()
    state = _told_as_json(job) if as_json else _live(job, console) if console.is_terminal else _lines(job)
    if not state:
        raise CommandError(f"There is no job {job.id}")
    return state


def _told_as_json(job: Job) -> str:
    state = ""
    for event in job.events():
        click.echo(simplejson.dumps({"event": event.name, **event.data}))
        state = str(event.data.get("state")) if event.name == "end" else state
    return state


def _lines(job: Job) -> str:
    head: Mapping[str, Any] = {}
    for event in job.events():
        if event.name == "job":
            head = event.data
            click.echo(f"{plain(head.get('id', ''))} {plain(head.get('state'))}: {counts_line(head.get('counts') or {})}")
        elif event.name == "end":
            head = event.data
        elif event.data.get("state") == "failed":
            click.echo(f"  {plain(event.data.get('name'))} failed: {plain(event.data.get('error', ''))}")
    return str(head.get("state") or "")


def _live(job: Job, console: Console) -> str:
    head: Mapping[str, Any] = {"id": job.id}
    rows: dict[int, Mapping[str, Any]] = {}

    def picture() -> RenderableType:
        return progress(head, list(rows.values()), max(1, console.size.height - ROOM))

    with Live(console=console, get_renderable=picture):
        for event in job.events():
            if event.name == "node":
                rows[int(event.data["id"])] = event.data
            else:
                head = event.data
    return str(head.get("state") or "")
