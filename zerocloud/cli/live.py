"""Runs a job for somebody who looks on: a bar on a terminal, and Ctrl-C that cancels."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from rich.console import Console

from zerocloud.client import Answer, Connection, Event, Job, Work

from . import look
from .group import INTERRUPTED

OVER = frozenset(("succeeded", "failed", "cancelled", "spare"))
"""States of sessions that have come to their end."""


def run_live(cloud: Connection, work: Work, timeout: float | None, into: BinaryIO | None, quiet: bool) -> Answer:
    """The answer of a job; ``into`` gets its body, if given. Without a terminal, or if ``quiet``, nothing is shown.

    Raises ClientError.
    """
    screen = look.errors()
    if quiet or not screen.is_terminal:
        return cloud.run(work, timeout=timeout, into=into)
    job = cloud.submit(work, timeout=timeout)
    _watch(job, screen)
    return job.result(into=into)


def _watch(job: Job, screen: Console) -> None:
    """Show progress until the job has ended. Ctrl-C cancels it."""
    try:
        with look.progress(screen) as bar:
            task = bar.add_task("queued", total=None)
            for event in job.events():
                if (told := _progress(event)) is not None:
                    bar.update(task, **told)
    except KeyboardInterrupt:
        job.cancel()
        screen.print(f"Job {job.id} is cancelled.")
        sys.exit(INTERRUPTED)


def _progress(event: Event) -> Mapping[str, Any] | None:
    """What an event changes in the bar."""
    if event.name == "node":
        return None
    counts = event.data.get("counts") or {}
    failed = f", {counts['failed']} failed" if counts.get("failed") else ""
    over = sum(number for state, number in counts.items() if state in OVER)
    return {"description": f"{event.data.get('state')}{failed}", "total": sum(counts.values()) or None, "completed": over}
