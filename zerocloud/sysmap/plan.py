"""What a system map becomes: an immutable plan of nodes, channels and connections.

Everything here is data. It is made by :func:`zerocloud.sysmap.plan_job` and read by the proxy filter, by local runs and by
``explain``; part of it travels to the storage servers (:mod:`zerocloud.wire`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag

from .paths import ImagePath, Path, SwiftPath


class Access(IntFlag):
    """What a device allows; the bits are part of the wire format (system map, section 2)."""

    NONE = 0
    READABLE = 1
    WRITABLE = 2
    RANDOM = 4
    NETWORK = 8
    CDR = 16
    CHECKPOINT = 32


@dataclass(frozen=True)
class Channel:
    """One device of one node, bound or to be bound.

    ``size`` is the object's size in bytes where a listing told it, else None. ``content_type`` and ``meta`` are those of the
    object to be written, or of the answer.
    """

    device: str
    access: Access
    path: Path | None = None
    content_type: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    mode: str | None = None
    min_size: int = 0
    removable: bool = False
    mountpoint: str = "/"
    size: int | None = None


@dataclass(frozen=True)
class Connection:
    """One end of a stream between two nodes, as this node sees it.

    ``device`` is the guest's name without ``/dev/``; ``peers`` are the ids of the peer and its replicas; ``line`` is the
    ready manifest value (executor contract, section 3).
    """

    device: str
    peers: tuple[int, ...]
    line: str


@dataclass(frozen=True)
class Node:
    """One unit of work: a program with its channels, to be run once (or ``replicate`` times).

    ``binds`` are the streams it reads, ``connects`` those it writes. ``path_info`` is where it is to be placed
    (``/account[/container[/object]]``) and ``access`` why (``GET``, ``PUT`` or empty; section 7).
    ``remote`` names what has to be brought to it: its executable as ``boot``, and inputs by device.
    """

    id: int
    name: str
    group: str
    exe: SwiftPath | ImagePath
    exe_name: str
    args: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    binds: tuple[Connection, ...] = ()
    connects: tuple[Connection, ...] = ()
    replicate: int = 1
    attach: str = "default"
    access: str = ""
    path_info: str = ""
    location: str = ""
    wildcards: tuple[str, ...] = ()
    data_in: bool = False
    remote: Mapping[str, SwiftPath] = field(default_factory=dict)
    timeout: float | None = None
    memory: int | None = None
    retries: int = 0

    @property
    def connected(self) -> bool:
        """Whether it takes part in the job's network."""
        return bool(self.binds or self.connects)


@dataclass(frozen=True)
class Plan:
    """A whole job: its nodes in order of their ids, which count from 1. Copies have ids beyond those (section 8)."""

    nodes: tuple[Node, ...]

    @property
    def total(self) -> int:
        """Sessions to run: every node with all its copies."""
        return sum(node.replicate for node in self.nodes)
