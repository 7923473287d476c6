"""``zerocloud explain``: what a job would do, told by this machine alone or by the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import click
import simplejson

from zerocloud.cli.errors import CommandError, UsageError
from zerocloud.client import connect
from zerocloud.sysmap import (
    Context,
    Explanation,
    Facts,
    ListingError,
    Plan,
    StoredListing,
    SwiftPath,
    SystemMapError,
    explain,
    graphviz,
    mermaid,
    parse_document,
    plan_job,
    table,
    unsized,
)

ACCOUNT = "account"
MOST_BYTES = 64 << 20
"""A listing larger than this is not for planning by hand."""

FORMS: Mapping[str, tuple[str, Callable[[Plan, Explanation], str]]] = {
    "table": ("text/plain", lambda _, told: table(told)),
    "json": ("application/json", lambda _, told: simplejson.dumps(told.to_value(), indent=2) + "\n"),
    "mermaid": ("text/vnd.mermaid", lambda plan, _: mermaid(plan)),
    "graphviz": ("text/vnd.graphviz", lambda plan, _: graphviz(plan)),
}
"""The forms by their names here: their names over HTTP, and how to make them."""

EPILOG = """\b
Examples:
  zerocloud explain job.json --cluster                    placed on the cluster's servers, nothing is run
  zerocloud explain job.json --listing stored.json        without a cluster; --account says what ~ is
  zerocloud explain job.json --cluster --format mermaid   a drawing
  zerocloud explain - --cluster --json < job.json

A listing is JSON: {"ACCOUNT": {"CONTAINER": {"OBJECT": BYTES}}}. The cluster is that of the variables OS_STORAGE_URL and
OS_AUTH_TOKEN, or ST_AUTH, ST_USER and ST_KEY.
"""


@click.command(epilog=EPILOG)
@click.argument("job_map", metavar="MAP", type=click.File("rb"))
@click.option("--cluster", is_flag=True, help="Ask the cluster: its objects, servers and limits.")
@click.option("--listing", type=click.File("rb"), help="What is stored, for a plan without a cluster.")
@click.option("--account", help="What ~ stands for in a plan without a cluster.  [default: the listing's only account]")
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="table", show_default=True, help="How to tell it.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(job_map: BinaryIO, cluster: bool, listing: BinaryIO | None, account: str | None, form: str, as_json: bool) -> None:
    """Tell what the job of a system map would do, without running it: its nodes, what each reads and writes and where it would
    run, who sends to whom, and what would travel. MAP is a file, or - for standard input."""
    if cluster and (listing or account):
        raise UsageError("--cluster has its own listing and account: leave --listing and --account out")
    text = job_map.read()
    chosen = "json" if as_json else form
    click.echo(_from_cluster(text, chosen) if cluster else _alone(text, listing, account, chosen), nl=False)


def _from_cluster(text: bytes, form: str) -> str:
    with connect() as cloud:
        told = cloud.explain(text, FORMS[form][0])
    return told if told.endswith("\n") else f"{told}\n"


def _alone(text: bytes, listing: BinaryIO | None, account: str | None, form: str) -> str:
    stored = _stored(listing) if listing else {}
    try:
        context = Context(account=account or _only(stored), listing=StoredListing.from_value(stored), system_images=None)
        document = parse_document(text, context.limits)
    except SystemMapError as error:
        raise CommandError(f"the map can't be planned:\n{error}") from error
    except ListingError as error:
        raise CommandError(f"the listing can't be used: {error}") from error
    try:
        plan = plan_job(document, context)
    except SystemMapError as error:
        hint = "" if listing else "\nWhat is stored is not known here: give --listing FILE, or --cluster."
        raise CommandError(f"the map can't be planned:\n{error}{hint}") from error
    except ListingError as error:
        raise CommandError(f"the listing can't be used: {error}") from error
    sizes = {path: size for path in unsized(plan) if (size := _size(stored, path)) is not None}
    return FORMS[form][1](plan, explain(plan, Facts(sizes=sizes, limits=context.limits)))


def _size(stored: Any, path: SwiftPath) -> int | None:
    """The size of an object in a listing that has been checked."""
    size: int | None = stored.get(path.account, {}).get(path.container, {}).get(path.object)
    return size


def _stored(listing: BinaryIO) -> object:
    text = listing.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise CommandError(f"the listing is larger than {MOST_BYTES} bytes")
    try:
        return simplejson.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"the listing is not JSON: {error}") from error


def _only(stored: object) -> str:
    return next(iter(stored)) if isinstance(stored, dict) and len(stored) == 1 else ACCOUNT
