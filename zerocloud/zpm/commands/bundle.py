"""``zpm bundle``."""

from __future__ import annotations

import logging
from pathlib import Path

import click
import simplejson

from zerocloud.zpm.again import again
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.options import log_level
from zerocloud.zpm.project import find_root

LOGGER = logging.getLogger("zpm")

EPILOG = """\b
Examples:
  zpm bundle                    makes NAME.zapp beside the zapp.yaml
  zpm bundle --watch            and again whenever one of its files changes
  zpm bundle --refresh-deps     with the newest Python packages that fit

The same files make the same bytes.
"""


@click.command(epilog=EPILOG)
@click.option("--refresh-deps", "-r", "refresh", is_flag=True, help="Fetch Python packages anew.")
@click.option("--watch", "-w", "watches", is_flag=True, help="Do it again whenever a file changes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@log_level
def command(refresh: bool, watches: bool, as_json: bool) -> None:
    """Make a zapp of the folder with the nearest zapp.yaml, upwards from here."""
    root = find_root(Path.cwd())

    def make(refreshing: bool = False) -> None:
        made = bundle(root, LOGGER.warning, refreshing)
        if as_json:
            click.echo(simplejson.dumps({"zapp": str(made.path), "members": made.members}))
        else:
            click.echo(f"created {made.path.name}")

    make(refresh)
    if watches:
        again(root, make)
