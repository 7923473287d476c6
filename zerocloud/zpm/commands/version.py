"""``zpm version``."""

from __future__ import annotations

from importlib.metadata import version

import click


@click.command()
def command() -> None:
    """Print zpm's version."""
    click.echo(f"zpm version {version('zerocloud')}")
