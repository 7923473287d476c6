"""The Zebras that run on this machine, side by side: each has its directory, ports and processes, and shares nothing."""

from __future__ import annotations

from pathlib import Path

from zerocloud.zebra import settings, state
from zerocloud.zebra.errors import ZebraError
from zerocloud.zebra.layout import Layout

SUPERVISOR = b"zerocloud.zebra.supervisor"


def running() -> list[tuple[Layout, str]]:
    """The layout and the proxy's URL of every Zebra that this user may look at, by its directory."""
    found = {}
    for arguments in map(_arguments, Path("/proc").glob("[0-9]*/cmdline")):
        if SUPERVISOR not in arguments:
            continue
        directory = arguments[arguments.index(SUPERVISOR) + 1 :][:1]
        try:
            layout = Layout.at(directory[0].decode())
            state.running(layout)
            found[layout.directory] = (layout, settings.load(layout).url)
        except (ZebraError, UnicodeDecodeError, IndexError, KeyError):
            continue  # it starts, ends, or is another user's
    return [found[directory] for directory in sorted(found)]


def _arguments(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:
        return []
