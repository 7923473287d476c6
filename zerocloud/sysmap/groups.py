"""A system map that has been read: frozen values, one per group, exec and device. Source: system map, section 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .paths import ImagePath, Location, PeerPath, SwiftPath, SwiftPattern
from .plan import Access
from .problems import Pointer

AUTO = 0
"""The count of a group that says ``"count": "auto"``."""


@dataclass(frozen=True, slots=True)
class Split:
    """How a large object is cut: into ranges of ``size`` bytes, at what ``mode`` says (section 6)."""

    size: int
    mode: str
    separator: str


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a group. ``paths`` is empty without a path; ``listed``: the path was given as a list."""

    name: str
    access: Access
    pointer: Pointer
    paths: tuple[Location, ...] = ()
    listed: bool = False
    split: Split | None = None
    content_type: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    mode: str | None = None
    min_size: int = 0

    @property
    def reads(self) -> bool:
        """Whether the node reads objects here: READABLE or CDR."""
        return bool(self.access & (Access.READABLE | Access.CDR))

    @property
    def spreads(self) -> bool:
        """Whether it decides how many nodes the group has: each gets an object, or part of one, of its own."""
        return self.reads and (self.listed or self.split is not None or any(isinstance(p, SwiftPattern) for p in self.paths))

    @property
    def peer(self) -> PeerPath | None:
        """The device of another node that it is connected to."""
        return self.paths[0] if self.paths and isinstance(self.paths[0], PeerPath) else None


@dataclass(frozen=True, slots=True)
class Program:
    """What a group runs: ``exec``. An empty ``name`` stands for the node's own."""

    path: SwiftPath | ImagePath
    args: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


NO_PROGRAM = Program(ImagePath("", ""))
"""Stands where a group has no usable program, until the group is dropped."""


@dataclass(frozen=True, slots=True)
class Group:
    """One element of the map. ``count`` may be ``AUTO``; ``each`` is 0 without that key; the last fields are Node's."""

    name: str
    pointer: Pointer
    program: Program
    devices: tuple[Device, ...] = ()
    count: int = 1
    connect: tuple[str, ...] = ()
    replicate: int = 1
    attach: str = "default"
    location: str = ""
    each: int = 0
    timeout: float | None = None
    memory: int | None = None
    retries: int = 0
    continue_on_error: bool = False
    ignore_exit: bool = False
    speculate: bool = False
