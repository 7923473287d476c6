"""``zerocloud run``: a job of any form, watched while it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import click
import simplejson

from zerocloud.client import Answer, ClientError, JobFailed, Source, Work, connect

from . import look
from .errors import CommandError, UsageError
from .files import whole_file
from .live import run_live
from .told import answer_json

EPILOG = """\b
Examples:
  zerocloud run job.json                              the answer on standard output
  zerocloud run words.zapp -o words.txt --summary     what each node did on standard error
  zerocloud run swift://~/apps/words.zapp --payload text.txt
  zerocloud run - --json < job.json                   for programs
  zerocloud run job.json --detach                     prints the job's id and runs on

On a terminal the nodes' progress is shown, and Ctrl-C cancels the job. Exit codes: 0 the job succeeded, 1 it failed or could
not be run, 2 wrong usage, 130 interrupted. The cluster is that of the variables OS_STORAGE_URL and OS_AUTH_TOKEN, of ST_AUTH,
ST_USER and ST_KEY, of OS_AUTH_URL and its kin, or of OS_CLOUD.
"""


@click.command(epilog=EPILOG)
@click.argument("work", metavar="JOB")
@click.option("--payload", type=click.File("rb"), help="What devices without a path read, for a job that is stored.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that the job may take.")
@click.option("--output", "-o", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to a file.")
@click.option("--summary", "-s", is_flag=True, help="Show what each node did, on standard error.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer, status and nodes as JSON.")
@click.option("--detach", "-d", is_flag=True, help="Print the job's id and return; the job runs by itself.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    work: str,
    payload: BinaryIO | None,
    timeout: float | None,
    path: Path | None,
    summary: bool,
    as_json: bool,
    detach: bool,
    quiet: bool,
) -> None:
    """Run a job and print its answer. JOB is a file with a system map, a script or a zapp, - for standard input, or the URL of
    one that is stored, swift://~/container/object."""
    if as_json and path:
        raise UsageError("--json has the answer in it: leave --output out")
    if detach and (path or summary):
        raise UsageError("with --detach there is no answer yet: leave --output and --summary out")
    job = _work(work, payload)
    with connect() as cloud:
        if detach:
            started = cloud.submit(job, timeout=timeout)
            click.echo(simplejson.dumps({"job": started.id}) if as_json else started.id)
            return
        try:
            with _destination(path, as_json) as into:
                answer = run_live(cloud, job, timeout, into, quiet)
        except JobFailed as failed:
            _show(failed.answer, summary, as_json)
            if as_json:
                sys.exit(1)
            raise
    _show(answer, summary, as_json)


def _work(text: str, payload: BinaryIO | None) -> Work:
    if text.startswith("swift://"):
        return Source(text, payload or b"")
    if payload:
        raise UsageError("--payload is for a job that is stored; other jobs read objects")
    return sys.stdin.buffer.read() if text == "-" else Path(text)


@contextmanager
def _destination(path: Path | None, as_json: bool) -> Iterator[BinaryIO | None]:
    """Where the answer goes."""
    if path is None:
        yield None if as_json else sys.stdout.buffer
        return
    try:
        with whole_file(path) as file:
            yield cast(BinaryIO, file)
    except ClientError:  # some are OSErrors, too
        raise
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}") from error


def _show(answer: Answer, summary: bool, as_json: bool) -> None:
    if as_json:
        click.echo(answer_json(answer))
    if summary:
        look.summary(answer)
