"""``zpm deploy``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import click
import simplejson

from zerocloud.cli.perform import Wish, perform
from zerocloud.zpm.again import again
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.deploy import Deployed, Target, deploy
from zerocloud.zpm.options import connection, log_level, login, page_credentials
from zerocloud.zpm.project import find_root

LOGGER = logging.getLogger("zpm")

EPILOG = """\b
Examples:
  zpm deploy apps/hello hello.zapp
  zpm deploy apps/hello hello.zapp --execute --summary
  zpm deploy apps/hello hello.zapp --force --watch      bundle and deploy whenever a file changes
"""


@click.command(epilog=EPILOG)
@click.argument("target")
@click.argument("zapp", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--execute", "executes", is_flag=True, help="Execute it then.")
@click.option("--summary", "-s", is_flag=True, help="Show what each node did, on standard error.")
@click.option("--force", "-f", is_flag=True, help="Deploy even if the container is not empty.")
@click.option("--public", is_flag=True, help="Let everybody read the container, so that browsers can open the page.")
@click.option("--ui-auth", is_flag=True, help="Put your user and key into the page: whoever reads it can use your account.")
@click.option("--no-ui-auth", is_flag=True, hidden=True, help="The default now.")
@click.option("--watch", "-w", "watches", is_flag=True, help="Bundle and deploy again whenever a file changes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print where it is as JSON.")
@login
@log_level
def command(
    target: str,
    zapp: Path,
    executes: bool,
    summary: bool,
    force: bool,
    public: bool,
    ui_auth: bool,
    no_ui_auth: bool,
    watches: bool,
    as_json: bool,
) -> None:
    """Store ZAPP, with its system map and its page, in TARGET: a container, or a container and a folder in it."""
    place = Target.parse(target)
    with connection() as cloud:
        credentials: Mapping[str, str] = {"version": "0.0", "swiftUrl": cloud.login.storage_url}
        if ui_auth and not no_ui_auth:
            credentials = page_credentials()

        def put(again: bool = False) -> None:
            done = deploy(cloud, place, zapp, force=force or again, credentials=credentials, public=public)
            _tell(done, as_json)
            if executes:
                perform(cloud, done.job_map, Wish(summary=summary))

        def bundle_and_put() -> None:
            bundle(root, LOGGER.warning)
            put(again=True)

        root = find_root(Path.cwd()) if watches else Path()
        put()
        if watches:
            again(root, bundle_and_put)


def _tell(done: Deployed, as_json: bool) -> None:
    click.echo(simplejson.dumps({"url": done.url}) if as_json else f"app deployed to\n  {done.url}")
