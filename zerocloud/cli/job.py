"""``zerocloud job``: the account's jobs, listed, looked at, watched, waited for, cancelled and run again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import simplejson
from click.shell_completion import CompletionItem

from zerocloud.cli import look
from zerocloud.cli.errors import CommandError
from zerocloud.cli.group import examples
from zerocloud.cli.job_view import failures, job_list, whole_job
from zerocloud.cli.job_watch import watch_job
from zerocloud.client import ClientError, Connection, Job, connect, wait

LAST = "last"
STATES = ("queued", "running", "publishing", "succeeded", "failed", "cancelled", "lost")
EXIT_CODES = {"succeeded": 0, "failed": 1, "cancelled": 3, "lost": 4}
STILL_RUNNING = 5
COMPLETIONS = 50

Function = TypeVar("Function", bound=Callable[..., Any])

EPILOG = """\b
ID is what X-Zerovm-Job said, or "last" for the newest job.

\b
Exit codes of wait, watch and rerun --wait: 0 all succeeded, 1 one failed, 3 cancelled, 4 lost with its proxy,
5 still under way when the time was over.
"""


@click.group(name="job", epilog=EPILOG)
def command() -> None:
    """Jobs of the account: those under way, and those of the last days."""


def complete_id(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The newest jobs, for the shell."""
    try:
        with connect() as cloud:
            found = [CompletionItem(status.id, help=status.state) for status in cloud.jobs(limit=COMPLETIONS)]
    except ClientError:
        return []
    return [item for item in found if item.value.startswith(incomplete)]


def _one_id(function: Function) -> Function:
    return click.argument("job_id", metavar="ID", shell_complete=complete_id)(function)


def _as_json(function: Function) -> Function:
    return click.option("--json", "as_json", is_flag=True, help="For programs.")(function)


def _job(cloud: Connection, name: str) -> Job:
    if name != LAST:
        return cloud.job(name)
    newest = next(cloud.jobs(limit=1), None)
    if newest is None:
        raise CommandError("There is no job yet")
    return cloud.job(newest.id)


def _print_json(value: Any) -> None:
    click.echo(simplejson.dumps(value, indent=2))


@command.command("list", epilog=examples("zerocloud job list --state running", "zerocloud job list --limit 1 --json"))
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only those; may be given several times.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@_as_json
def list_jobs(states: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List jobs, the newest first."""
    with connect() as cloud:
        found = [status.value for status in cloud.jobs(*states, limit=limit)]
    if as_json:
        _print_json(found)
    else:
        look.output().print(job_list(found))


@command.command(epilog=examples("zerocloud job show last", "zerocloud job show last --map > job.json"))
@_one_id
@click.option("--nodes", type=click.IntRange(0), default=50, show_default=True, help="Nodes to show.")
@click.option("--map", "job_map", is_flag=True, help="Print its system map instead.")
@click.option("--body", is_flag=True, help="Write what is kept of its answer instead.")
@_as_json
def show(job_id: str, nodes: int, job_map: bool, body: bool, as_json: bool) -> None:
    """Show a job with its nodes."""
    with connect() as cloud:
        job = _job(cloud, job_id)
        if body:
            sys.stdout.buffer.write(cloud.request("GET", f"?zerovm=job&id={job.id}&part=body").content)
            return
        value = job.status().value
    if job_map:
        _print_json(value["map"])
    elif as_json:
        _print_json(value)
    else:
        look.output().print(whole_job(value, nodes))


@command.command(epilog=examples("zerocloud job watch last", "zerocloud job watch last --json"))
@_one_id
@click.option("--json", "as_json", is_flag=True, help="An event in each line.")
def watch(job_id: str, as_json: bool) -> None:
    """Watch a job until it ends."""
    with connect() as cloud:
        _exit(watch_job(_job(cloud, job_id), as_json))


@command.command(epilog=examples("zerocloud job logs last"))
@_one_id
@_as_json
def logs(job_id: str, as_json: bool) -> None:
    """Tell what happened to the nodes that failed, and the last they wrote to their standard error."""
    with connect() as cloud:
        value = _job(cloud, job_id).status().value
    if as_json:
        names = {str(row["id"]): row["name"] for row in value["table"]}
        _print_json([{"id": key, "name": names.get(key), **told} for key, told in value["failures"].items()])
        return
    click.echo("\n".join(failures(value)).rstrip() or "No node of it has failed: nothing is kept.")


@command.command(epilog=examples("zerocloud job cancel last"))
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_id)
@_as_json
def cancel(job_ids: tuple[str, ...], as_json: bool) -> None:
    """End jobs. Nothing of what they wrote is stored."""
    with connect() as cloud:
        done = [(job, job.cancel()) for job in (_job(cloud, name) for name in job_ids)]
        unknown = [job.id for job, ended in done if not ended and job.known_status() is None]
    if as_json:
        _print_json([{"id": job.id, "cancelled": ended} for job, ended in done])
    else:
        for job, ended in done:
            if job.id not in unknown:
                click.echo(f"{job.id} is cancelled" if ended else f"{job.id} had ended before")
    if unknown:
        raise CommandError(f"There is no job {', '.join(unknown)}")


@command.command("wait", epilog=examples("zerocloud job wait last --timeout 600"))
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_id)
@click.option("--timeout", type=click.FloatRange(0), help="Seconds to wait at most.")
@_as_json
def wait_for(job_ids: tuple[str, ...], timeout: float | None, as_json: bool) -> None:
    """Wait until jobs have ended."""
    with connect() as cloud:
        jobs = [_job(cloud, name) for name in job_ids]
        ended = wait(jobs, timeout)
        states = {job.id: job.status().state for job in jobs}
    if as_json:
        _print_json(states)
    else:
        for job, state in states.items():
            click.echo(f"{job} {state}")
    _exit(*states.values()) if not ended.not_done else sys.exit(STILL_RUNNING)


@command.command(epilog=examples("zerocloud job rerun last --wait"))
@_one_id
@click.option("--wait", "waits", is_flag=True, help="Watch it until it ends.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), help="Seconds that it may take; as many as before unless given."
)
@_as_json
def rerun(job_id: str, waits: bool, timeout: float | None, as_json: bool) -> None:
    """Run the system map of an earlier job again, as a job of its own that runs by itself."""
    with connect() as cloud:
        old = _job(cloud, job_id).status().value
        if old.get("brought"):
            raise CommandError(f"Job {old['id']} came with an archive, a script or a payload, which is not kept: send it again")
        new = cloud.submit(old["map"], timeout=timeout or old.get("timeout"))
        if as_json and not waits:
            _print_json({"id": new.id, "again": old["id"]})
        elif not as_json:
            click.echo(new.id)
        if waits:
            _exit(watch_job(new, as_json))


def _exit(*states: str) -> None:
    """Leave with the worst of the jobs' exit codes."""
    codes = [EXIT_CODES.get(state, 1) for state in states]
    sys.exit(1 if 1 in codes else max(codes, default=0))
