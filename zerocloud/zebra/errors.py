"""What can go wrong with a Zebra, one class per kind of mistake.

::

    ZebraError
     ├─ DirectoryError     the directory can't hold a Zebra, or isn't one
     ├─ SettingsError      an option that can't be used, or contradicts the one the Zebra was made with
     ├─ PortTaken          a port that the user asked for belongs to somebody else
     ├─ AlreadyRunning     a second ``up`` on a directory whose Zebra runs
     ├─ NotRunning         a question that only a running Zebra can answer
     └─ StartFailed        a process ended, or didn't answer in time, while the Zebra started

``str()`` of each is a sentence for the user; ``exit_code`` is what the command line ends with.
"""

from __future__ import annotations


class ZebraError(Exception):
    """Root of the tree."""

    exit_code = 1


class DirectoryError(ZebraError):
    """The directory can't hold a Zebra, or isn't one."""


class SettingsError(ZebraError):
    """An option that can't be used, or contradicts the one the Zebra was made with."""

    exit_code = 2


class PortTaken(ZebraError):
    """A port that the user asked for belongs to another process."""


class AlreadyRunning(ZebraError):
    """The directory's Zebra runs already."""


class NotRunning(ZebraError):
    """Nothing runs in this directory."""

    exit_code = 3


class StartFailed(ZebraError):
    """A process of the Zebra ended, or didn't answer in time, while it started."""


def by_name(name: str, message: str) -> ZebraError:
    """The exception of the class called ``name``: how an error crosses a process boundary."""
    classes = {kind.__name__: kind for kind in ZebraError.__subclasses__()}
    return classes.get(name, ZebraError)(message)


__all__ = [
    "ZebraError",
    "DirectoryError",
    "SettingsError",
    "PortTaken",
    "AlreadyRunning",
    "NotRunning",
    "StartFailed",
    "by_name",
]
