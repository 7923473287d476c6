"""Executes a zapp and shows what comes of it."""

from __future__ import annotations

import sys

from zerocloud.cli import look
from zerocloud.cli.live import run_live
from zerocloud.client import Connection, JobFailed, Work


def execute(cloud: Connection, work: Work, summary: bool) -> None:
    """Run a job; its answer goes to standard output. Raises ClientError."""
    try:
        answer = run_live(cloud, work, None, sys.stdout.buffer, quiet=False)
    except JobFailed as failed:
        if summary:
            look.summary(failed.answer)
        raise
    sys.stdout.buffer.flush()
    if summary:
        look.summary(answer)
