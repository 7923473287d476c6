"""What all channels of a session share: limits, counters and digests (executor contract, section 3).

A channel implements :class:`zerocloud.zrt.channel.Channel`; failures are OSErrors whose errno the guest gets. The order of the
checks is the contract's: no operations left (EDQUOT), no bytes left (EDQUOT, or EINVAL for a writer that is past its end),
then the request is cut to what is left.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from errno import EBADF, EDQUOT, EINVAL, ESPIPE

from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.states import EndState

Views = Sequence[memoryview]


def cut(views: Views, size: int) -> Views:
    """The first ``size`` bytes of the views."""
    kept = []
    for view in views:
        if size <= 0:
            break
        kept.append(view[:size])
        size -= len(view)
    return kept


def length(views: Views) -> int:
    """How many bytes the views have together."""
    return len(views[0]) if len(views) == 1 else sum(map(len, views))


class HostChannel(ABC):
    """What all channels share. ``limit_hit`` is set once the guest was refused something because of a limit."""

    random_read = False
    random_write = False

    def __init__(self, line: ChannelLine, totals: memoryview) -> None:
        self.line = line
        self.alias = line.alias
        self.readable = line.readable
        self.writable = line.writable
        self.limit_hit: EndState | None = None
        self._totals = totals
        self._digest = hashlib.md5(usedforsecurity=False) if line.etag else None
        self._ended = False
        self._reads_left = line.gets
        self._read_bytes_left = line.get_size
        self._writes_left = line.puts
        self._write_bytes_left = line.put_size

    # -- what the guest's world calls

    def read(self, views: Views) -> int:
        """Read on; 0 is the end, which costs an operation the first time it is seen."""
        if self._ended:
            return 0
        views = self._allow_read(views)
        got = self._read(views)
        if not got:
            self._ended = True
        self._count_read(views, got)
        return got

    def write(self, views: Views) -> int:
        """Write on."""
        views = self._allow_write(views, beyond=not self._write_bytes_left)
        put = self._write(views)
        self._count_write(views, put)
        return put

    def pread(self, views: Views, offset: int) -> int:
        """Read at an offset, on channels with random reads only."""
        raise OSError(ESPIPE, os.strerror(ESPIPE))

    def pwrite(self, views: Views, offset: int) -> int:
        """Write at an offset, on channels with random writes only."""
        raise OSError(ESPIPE, os.strerror(ESPIPE))

    def size(self) -> int:
        """Bytes in it now; 0 for streams."""
        return 0

    @abstractmethod
    def poll_descriptor(self, writing: bool) -> int | None:
        """The descriptor to poll, None if always ready."""

    # -- what the session calls

    @property
    def etag(self) -> str | None:
        """The digest of all bytes that have passed, both ways, in hexadecimal; None where none was asked for."""
        return self._digest.hexdigest() if self._digest else None

    @abstractmethod
    def close(self, complete: bool) -> None:
        """End the channel. ``complete`` says whether the program ended by itself, so that a peer may take what it got for all.

        Raises ChannelError, OSError.
        """

    @abstractmethod
    def forget(self) -> None:
        """Let go of it in a process that has got it by a fork: the channel goes on in the other process."""

    # -- what the kinds of channel bring

    @abstractmethod
    def _read(self, views: Views) -> int: ...

    @abstractmethod
    def _write(self, views: Views) -> int: ...

    # -- limits and counts

    def _allow_read(self, views: Views) -> Views:
        if not self.readable:
            raise OSError(EBADF, os.strerror(EBADF))
        left = self._read_bytes_left
        if not self._reads_left or not left:
            self._refuse(EndState.READ_LIMIT, EDQUOT)
        return views if length(views) <= left else cut(views, left)

    def _allow_write(self, views: Views, beyond: bool) -> Views:
        """``beyond``: the position is past all that the limits could let be written, as a sequential writer's is at its
        limit."""
        if not self.writable:
            raise OSError(EBADF, os.strerror(EBADF))
        left = self._write_bytes_left
        if not self._writes_left or (not left and not beyond):
            self._refuse(EndState.OUTPUT_LIMIT, EDQUOT)
        if beyond:
            self._refuse(EndState.OUTPUT_LIMIT, EINVAL)
        return views if length(views) <= left else cut(views, left)

    def _refuse(self, state: EndState, errno: int) -> None:
        self.limit_hit = state
        raise OSError(errno, os.strerror(errno))

    def _count_read(self, views: Views, got: int) -> None:
        self._reads_left -= 1
        self._read_bytes_left -= got
        self._totals[0] += 1
        self._totals[1] += got
        if self._digest:
            self._hash(views, got)

    def _count_write(self, views: Views, put: int) -> None:
        self._writes_left -= 1
        self._write_bytes_left -= put
        self._totals[2] += 1
        self._totals[3] += put
        if self._digest:
            self._hash(views, put)

    def _hash(self, views: Views, size: int) -> None:
        assert self._digest is not None
        for view in cut(views, size):
            self._digest.update(view)
