"""A node's answer: its outputs as a tar stream with pax headers, never whole in memory (executing server, section 10)."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from swift.common.concurrency import sleep

BLOCK = 512
CHUNK = 65536
CONTENT_TYPE = "application/x-gtar"


@dataclass(frozen=True)
class Output:
    """What one device wrote: ``size`` bytes of ``file`` from ``start`` on, and the headers that describe them."""

    device: str
    file: io.FileIO
    start: int
    size: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self) -> bytes:
        """The member's header blocks, with its records in a pax header. Every text may be in them."""
        member = tarfile.TarInfo(self.device)
        member.size = self.size
        member.pax_headers = {
            "Content-Length": str(self.size),
            "Content-Type": "application/octet-stream",
            "X-Zerovm-Device": self.device,
            **{record_name(name): value for name, value in self.headers.items()},
        }
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, then zeros up to the next block."""
        position, left = self.start, self.size
        while left:
            data = os.pread(self.file.fileno(), min(CHUNK, left), position)
            if not data:
                raise OSError(f"the output of device {self.device} became {left} bytes shorter while it was sent")
            position += len(data)
            left -= len(data)
            yield data
        yield bytes(-self.size % BLOCK)


def record_name(header: str) -> str:
    """A header's name as that of a pax record, each part capitalized.

    A program that writes a header ``size``, ``path`` or ``GNU.sparse.map`` would otherwise change what readers of the archive
    take for its members.
    """
    return "-".join(part.capitalize() for part in header.split("-"))


class OutputStream:
    """The answer's body, as WSGI wants it: an iterable with a length known beforehand, whose ``close`` calls ``release``."""

    def __init__(self, outputs: tuple[Output, ...], release: Callable[[], None]) -> None:
        self._parts = [(output.header(), output) for output in outputs]
        self._release = release

    @property
    def length(self) -> int:
        """How many bytes there will be."""
        return sum(len(header) + output.size + -output.size % BLOCK for header, output in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        for header, output in self._parts:
            yield header
            for chunk in output.chunks():
                yield chunk
                sleep(0)  # a client that is faster than we are would never make this thread wait, and so nobody else run

    def close(self) -> None:
        """Release the outputs, sent or not."""
        self._release()
