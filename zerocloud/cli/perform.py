"""Runs a job for a command: its answer to standard output or a file, what is told of it to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import click

from zerocloud.client import Answer, ClientError, Connection, JobFailed, Work

from . import look
from .errors import CommandError, UsageError
from .files import whole_file
from .live import run_live
from .told import answer_json


@dataclass(frozen=True)
class Wish:
    """How a user wants a job run: ``timeout`` in seconds, the answer at ``path``, a ``summary`` of the nodes, all as JSON."""

    timeout: float | None = None
    path: Path | None = None
    summary: bool = False
    as_json: bool = False
    quiet: bool = False

    def check(self) -> None:
        """Raises UsageError for what can't be had together."""
        if self.as_json and self.path:
            raise UsageError("--json has the answer in it: leave --output out")


def perform(cloud: Connection, work: Work, wish: Wish) -> None:
    """Run a job and show what comes of it. Raises ClientError; with JSON a failed job is told there, and the exit code is 1."""
    try:
        with _destination(wish) as into:
            answer = run_live(cloud, work, wish.timeout, into, wish.quiet)
    except JobFailed as failed:
        _show(failed.answer, wish)
        if wish.as_json:
            sys.exit(1)
        raise
    sys.stdout.flush()
    _show(answer, wish)


@contextmanager
def _destination(wish: Wish) -> Iterator[BinaryIO | None]:
    """Where the answer goes."""
    if wish.path is None:
        yield None if wish.as_json else sys.stdout.buffer
        return
    try:
        with whole_file(wish.path) as file:
            yield cast(BinaryIO, file)
    except ClientError:  # some are OSErrors, too
        raise
    except OSError as error:
        raise CommandError(f"{wish.path} can't be written: {error.strerror}") from error


def _show(answer: Answer, wish: Wish) -> None:
    if wish.as_json:
        click.echo(answer_json(answer))
    if wish.summary:
        look.summary(answer)
