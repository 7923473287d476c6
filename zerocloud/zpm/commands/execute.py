"""``zpm execute``."""

from __future__ import annotations

from pathlib import Path

import click

from zerocloud.cli.errors import UsageError
from zerocloud.cli.perform import Wish, perform
from zerocloud.zpm.deploy import Target, stored_map
from zerocloud.zpm.options import connection, log_level, login

EPILOG = """\b
Examples:
  zpm execute hello.zapp                        sends it along, stores nothing
  zpm execute --container apps/hello -s         one that is deployed, and what each node did
"""


@click.command(epilog=EPILOG)
@click.argument("zapp", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--container", help="Execute what is deployed there instead: a container, or a container and a folder in it.")
@click.option("--summary", "-s", is_flag=True, help="Show what each node did, on standard error.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer, status and nodes as JSON.")
@login
@log_level
def command(zapp: Path | None, container: str | None, summary: bool, as_json: bool) -> None:
    """Execute ZAPP, a file, or what is deployed in a container, and print its answer."""
    if container is None and zapp is None:
        raise UsageError("give a zapp, or --container")
    if container is not None and zapp is not None:
        raise UsageError("give a zapp, or --container, not both")
    with connection() as cloud:
        work = stored_map(cloud, Target.parse(container)) if container is not None else zapp
        assert work is not None
        perform(cloud, work, Wish(summary=summary, as_json=as_json))
