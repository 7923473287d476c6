"""Channels on files, character devices and FIFOs of this host."""

from __future__ import annotations

import os
from errno import EFAULT, EINVAL

from zerocloud.zerovm.hostchannel import HostChannel, Views, cut
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.sources import Window


class StreamChannel(HostChannel):
    """A character device or FIFO."""

    def __init__(self, line: ChannelLine, totals: memoryview, descriptor: int, owned: bool) -> None:
        super().__init__(line, totals)
        self.descriptor = descriptor
        self._owned = owned

    def poll_descriptor(self, writing: bool) -> int | None:
        """The descriptor itself."""
        return self.descriptor

    def close(self, complete: bool) -> None:
        """Close the descriptor if the channel opened it."""
        self.forget()

    def forget(self) -> None:
        """The same, and nothing else."""
        if self._owned:
            os.close(self.descriptor)
            self._owned = False

    def _read(self, views: Views) -> int:
        return os.readv(self.descriptor, views)

    def _write(self, views: Views) -> int:
        return os.writev(self.descriptor, views)


class FileChannel(StreamChannel):
    """A regular file. The channel keeps its own position, since the descriptor's may be shared with others.

    ``origin`` is where in the file its first byte is, ``file_size`` how many it has.
    """

    origin = 0

    def __init__(self, line: ChannelLine, totals: memoryview, descriptor: int, owned: bool, preallocated: bool) -> None:
        super().__init__(line, totals, descriptor, owned)
        self.random_read = line.readable and line.type in (1, 3)
        self.random_write = line.writable and line.type in (2, 3)
        self.file_size = os.fstat(descriptor).st_size
        self._read_position = 0
        self._write_position = self.file_size if line.type == 1 else 0
        self._truncates = preallocated

    def pread(self, views: Views, offset: int) -> int:
        """Read at an offset: nothing at the end of the file and for free, EFAULT beyond it."""
        if not self.random_read:
            return super().pread(views, offset)
        if offset < 0:
            raise OSError(EINVAL, os.strerror(EINVAL))
        views = self._allow_read(views)
        if offset >= self.file_size:
            if offset > self.file_size:
                raise OSError(EFAULT, os.strerror(EFAULT))
            return 0
        got = self._take(views, offset)
        self._count_read(views, got)
        return got

    def pwrite(self, views: Views, offset: int) -> int:
        """Write at an offset: EINVAL where it lies beyond what the limits could ever let be written."""
        if not self.random_write:
            return super().pwrite(views, offset)
        if offset < 0:
            raise OSError(EINVAL, os.strerror(EINVAL))
        views = self._allow_write(views, self._beyond(offset))
        put = os.pwritev(self.descriptor, views, offset)
        self.file_size = max(self.file_size, offset + put)
        self._count_write(views, put)
        return put

    def _beyond(self, offset: int) -> bool:
        if not self.readable and offset >= self.line.put_size:
            return True
        return offset >= self.file_size + self._write_bytes_left

    def size(self) -> int:
        """The file's size, if the guest may see it."""
        return self.file_size if self.random_read or self.random_write else 0

    def poll_descriptor(self, writing: bool) -> int | None:
        """Files are always ready."""
        return None

    def close(self, complete: bool) -> None:
        """Give back what was allocated in advance and not written."""
        try:
            if self._truncates:
                os.ftruncate(self.descriptor, self.file_size)
                self._truncates = False
        finally:
            super().close(complete)

    def _read(self, views: Views) -> int:
        got = self._take(views, self._read_position)
        self._read_position += got
        return got

    def _take(self, views: Views, offset: int) -> int:
        return os.preadv(self.descriptor, views, offset)

    def _write(self, views: Views) -> int:
        put = os.pwritev(self.descriptor, views, self._write_position)
        self._write_position += put
        self.file_size = max(self.file_size, self._write_position)
        return put


class FileWindow(FileChannel):
    """A part of a regular file, which looks like a file of its own and can only be read."""

    def __init__(self, line: ChannelLine, totals: memoryview, descriptor: int, window: Window) -> None:
        super().__init__(line, totals, descriptor, owned=False, preallocated=False)
        self.origin = window.start
        self.file_size = window.end - window.start

    def _take(self, views: Views, offset: int) -> int:
        return super()._take(cut(views, self.file_size - offset), self.origin + offset)
