"""Notices changes of files, for commands that do their work again then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PAUSE = 0.3
"""Seconds between two looks."""

Picture = dict[Path, tuple[int, int]]


def rest() -> None:
    """Sleep for so long."""
    time.sleep(PAUSE)


def changes(
    files: Callable[[], Iterable[Path]],
    pause: Callable[[], None] = rest,
    makes_files: Callable[[], bool] = lambda: False,
) -> Iterator[list[Path]]:
    """The files that have changed, come or gone since the last look, whenever there are some. Never ends.

    ``makes_files``: whether the work that the caller does between two of them makes some of the files itself; what changed
    meanwhile is no news then. ``files`` may raise what it likes; it passes through.
    """
    before = _picture(files())
    while True:
        pause()
        now = _picture(files())
        changed = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
        before = now
        if changed:
            yield changed
            if makes_files():
                before = _picture(files())


def _picture(files: Iterable[Path]) -> Picture:
    found: Picture = {}
    for path in files:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
