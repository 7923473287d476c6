"""The command ``zpm``. Source: command-line tools, section 1."""

from __future__ import annotations

from importlib.metadata import version

import click

from zerocloud.cli.group import HELP, LazyGroup

NAMES = ("auth", "bundle", "deploy", "execute", "help", "new", "version")
COMMANDS = {name: f"zerocloud.zpm.commands.{name}" for name in NAMES}
"""Names of commands and the modules whose ``command`` they are."""

EPILOG = """\b
Examples:
  zpm new hello                        a folder with a zapp.yaml and a program
  cd hello; zpm bundle                 makes hello.zapp
  zpm execute hello.zapp               runs it, without storing it
  zpm deploy apps/hello hello.zapp     stores it, its system map and its page
  zpm execute --container apps/hello

Exit codes: 0 all is well, 1 failed, 2 wrong usage.

Completion for bash (zsh and fish alike): eval "$(_ZPM_COMPLETE=bash_source zpm)"
"""


class Commands(LazyGroup):
    """The commands of :data:`COMMANDS`."""

    modules = COMMANDS

    def told(self, error: Exception) -> str:
        """As zpm has always told it."""
        return f"Error:\n{error}"


@click.group(cls=Commands, epilog=EPILOG, context_settings=HELP, no_args_is_help=False, invoke_without_command=True)
@click.version_option(version("zerocloud"), prog_name="zpm", message="%(prog)s version %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """ZeroCloud's packager: makes zapps, deploys and executes them."""
    if context.invoked_subcommand is None:
        click.echo(f"{context.get_usage()}\nzpm: error: too few arguments", err=True)
        context.exit(2)
