"""``zerocloud run``: a job of any form, watched while it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click
import simplejson

from zerocloud.client import Source, Work, connect

from .errors import UsageError
from .group import complete_file
from .perform import Wish, perform

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
@click.argument("work", metavar="JOB", shell_complete=complete_file)
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
    wish = Wish(timeout, path, summary, as_json, quiet)
    wish.check()
    if detach and (path or summary):
        raise UsageError("with --detach there is no answer yet: leave --output and --summary out")
    job = read_work(work, payload)
    with connect() as cloud:
        if not detach:
            perform(cloud, job, wish)
            return
        started = cloud.submit(job, timeout=timeout)
        click.echo(simplejson.dumps({"job": started.id}) if as_json else started.id)


def read_work(text: str, payload: BinaryIO | None) -> Work:
    """The job that a word of the command line names: a URL, a file, or standard input."""
    if text.startswith("swift://"):
        return Source(text, payload or b"")
    if payload:
        raise UsageError("--payload is for a job that is stored; other jobs read objects")
    if text == "-":
        return sys.stdin.buffer.read()
    if not Path(text).exists():  # told before anybody has to sign in
        raise UsageError(f"{text}: there is no such file")
    return Path(text)
