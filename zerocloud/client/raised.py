"""The exception of a guest's Python, found in the story of its job, so that it can be raised here again. Pure."""

from __future__ import annotations

import ast
import builtins
import re

from .errors import JobFailed

FRAME = re.compile(r' +File "')
LAST = re.compile(r"([A-Za-z_][\w.]*)(?:: (.*))?")
WORDS = "Last lines of its stderr:"


def raised(failed: JobFailed) -> Exception:
    """What the program raised, if that is an exception that every Python has: its cause is the failed job, with the traceback.

    Otherwise the failed job itself.
    """
    lines = [line[2:] for line in str(failed).partition(WORDS)[2].splitlines()]
    framed = next((number for number, line in reversed(list(enumerate(lines))) if FRAME.match(line)), None)
    if framed is None:
        return failed
    found = next((match for line in lines[framed + 1 :] if (match := LAST.fullmatch(line))), None)
    kind = getattr(builtins, found[1], None) if found else None
    if found is None or not (isinstance(kind, type) and issubclass(kind, Exception)):
        return failed
    try:
        made = kind(*_arguments(kind, found[2]))
    except TypeError:  # it takes more than a text
        return failed
    made.__cause__ = failed
    return made


def _arguments(kind: type[Exception], text: str | None) -> tuple[object, ...]:
    if text is None:
        return ()
    if issubclass(kind, KeyError):  # of which a traceback has the key's repr
        try:
            return (ast.literal_eval(text),)
        except (ValueError, SyntaxError):
            pass
    return (text,)
