"""Executes a zapp and shows what comes of it."""

from __future__ import annotations

import sys

import click

from zerocloud.cli import look
from zerocloud.cli.live import run_live
from zerocloud.cli.told import answer_json
from zerocloud.client import Answer, Connection, JobFailed, Work


def execute(cloud: Connection, work: Work, summary: bool, as_json: bool = False) -> None:
    """Run a job; its answer goes to standard output. Raises ClientError."""
    try:
        answer = run_live(cloud, work, None, None if as_json else sys.stdout.buffer, quiet=False)
    except JobFailed as failed:
        _show(failed.answer, summary, as_json)
        raise
    sys.stdout.buffer.flush()
    _show(answer, summary, as_json)


def _show(answer: Answer, summary: bool, as_json: bool) -> None:
    if as_json:
        click.echo(answer_json(answer))
    if summary:
        look.summary(answer)
