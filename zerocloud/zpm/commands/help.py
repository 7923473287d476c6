"""``zpm help``."""

from __future__ import annotations

import click

from zerocloud.zpm.command import COMMANDS, main


@click.command()
@click.argument("name", required=False, metavar="[COMMAND]", shell_complete=lambda *_: list(COMMANDS))
@click.pass_context
def command(context: click.Context, name: str | None) -> None:
    """Show the help of zpm, or of one of its commands."""
    parent = context.parent or context
    found = main.get_command(parent, name) if name else None
    if name and found is None:
        click.echo(f"no such command: {name}", err=True)
    if found is None:
        click.echo(main.get_help(parent))
        context.exit(1 if name else 0)
    with click.Context(found, parent=parent, info_name=name) as inner:
        click.echo(found.get_help(inner))
