"""Which file an object is. Pure: nothing is looked at here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "AUTH_local"
"""The account that jobs run in."""

HIDDEN = "."
"""Containers whose names begin so belong to tools: they are not among the user's folders. Files so named are not listed."""


class NoFileName(ValueError):
    """A name that no file can have; the text says why."""


@dataclass(frozen=True)
class Folders:
    """Where containers lie.

    ``account``: the folders in it are the containers of every account. ``root``, if given, has a folder for each account
    instead. ``hidden`` is for containers whose names begin with a dot.
    """

    account: Path
    hidden: Path
    root: Path | None = None

    def of_account(self, account: str) -> Path:
        """The folder whose folders are the account's containers. Raises NoFileName."""
        return self.root / _component(account, "account") if self.root else self.account

    def container(self, account: str, container: str) -> Path:
        """The folder that a container is. Raises NoFileName."""
        place = self.hidden / _component(account, "account") if container.startswith(HIDDEN) else self.of_account(account)
        return place / _component(container, "container")

    def object(self, account: str, container: str, name: str) -> Path:
        """The file that an object is. Raises NoFileName."""
        folder = self.container(account, container)
        return folder.joinpath(*(_component(part, "object") for part in name.split("/")))


def _component(name: str, what: str) -> str:
    if name in ("", ".", "..") or "\0" in name or "/" in name:
        raise NoFileName(f"Here the parts of the name of an {what} must be names of files, which {name!r} is not")
    return name
