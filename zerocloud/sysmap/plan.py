"""What a system map becomes: an immutable plan of nodes, channels and connections.

Everything here is data. It is made by :func:`zerocloud.sysmap.plan_job` and read by the proxy filter, by local runs and by
``explain``; part of it travels to the storage servers (:mod:`zerocloud.wire`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from functools import cached_property

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


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of an object that a node of a ``split`` group works on: its bytes ``start`` to ``end`` (exclusive).

    ``mode`` is ``bytes``, ``line`` or ``record``. The ranges of an object's slices cover it exactly once. In mode ``bytes`` the
    node sees exactly its range. In the others it sees whole records, which end with ``separator``: a record belongs to the
    slice in which its first byte lies. So both ends move forward to a record's start, :func:`zerocloud.sysmap.record_start` of
    ``start`` and of ``end``: the node begins after the first separator that ends at or after ``start`` (at once if ``start`` is
    0), and reads past ``end`` up to and with the first separator that ends at or after ``end``. A slice without any record's
    start is empty. ``index`` counts an object's slices from 1, ``count`` is how many there are, ``size`` is the object's size.
    """

    start: int
    end: int
    mode: str
    separator: str
    index: int
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class Channel:
    """One device of one node, bound or to be bound.

    ``size`` is the whole object's size in bytes where a listing told it, else None. ``content_type`` and ``meta`` are those of
    the object to be written, or of the answer; they and ``min_size`` matter for writable devices only. ``slice`` is set where
    the node is to see a part of the object.
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
    slice: Slice | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """One end of a stream between two nodes, as this node sees it.

    ``device`` is the guest's name without ``/dev/``; ``peers`` are the ids of the peer and its replicas; ``line`` is the
    ready manifest value (executor contract, section 3).
    """

    device: str
    peers: tuple[int, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Node:
    """One unit of work: a program with its channels, to be run once (or ``replicate`` times).

    ``binds`` are the streams it reads, ``connects`` those it writes. ``path_info`` is where it is to be placed
    (``/account[/container[/object]]``) and ``access`` why (``GET``, ``PUT`` or empty; section 7).
    ``remote`` names what has to be brought to it: its executable as ``boot``, and inputs by device. ``wildcards`` are the texts
    that its input's ``*`` stood for. ``data_in``: some readable device has no path, and gets the request's payload.

    What the group asks of those who run it: ``timeout`` in seconds and ``memory`` in bytes (None: the server's default),
    ``retries`` further attempts after a failure of its own. ``continue_on_error``: its failure does not cancel the rest of the
    job (``"on_error": "continue"``). ``ignore_exit``: a non-zero exit is reported but no failure (``"on_exit": "ignore"``).
    ``speculate``: as a straggler it gets a second copy on another replica.
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
    continue_on_error: bool = False
    ignore_exit: bool = False
    speculate: bool = False

    @property
    def connected(self) -> bool:
        """Whether it takes part in the job's network."""
        return bool(self.binds or self.connects)


@dataclass(frozen=True)
class Plan:
    """A whole job: its nodes in order of their ids, which count from 1. Copies have ids beyond those (section 8)."""

    nodes: tuple[Node, ...]

    @cached_property
    def total(self) -> int:
        """Sessions to run: every node with all its copies."""
        return sum(node.replicate for node in self.nodes)

    def copies(self, node: Node) -> tuple[int, ...]:
        """The ids under which a node runs: its own, then those of its copies."""
        return copy_ids(node.id, node.replicate, len(self.nodes))


def copy_ids(node_id: int, replicate: int, nodes: int) -> tuple[int, ...]:
    """The ids of a node and its copies in a job of so many nodes (section 8)."""
    return tuple(node_id + k * nodes for k in range(replicate))
