"""Network channels as the session has them: a writer to all replicas of its reader, a reader from all replicas of its
writer."""

from __future__ import annotations

import select
from collections.abc import Iterable, Sequence
from errno import EIO, EPIPE
from os import strerror

from zerocloud.zerovm.errors import ChannelCorrupted, ChannelError, PeerLost
from zerocloud.zerovm.framing import MAXIMUM_MESSAGE, FramingError, MessageReader, MessageWriter
from zerocloud.zerovm.hostchannel import HostChannel, Views
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zerovm.replicas import Agreement, NoSourceLeft


class NetworkChannel(HostChannel):
    """What both directions share. The descriptors stay the caller's: peers see the end message, or that there was none."""

    def __init__(self, line: ChannelLine, totals: memoryview) -> None:
        super().__init__(line, totals)
        self._failure: ChannelError | None = None

    def forget(self) -> None:
        """Nothing is this object's own."""

    def _lose(self, errno: int) -> OSError:
        """Remember that the session has failed, whatever the program makes of the error."""
        self._failure = self._failure or PeerLost(self.alias)
        return OSError(errno, strerror(errno))

    def _own_digest(self) -> bytes:
        return self._digest.hexdigest().encode() if self._digest else b""

    def _check(self, digest: bytes) -> bool:
        return not digest or not self._digest or digest == self._own_digest()

    def _read(self, views: Views) -> int:
        raise NotImplementedError

    def _write(self, views: Views) -> int:
        raise NotImplementedError


class NetworkReader(NetworkChannel):
    """A stream from one writer, read straight into the guest's memory."""

    def __init__(self, line: ChannelLine, totals: memoryview, descriptor: int) -> None:
        super().__init__(line, totals)
        self._source = MessageReader(descriptor)

    def poll_descriptor(self, writing: bool) -> int | None:
        """The socket, until the end has been seen."""
        return None if self._ended else self._source.descriptor

    def _read(self, views: Views) -> int:
        if self._failure:
            raise OSError(EIO, strerror(EIO))
        try:
            got = self._source.read(views)
        except (FramingError, OSError):
            raise self._lose(EIO) from None
        if not got and not self._check(self._source.digest):
            raise ChannelCorrupted(self.alias)
        return got

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Where something may still come."""
        return () if self._failure or self._source.ended else (self._source.descriptor,)

    def skip(self) -> None:
        """Take a part of what is left, which is there or about to come. Raises FramingError, OSError."""
        rest = [memoryview(bytearray(MAXIMUM_MESSAGE))]
        got = self._source.step(rest)
        if got and self._digest:
            self._hash(rest, got)

    def close(self, complete: bool) -> None:
        """Take what is left, so that the writer can finish; tell of a failure. Raises ChannelError."""
        if self._failure:
            raise self._failure
        if not complete or self._source.ended:
            return
        try:
            while self.descriptors:
                self.skip()
        except (FramingError, OSError):
            return  # what the program had no use for is lost with its writer, whose own session tells why
        if not self._check(self._source.digest):
            raise ChannelCorrupted(self.alias)


class ReplicaReader(NetworkChannel):
    """One stream out of several that should be equal."""

    def __init__(self, line: ChannelLine, totals: memoryview, descriptors: Sequence[int]) -> None:
        super().__init__(line, totals)
        self._sources = dict(enumerate(map(MessageReader, descriptors)))
        self._agreement = Agreement(len(descriptors))
        self._buffer = memoryview(bytearray(MAXIMUM_MESSAGE))
        self._ready = b""
        self._digests: dict[int, bytes] = {}

    def poll_descriptor(self, writing: bool) -> int | None:
        """One of the sockets; always ready while there are agreed bytes."""
        if self._ready or self._ended or not self._sources:
            return None
        return next(iter(self._sources.values())).descriptor

    def _read(self, views: Views) -> int:
        while not self._ready and not self._agreement.ended:
            try:
                self._ready = self._agreement.agreed(MAXIMUM_MESSAGE)
            except NoSourceLeft:
                raise self._lose(EIO) from None
            if not self._ready and not self._agreement.ended:
                self._listen()
        if self._agreement.ended and not self._ready:
            self._verify()
        return self._deliver(views)

    def _deliver(self, views: Views) -> int:
        start = 0
        for view in views:
            piece = self._ready[start : start + len(view)]
            view[: len(piece)] = piece
            start += len(piece)
        self._ready = self._ready[start:]
        return start

    def _listen(self) -> None:
        """Wait until some source has said something, and hear all that have."""
        poll = select.poll()
        numbers = {}
        for number, source in self._sources.items():
            if len(self._agreement.replicas[number].pending) <= MAXIMUM_MESSAGE:
                numbers[source.descriptor] = number
                poll.register(source.descriptor, select.POLLIN)
        assert numbers, "somebody has yet to speak"
        for descriptor, _ in poll.poll():
            self._hear(numbers[descriptor])

    def _hear(self, number: int) -> None:
        source = self._sources[number]
        try:
            got = source.step([self._buffer])
        except (FramingError, OSError):
            self._agreement.fail(number)
            del self._sources[number]
            return
        if got:
            self._agreement.take(number, self._buffer[:got])
        elif source.ended:
            self._agreement.end(number)
            del self._sources[number]
            if source.digest:
                self._digests[number] = source.digest

    def _verify(self) -> None:
        wrong = [number for number, digest in self._digests.items() if not self._check(digest)]
        for number in wrong:
            self._agreement.fail(number)
        if not any(replica.votes for replica in self._agreement.replicas):
            raise ChannelCorrupted(self.alias)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Where something may still come."""
        return () if self._failure else tuple(source.descriptor for source in self._sources.values())

    def skip(self) -> None:
        """Take a part of what is left, which is there or about to come."""
        self._listen()
        for replica in self._agreement.replicas:
            replica.pending.clear()

    def close(self, complete: bool) -> None:
        """Take what is left, so that all writers can finish; tell of a failure. Raises ChannelError."""
        if self._failure:
            raise self._failure
        while complete and self._sources:
            self.skip()


class NetworkWriter(NetworkChannel):
    """A stream to all replicas of its reader."""

    def __init__(self, line: ChannelLine, totals: memoryview, descriptors: Sequence[int]) -> None:
        super().__init__(line, totals)
        self._targets = [MessageWriter(descriptor) for descriptor in descriptors]

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Where the end is to be said."""
        return () if self._failure else tuple(target.descriptor for target in self._targets)

    def poll_descriptor(self, writing: bool) -> int | None:
        """The first socket."""
        return self._targets[0].descriptor if self._targets else None

    def _write(self, views: Views) -> int:
        for target in tuple(self._targets):
            try:
                target.write(views)
            except OSError:
                self._targets.remove(target)
        if not self._targets:
            raise self._lose(EPIPE)
        return sum(map(len, views))

    def close(self, complete: bool) -> None:
        """Send the end to whoever is still there; tell of a failure. Raises ChannelError."""
        if complete and not self._failure:
            for target in tuple(self._targets):
                try:
                    target.end(self._own_digest())
                except OSError:
                    self._targets.remove(target)
            if not self._targets:
                self._lose(EPIPE)
        if self._failure:
            raise self._failure


def make_room(channels: Iterable[HostChannel]) -> None:
    """Wait until the end of every stream that is written can be sent, and take meanwhile what comes on those that are read.

    Nodes that send to each other, and end without having read everything, would otherwise wait for each other.
    """
    poll = select.poll()
    waiting: set[int] = set()
    readers: dict[int, NetworkReader | ReplicaReader] = {}
    for channel in channels:
        if isinstance(channel, NetworkWriter):
            waiting.update(channel.descriptors)
        elif isinstance(channel, (NetworkReader, ReplicaReader)):
            readers |= dict.fromkeys(channel.descriptors, channel)
    for descriptor in waiting:
        poll.register(descriptor, select.POLLOUT)
    for descriptor in readers:
        poll.register(descriptor, select.POLLIN)
    while waiting:
        for descriptor, _ in poll.poll():
            if descriptor in waiting:
                waiting.remove(descriptor)
                poll.unregister(descriptor)
            elif not _skipped(readers[descriptor], descriptor):
                poll.unregister(descriptor)


def _skipped(reader: NetworkReader | ReplicaReader, descriptor: int) -> bool:
    """Take something from it; whether more may come there."""
    try:
        reader.skip()
    except (FramingError, OSError):
        return False
    return descriptor in reader.descriptors
