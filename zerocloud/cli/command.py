"""The group of all commands, each imported only when it is called or its help is asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from zerocloud.cli.errors import CommandError

COMMANDS = {
    "console": "zerocloud.cli.console",
    "explain": "zerocloud.cli.explain",
    "job": "zerocloud.cli.job",
}
"""Names of commands and the modules in this folder whose ``command`` they are."""

EPILOG = """\b
Exit codes: 0 all is well, 1 failed, 2 wrong usage.

Completion for bash (zsh and fish alike): eval "$(_ZEROCLOUD_COMPLETE=bash_source zerocloud)"
"""


class Commands(click.Group):
    """Looks commands up in :data:`COMMANDS`, and turns this package's errors into a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, or None."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: click.Command = import_module(module).command
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was chosen."""
        try:
            return super().invoke(ctx)
        except CommandError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("zerocloud"), prog_name="zerocloud")
def main() -> None:
    """ZeroCloud: run programs inside object storage, where the objects lie."""
