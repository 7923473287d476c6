"""``zerocloud console``: the web page."""

from __future__ import annotations

import click
import simplejson

from zerocloud.cli.errors import CommandError, UsageError
from zerocloud.client import ClientError, connect
from zerocloud.configuration import ConfigurationError
from zerocloud.console.deploy import DEFAULT_CONTAINER, Deployed
from zerocloud.console.deploy import deploy as store
from zerocloud.console.settings import AUTH_URL, Settings, check_source

EPILOG = """\b
Examples:
  zerocloud console deploy                      into the container 'console', and print where it is
  zerocloud console deploy pages --auth-url https://keys.example.org/auth/v1.0 --connect https://keys.example.org

The account is that of the variables OS_STORAGE_URL and OS_AUTH_TOKEN, or ST_AUTH, ST_USER and ST_KEY.
"""


@click.group()
def command() -> None:
    """The console, a web page for containers, objects and jobs."""


@command.command(epilog=EPILOG)
@click.argument("container", default=DEFAULT_CONTAINER)
@click.option("--auth-url", default=AUTH_URL, show_default=True, help="Where the page signs in; a path is on its own server.")
@click.option("--connect", "sources", multiple=True, metavar="ORIGIN", help="Another server that the page may talk to.")
@click.option("--no-execution", is_flag=True, help="Manage files only: the page offers nothing that runs jobs.")
@click.option("--json", "as_json", is_flag=True, help="The address, and how many files had to be stored.")
def deploy(container: str, auth_url: str, sources: tuple[str, ...], no_execution: bool, as_json: bool) -> None:
    """Store the console in CONTAINER, which everybody may read then, and print its address. Files that are there already and
    have not changed are left alone."""
    if not container or "/" in container:
        raise UsageError(f"{container!r}: not the name of a container")
    try:
        for source in sources:
            check_source(source)
        done = _deploy(container, Settings(auth_url, sources, not no_execution))
    except ConfigurationError as error:
        raise UsageError(f"--connect {error}") from error
    except ClientError as error:
        raise CommandError(str(error)) from error
    click.echo(simplejson.dumps({"url": done.url, "stored": done.stored}) if as_json else done.url)


def _deploy(container: str, settings: Settings) -> Deployed:
    with connect() as cloud:
        return store(cloud, container, settings)
