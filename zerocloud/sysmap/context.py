"""What a map is planned against: the account, what is stored, what the cluster allows. All of it is passed in.

Source: system map, sections 5 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .paths import SwiftPath

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One object of a listing: its name and its size in bytes."""

    name: str
    bytes: int


class Listing(Protocol):
    """What is stored. Both methods may page as they are read, and raise ListingError at any step."""

    def containers(self, account: str) -> Iterable[str]:
        """The names of an account's containers, in byte order."""
        ...

    def objects(self, account: str, container: str, prefix: str) -> Iterable[ObjectEntry]:
        """The objects of a container whose names begin with ``prefix``, in byte order of their names."""
        ...


@dataclass(frozen=True)
class Limits:
    """What a job may have.

    ``reads``, ``rbytes``, ``writes``, ``wbytes`` bound one channel's operations and bytes and go into manifest lines.
    ``maxnodes`` counts nodes without their copies, ``maxconnections`` pairs of a sender and a receiver, ``maxname`` bytes of a
    node's or device's name, ``maxdepth`` nested lists and objects, ``maxreplicate`` copies of a node, ``maxeach`` objects on
    one node, ``maxtimeout`` seconds, ``maxmemory`` bytes, ``maxretries`` further attempts.
    """

    reads: int = GIB
    rbytes: int = GIB
    writes: int = GIB
    wbytes: int = GIB
    maxnodes: int = 10_000
    maxconnections: int = 100_000
    maxname: int = 128
    maxdepth: int = 32
    maxreplicate: int = 16
    maxeach: int = 128
    maxtimeout: float = 3600.0
    maxmemory: int = 4 * GIB
    maxretries: int = 10


def one_replica(path: SwiftPath) -> int:
    """The replica count where writing nodes are not to be copied."""
    return 1


@dataclass(frozen=True)
class Context:
    """Everything but the map that a plan depends on.

    ``account`` is what ``.`` and ``~`` stand for. ``image``: the job brings a user image. ``job`` names the job in ``opaque``
    channels. ``system_images`` are the names of the cluster's system images, None where they are not known here (then unknown
    devices are left to the executing server). ``replicas`` gives the replica count of the policy in which a written object will
    be (section 7). ``slots`` is how many nodes ``"count": "auto"`` makes. ``affinity`` gives equal values to objects that lie
    together; nodes with ``each`` are packed by it.
    """

    account: str
    listing: Listing
    limits: Limits = field(default_factory=Limits)
    image: bool = False
    network: Literal["tcp", "opaque"] = "tcp"
    job: str = ""
    default_content_type: str = "application/octet-stream"
    system_images: frozenset[str] | None = frozenset()
    replicas: Callable[[SwiftPath], int] = one_replica
    slots: int = 1
    affinity: Callable[[SwiftPath], Hashable] | None = None
