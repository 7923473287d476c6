"""Walks a tar archive member by member, without trusting a byte of it and without holding it.

The standard library parses each header block (:meth:`tarfile.TarInfo.frombuf`); the walk itself is ours, because
``tarfile`` reads a header's extensions whole, however large they say they are, follows negative sizes, and seeks.
Plain tar, ustar, GNU long names and large sizes, and the ``path`` and ``size`` records of pax are understood.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

BLOCK = 512
CHUNK = 65536
MOST_EXTENSION = 65536
MOST_EXTENSIONS = 8

_WITHOUT_DATA = frozenset(
    (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
)
_REGULAR = frozenset((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE))
_PAX = frozenset((tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE))
_SKIPPED_EXTENSION = frozenset((tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK))


class TarError(ValueError):
    """Not a tar archive, or one that can't be walked. The text says what is wrong with it."""


class Source(Protocol):
    """Where the archive's bytes come from."""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        ...

    def skip(self, size: int) -> None:
        """Leave ``size`` bytes out."""
        ...


class FileSource:
    """An archive in an open file, read at positions of its own."""

    def __init__(self, read_at: Callable[[int, int], bytes], position: int = 0) -> None:
        self._read_at = read_at
        self.position = position

    def at(self, position: int) -> FileSource:
        """The same archive, read from another position on."""
        return FileSource(self._read_at, position)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes from the current position on."""
        data = self._read_at(size, self.position)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        """Move the position."""
        self.position += size


@dataclass
class Member:
    """One member, whose data may be read while the walk stands at it."""

    name: str
    size: int
    regular: bool
    _source: Source = field(repr=False)
    _left: int = 0

    def __post_init__(self) -> None:
        self._left = self.size

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Its data, in pieces of at most ``size`` bytes. Raises TarError if the archive ends before it."""
        while self._left:
            data = self._source.read(min(size, self._left))
            if not data:
                raise TarError(f"the archive ends inside its member {self.name!r}, {self._left} bytes before the member's end")
            self._left -= len(data)
            yield data

    def leave(self) -> None:
        """Go past what was not read of it, and past its padding."""
        self._source.skip(self._left + -self.size % BLOCK)
        self._left = 0


def walk(source: Source) -> Iterator[Member]:
    """Every member in order of the archive, up to its end marker or the end of the source. Raises TarError."""
    extensions: dict[str, str] = {}
    count = 0
    while (header := _header(source)) is not None:
        if header.type in _PAX or header.type == tarfile.GNUTYPE_LONGNAME or header.type in _SKIPPED_EXTENSION:
            count += 1
            if count > MOST_EXTENSIONS:
                raise TarError(f"a member has more than {MOST_EXTENSIONS} extension headers")
            extensions.update(_extension(header, source))
            continue
        member = _member(header, extensions, source)
        extensions, count = {}, 0
        yield member
        member.leave()


def _header(source: Source) -> tarfile.TarInfo | None:
    block = _read_exactly(source, BLOCK)
    if not block or block == bytes(BLOCK):
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise TarError(f"not a tar archive: {error}") from None
    if header.size < 0:
        raise TarError(f"a member's size is negative: {header.size}")
    return header


def _read_exactly(source: Source, size: int) -> bytes:
    parts = []
    while size and (data := source.read(size)):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def _extension(header: tarfile.TarInfo, source: Source) -> dict[str, str]:
    if header.size > MOST_EXTENSION:
        raise TarError(f"an extension header has {header.size} bytes; the limit is {MOST_EXTENSION}")
    data = _read_exactly(source, header.size)
    if len(data) < header.size:
        raise TarError("the archive ends inside an extension header")
    source.skip(-header.size % BLOCK)
    if header.type in _SKIPPED_EXTENSION:
        return {}
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
    return _pax_records(data)


def _pax_records(data: bytes) -> dict[str, str]:
    """The records ``length key=value\\n`` of POSIX.1-2001 pax."""
    records = {}
    while data.strip(b"\0"):
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not len(length) + 3 <= int(length) <= len(data):
            raise TarError("an extension header's records are garbled")
        record, end = data[len(length) + 1 : int(length) - 1], data[int(length) - 1 : int(length)]
        if end != b"\n":
            raise TarError("an extension header's records are garbled")
        key, _, value = record.partition(b"=")
        records[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        data = data[int(length) :]
    return records


def _member(header: tarfile.TarInfo, extensions: dict[str, str], source: Source) -> Member:
    size = header.size
    if "size" in extensions:
        if not extensions["size"].isascii() or not extensions["size"].isdigit() or len(extensions["size"]) > 18:
            raise TarError(f"a member's size is not a number: {extensions['size'][:40]!r}")
        size = int(extensions["size"])
    if header.type in _WITHOUT_DATA:
        size = 0
    sparse = any(key.startswith("GNU.sparse") for key in extensions)
    regular = header.type in _REGULAR and not sparse
    return Member(extensions.get("path", header.name), size, regular, source)
