"""What commands raise for a user's mistake or a failure that has a name: a sentence, no traceback.

CommandError             exit code 1
  UsageError             exit code 2: the words of the command line are off
"""

from __future__ import annotations

import os

__all__ = ["CommandError", "UsageError", "sentence"]


class CommandError(Exception):
    """The command failed; the text says why and, where there is one, the cure."""

    exit_code = 1


class UsageError(CommandError):
    """The command was called with words that can't be used together."""

    exit_code = 2


def sentence(error: Exception) -> str:
    """What an error says: those of the operating system without their number, ``none.tar: No such file or directory``."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)
