"""What commands raise for a user's mistake or a failure that has a name: a sentence, no traceback.

CommandError             exit code 1
  UsageError             exit code 2: the words of the command line are off
"""

from __future__ import annotations

__all__ = ["CommandError", "UsageError"]


class CommandError(Exception):
    """The command failed; the text says why and, where there is one, the cure."""

    exit_code = 1


class UsageError(CommandError):
    """The command was called with words that can't be used together."""

    exit_code = 2
