"""``--watch``: does a command's work again whenever a file of the zapp changes; mistakes meanwhile are told, and waited out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from zerocloud.cli.terminal import plain_lines
from zerocloud.client import ClientError

from .errors import ZpmError
from .project import load, watched_files
from .watch import changes, rest
from .zapp import ZAPP_YAML


def again(root: Path, work: Callable[[], None], pause: Callable[[], None] = rest) -> None:
    """Do it until Ctrl-C, or until ``pause``, which is called between two looks, raises something."""
    click.echo("Watching for changes; Ctrl-C ends it.", err=True)
    known: list[Path] = []
    builds = False

    def files() -> Iterable[Path]:
        nonlocal builds
        try:
            zapp = load(root)
            builds = bool(zapp.build)
            known[:] = watched_files(root, zapp)
        except ZpmError:  # while zapp.yaml has a mistake, what it named before is watched
            known.append(root / ZAPP_YAML)
        return known

    try:
        for changed in changes(files, pause, makes_files=lambda: builds):
            click.echo(f"{changed[0].name} changed" + (f", and {len(changed) - 1} more" if changed[1:] else ""), err=True)
            try:
                work()
            except (ZpmError, ClientError) as error:
                click.echo("\n".join(plain_lines(f"Error:\n{error}")), err=True)
    except KeyboardInterrupt:
        return
