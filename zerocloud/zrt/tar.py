"""The table of contents of a tar archive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One name of an archive."""

    name: bytes


@dataclass(frozen=True)
class Index:
    """An archive's members in order."""

    members: tuple[Member, ...] = ()
