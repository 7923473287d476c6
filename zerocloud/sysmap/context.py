"""What a map is planned against: the account, what is stored, what the cluster allows. All of it is passed in.

Source: system map, sections 5 to 9.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from .paths import SwiftPath

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """One object of a listing: its name and its size in bytes, as one who reads it sees them.

    So the size of an object made of segments is that of the whole: ``split`` relies on it.
    """

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
    """What a job may have. Bytes unless it says otherwise."""

    reads: int = GIB
    """Read operations of one channel (goes into manifest lines, as the next three do)."""
    rbytes: int = GIB
    """Bytes read from one channel."""
    writes: int = GIB
    """Write operations of one channel."""
    wbytes: int = GIB
    """Bytes written to one channel."""
    maxnodes: int = 10_000
    """Nodes of a job, their copies not counted."""
    maxconnections: int = 100_000
    """Streams between nodes: pairs of a sender and a receiver, copies not counted."""
    maxname: int = 128
    """Length of the name of a node or device."""
    maxdepth: int = 32
    """Lists and objects within each other."""
    maxreplicate: int = 16
    """Copies of a node that a map may ask for."""
    maxeach: int = 64
    """Objects that ``each`` may put on one node."""
    maxobjects: int = 250_000
    """Objects that the wildcards and lists of a job may name."""
    maxlisted: int = 2_000_000
    """Entries of listings that are read for a job, whether they fit a pattern or not."""
    maxenv: int = 100
    """Environment variables of a program; the guest's configuration has room for no more."""
    maxtimeout: float = 3600.0
    """Seconds that a map may grant to a node."""
    maxmemory: int = 4 * GIB
    """Memory that a map may grant to a node."""
    maxretries: int = 10
    """Further attempts that a map may ask for."""


@dataclass(frozen=True)
class Context:
    """Everything but the map that a plan depends on.

    ``account`` is what ``.`` and ``~`` stand for. ``image``: the job brings a user image. ``job`` names the job in
    ``opaque`` channels. ``system_images`` are the names of the cluster's system images, None where they are not known here
    (then unknown devices are left to the executing server). With ``ignore_replication`` every node has one copy, whatever its
    map says.
    ``slots`` is how many nodes ``"count": "auto"`` makes. ``affinity`` gives equal values to objects that lie together;
    nodes with ``each`` are packed by it. ``size_of`` is asked for the size in bytes of an object that is to be split and
    that a listing calls empty: links, and manifests of segments, are listed so. ``segments_of`` gives the sizes of an object's
    segments, in their order, where it is made of some that lie apart. Both may raise ListingError.
    """

    account: str
    listing: Listing
    limits: Limits = field(default_factory=Limits)
    image: bool = False
    network: Literal["tcp", "opaque"] = "tcp"
    job: str = ""
    default_content_type: str = "application/octet-stream"
    system_images: frozenset[str] | None = frozenset()
    ignore_replication: bool = False
    slots: int = 1
    affinity: Callable[[SwiftPath], Hashable] | None = None
    size_of: Callable[[SwiftPath], int] | None = None
    segments_of: Callable[[SwiftPath], Sequence[int]] | None = None
