"""``zpm auth``."""

from __future__ import annotations

import click
import simplejson

from zerocloud.cli.group import examples
from zerocloud.zpm.options import connection, login


@click.command(epilog=examples("zpm auth --json"))
@login
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Sign in, and print a token and the account's URL."""
    with connection() as cloud:
        token, url = cloud.login.token, cloud.login.storage_url
    if as_json:
        click.echo(simplejson.dumps({"token": token, "storage_url": url}))
        return
    click.echo(f"Auth token: {token}")
    click.echo(f"Storage URL: {url}")
