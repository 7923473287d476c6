"""Groups of commands that speak with one voice: mistakes, and failures that have a name, are a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from zerocloud.client import ClientError

from .errors import CommandError, sentence
from .terminal import plain_lines

HELP = {"help_option_names": ["-h", "--help"]}
FAILED, INTERRUPTED = 1, 130


def examples(*lines: str) -> str:
    """The end of a command's help."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def complete_file(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes a word that may name a file, among other things."""
    return [CompletionItem(incomplete, type="file")]


class TellingGroup(click.Group):
    """Tells its commands' errors. ``known`` are those that a user understands; others are bugs, and tracebacks."""

    known: tuple[type[Exception], ...] = (CommandError, ClientError)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was chosen."""
        try:
            return super().invoke(ctx)
        except self.known as error:
            click.echo("\n".join(plain_lines(self.told(error))), err=True)
            ctx.exit(getattr(error, "exit_code", FAILED))
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called. Raises UsageError, with the one that may have been meant."""
        found = super().resolve_command(ctx, args) if self.get_command(ctx, args[0]) or args[0].startswith("-") else None
        if found is None:
            meant = get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f" Did you mean '{meant[0]}'?" if meant else ""
            raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx)
        return found

    def told(self, error: Exception) -> str:
        """What is printed of an error."""
        return f"Error: {sentence(error)}"


class LazyGroup(TellingGroup):
    """Imports each command only when it is called or its help is asked for."""

    modules: Mapping[str, str] = {}
    """Names of commands, and the modules whose ``command`` they are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, sorted."""
        return sorted(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, or None."""
        module = self.modules.get(cmd_name)
        if module is None:
            return None
        found: click.Command = import_module(module).command
        return found
