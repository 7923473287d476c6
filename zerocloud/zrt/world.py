"""What a session hands to a guest: everything the guest will ever see, as one value.

The world holds channels and open descriptors, never paths, so that a guest runs behind walls where no file can be opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .channel import Channel
from .nvram import Nvram
from .tar import Index

DEFAULT_MEMORY_LIMIT = 1 << 32
"""Bytes: all that a 32-bit guest can address."""


Trace = Callable[[str, tuple[int, ...], int | None, int], None]
"""Told of each call, after it: name, arguments, errno (None if it did not return), nanoseconds."""


@dataclass(frozen=True)
class Mount:
    """One line of the file system table.

    ``ro``: the tar archive of ``size`` bytes on descriptor ``fd`` is seen at ``mountpoint``, read in place. ``index`` may bring
    its table of contents, made earlier by :func:`zerocloud.zrt.tar.read_index`. ``wo``: what lies below ``mountpoint`` when the
    guest exits is written as a tar archive into the channel named ``channel``. A ``removable`` image is looked at when the
    guest first walks there, and again after a fork.
    """

    mountpoint: str
    access: str = "ro"
    fd: int = -1
    size: int = 0
    removable: bool = False
    channel: str = ""
    index: Index | None = None


@dataclass(frozen=True)
class World:
    """Arguments, environment, channels by alias, images, clock and limits of one guest.

    ``modes`` says what stat shows of a channel: ``pipe``, ``char`` or ``file``. ``clock`` starts a clock of its own, in seconds
    since 1970, that advances one microsecond with each query; None is real time. ``seed`` makes random bytes repeatable.
    ``memory_limit`` is in bytes and covers the guest's linear memory and its file tree together; ``fuel`` counts instructions
    and needs an engine made for it. ``fork`` answers the import ``zerovm.fork``; without it the call gives -1.
    ``debug`` is how much is written into the channel ``/dev/debug``, from 0 to 4.
    """

    args: Sequence[bytes] = ()
    env: Mapping[bytes, bytes] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    clock: float | None = None
    seed: int | None = None
    memory_limit: int = DEFAULT_MEMORY_LIMIT
    fuel: int | None = None
    fork: Callable[[], int] | None = None
    debug: int = 0
    trace: Trace | None = None


def from_nvram(
    nvram: Nvram,
    channels: Mapping[str, Channel],
    descriptor_of: Callable[[str], tuple[int, int]],
    *,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
    fuel: int | None = None,
    fork: Callable[[], int] | None = None,
    trace: Trace | None = None,
    index_of: Callable[[str], Index | None] = lambda alias: None,
) -> World:
    """The world that an NVRAM describes.

    ``descriptor_of`` gives the descriptor and the size in bytes of the image behind a channel's alias; it is asked for ``ro``
    mounts only, and raises WorldError for an alias that has none. ``index_of`` may know an image's table of contents already.
    """
    mounts = []
    for entry in nvram.mounts:
        images = entry.access == "ro"
        fd, size = descriptor_of(entry.channel) if images else (-1, 0)
        index = index_of(entry.channel) if images else None
        mounts.append(Mount(entry.mountpoint, entry.access, fd, size, entry.removable, entry.channel, index))
    return World(
        args=nvram.args,
        env=nvram.env,
        channels=channels,
        modes=nvram.mapping,
        mounts=tuple(mounts),
        clock=nvram.time,
        seed=nvram.seed,
        memory_limit=memory_limit,
        fuel=fuel,
        fork=fork,
        debug=nvram.debug or 0,
        trace=trace,
    )
