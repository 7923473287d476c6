"""Opens what a channel line of the manifest names (executor contract, section 3)."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import stat
from collections.abc import Iterable, Sequence
from errno import EACCES, EBADF, EDQUOT, EFBIG, EINVAL, EIO, ENOENT, ENOSPC, EPROTONOSUPPORT

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.files import FileChannel, FileWindow, StreamChannel
from zerocloud.zerovm.hostchannel import HostChannel
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.sources import DescriptorSource, PathSource, Window
from zerocloud.zerovm.streams import NetworkReader, NetworkWriter, ReplicaReader

_KEEP_SIZE = 1
_NO_ROOM = (ENOSPC, EDQUOT, EFBIG, EIO)
_libc = ctypes.CDLL(None, use_errno=True)


def open_channel(
    line: ChannelLine, descriptors: Sequence[int], counters: Counters | None = None, *, preallocate: bool = False
) -> HostChannel:
    """Open one channel. ``fd:N`` is ``descriptors[N]``, which stays the caller's; a connected socket there is a network
    channel. ``fd:N@START-END`` is a part of the regular file there.

    With ``preallocate``, room for ``putsize`` bytes is reserved for a new file. Raises ManifestError, which names the line.
    """
    counters = counters or Counters()
    source = line.sources[0]
    if isinstance(source, PathSource):
        descriptor, owned = _open_path(line, source.path), True
    else:
        descriptor, owned = _handed_over(line, descriptors)[0], False
    try:
        return _channel(line, descriptors, counters, descriptor, owned, preallocate and owned)
    except BaseException:
        if owned:
            os.close(descriptor)
        raise


def _channel(
    line: ChannelLine, descriptors: Sequence[int], counters: Counters, descriptor: int, owned: bool, preallocate: bool
) -> HostChannel:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return _network(line, _handed_over(line, descriptors), counters.network)
    if len(line.sources) > 1:
        raise line.error("only network channels can have several sources")
    _check_access(line, descriptor)
    if line.window:
        return _window(line, line.window, counters, descriptor)
    if stat.S_ISREG(mode):
        if line.writable and not line.readable and os.fstat(descriptor).st_size:
            os.ftruncate(descriptor, 0)
        reserved = preallocate and line.writable and _reserve(line, descriptor)
        return FileChannel(line, counters.files, descriptor, owned, reserved)
    if not stat.S_ISCHR(mode) and not stat.S_ISFIFO(mode):
        raise line.error("is neither a regular file nor a character device, FIFO or TCP stream", EPROTONOSUPPORT)
    if line.readable and line.writable:
        raise line.error("a device or FIFO has one direction")
    return StreamChannel(line, counters.files, descriptor, owned)


def _window(line: ChannelLine, window: Window, counters: Counters, descriptor: int) -> HostChannel:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise line.error("only a regular file can be shown in part", EPROTONOSUPPORT)
    if window.end > status.st_size:
        raise line.error(f"bytes {window.start} to {window.end} of a file of {status.st_size} bytes", EINVAL)
    return FileWindow(line, counters.files, descriptor, window)


def _network(line: ChannelLine, descriptors: list[int], totals: memoryview) -> HostChannel:
    if line.readable and line.writable:
        raise line.error("a stream has one direction")
    if line.writable:
        return NetworkWriter(line, totals, descriptors)
    return NetworkReader(line, totals, descriptors[0]) if len(descriptors) == 1 else ReplicaReader(line, totals, descriptors)


def _handed_over(line: ChannelLine, descriptors: Sequence[int]) -> list[int]:
    found = []
    for source in line.sources:
        if not isinstance(source, DescriptorSource):
            raise line.error(f"source {source.render()} can't be opened here", EPROTONOSUPPORT)
        if source.number >= len(descriptors):
            raise line.error(f"{source.render()} of {len(descriptors)} descriptors", EBADF)
        found.append(descriptors[source.number])
    return found


def _open_path(line: ChannelLine, path: str) -> int:
    """Open a path, having looked first: a socket's or directory's must not be created, truncated or waited for."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise line.error(f"{path}: {error.strerror}", error.errno or EACCES) from error
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
        raise line.error(f"{path} is neither a regular file nor a character device or FIFO", EPROTONOSUPPORT)
    flags = os.O_CLOEXEC | os.O_NOCTTY
    if line.readable and line.writable:
        flags |= os.O_RDWR | os.O_CREAT
    elif line.writable:
        flags |= os.O_WRONLY | os.O_CREAT
    try:
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise line.error(f"{path}: {error.strerror}", error.errno or ENOENT) from error


def _check_access(line: ChannelLine, descriptor: int) -> None:
    """Refuse a descriptor of the wrong direction now rather than in the guest; make a stream wait for its data."""
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    access = flags & os.O_ACCMODE
    if (line.readable and access == os.O_WRONLY) or (line.writable and access == os.O_RDONLY):
        raise line.error("its descriptor is open in the other direction", EBADF)
    if flags & os.O_NONBLOCK:
        os.set_blocking(descriptor, True)


def release_reserved(lines: Iterable[ChannelLine]) -> None:
    """Give back what was reserved for a session that could not close its channels itself: it was killed."""
    for line in lines:
        source = line.sources[0]
        if line.writable and isinstance(source, PathSource):
            with contextlib.suppress(OSError):
                status = os.stat(source.path)
                if stat.S_ISREG(status.st_mode):
                    os.truncate(source.path, status.st_size)


def _reserve(line: ChannelLine, descriptor: int) -> bool:
    """Reserve room for all that may be written, invisibly: the size stays. Raises ManifestError where there is none."""
    if os.fstat(descriptor).st_size:
        return False
    size = ctypes.c_long(line.put_size)
    if _libc.fallocate(descriptor, _KEEP_SIZE, ctypes.c_long(0), size) == 0:
        return True
    errno = ctypes.get_errno()
    if errno in _NO_ROOM:
        raise line.error(f"no room for its {line.put_size} bytes: {os.strerror(errno)}", errno)
    return False  # a file system that can't reserve
