"""The group of all commands, each imported only when it is called or its help is asked for."""

from __future__ import annotations

from importlib.metadata import version

import click

from .group import HELP, LazyGroup

COMMANDS = {
    "cc": "zerocloud.cli.cc",
    "console": "zerocloud.cli.console",
    "explain": "zerocloud.cli.explain",
    "image": "zerocloud.cli.image",
    "job": "zerocloud.cli.job",
    "run": "zerocloud.cli.run",
    "self-check": "zerocloud.cli.self_check",
}
"""Names of commands and the modules in this folder whose ``command`` they are."""

EPILOG = """\b
Exit codes: 0 all is well, 1 failed, 2 wrong usage, 130 interrupted; those of zerocloud job are in its help.

Completion for bash (zsh and fish alike): eval "$(_ZEROCLOUD_COMPLETE=bash_source zerocloud)"
"""


class Commands(LazyGroup):
    """The commands of :data:`COMMANDS`."""

    modules = COMMANDS


@click.group(cls=Commands, epilog=EPILOG, context_settings=HELP)
@click.version_option(version("zerocloud"), prog_name="zerocloud")
def main() -> None:
    """ZeroCloud: run programs inside object storage, where the objects lie."""
