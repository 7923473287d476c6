"""Reading a tar archive's table of contents in place: plain, ustar, GNU and PAX, and any of them compressed with gzip.

An archive is input from a stranger. It is read one header at a time, without recursion and without holding what it claims:
every size is compared with the archive's own before it is believed. What is damaged, or can't be shown truly (sparse files,
parts of archives of several volumes), raises :class:`ImageError`, with the offset in bytes.

Source: POSIX pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar's manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from .clock import MAX_TIME, SECOND
from .errors import ImageError
from .nodes import BufferContent, Content, DescriptorContent

BLOCK = 512
MAX_EXTENDED = 1 << 20
"""Bytes of one extended header, or long name."""
CHUNK = 1 << 16

_ZERO = bytes(BLOCK)
_OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]*\Z")
_DECIMAL = re.compile(rb"(\d{1,20})(?:\.(\d*))?\Z")
_PAX_LENGTH = re.compile(rb"(\d{1,7}) ")
_COMPRESSED = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_GZIP = b"\x1f\x8b"


class Kind(Enum):
    """What a member is. OTHER is a device, a pipe, a label: left out of any tree."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMBOLIC_LINK = "symbolic link"
    HARD_LINK = "hard link"
    OTHER = "other"


_KINDS = {
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMBOLIC_LINK,
    b"3": Kind.OTHER,
    b"4": Kind.OTHER,
    b"5": Kind.DIRECTORY,
    b"6": Kind.OTHER,
    b"V": Kind.OTHER,
}
"""By type flag; these have no data whatever their size says. All others are files, as POSIX asks."""
_WITH_DATA = {b"D": Kind.DIRECTORY, b"N": Kind.OTHER}
_REFUSED = {b"S": "a sparse file", b"M": "a part of an archive of several volumes"}


@dataclass(frozen=True, slots=True)
class Member:
    """One name of an archive, not yet checked for where it leads. ``when`` is in nanoseconds, ``offset`` that of its data."""

    name: bytes
    kind: Kind
    offset: int = 0
    size: int = 0
    when: int = 0
    target: bytes = b""


@dataclass(frozen=True)
class Index:
    """An archive that has been read through: its members, and where their data is."""

    members: tuple[Member, ...]
    content: Content


def read_index(fd: int, size: int) -> Index:
    """Read the archive of ``size`` bytes on descriptor ``fd``. Raises ImageError, OSError.

    For images that many guests share: made once, given to each in its :class:`zerocloud.zrt.world.Mount`.
    """
    content, size = open_archive(fd, size, lambda count: None)
    return Index(tuple(members(content, size)), content)


def open_archive(fd: int, size: int, take: Callable[[int], None]) -> tuple[Content, int]:
    """The archive's bytes and how many. One that is compressed is inflated into memory; ``take`` is asked for each piece."""
    content = DescriptorContent(fd)
    start = _read(content, 0, min(size, 8))
    for magic, name in _COMPRESSED.items():
        if start.startswith(magic):
            raise ImageError(f"the image is compressed with {name}; a tar archive or one compressed with gzip is expected")
    if not start.startswith(_GZIP):
        return content, size
    inflated = _inflate(content, size, take)
    return BufferContent(inflated), len(inflated)


def _read(content: Content, offset: int, size: int) -> bytes:
    data = bytearray(size)
    got = 0
    with memoryview(data) as view:
        while got < size:
            count = content.pread([view[got:]], offset + got)
            if not count:
                raise ImageError(f"the archive ends at byte {offset + got}, in the midst of {size} bytes at {offset}")
            got += count
    return bytes(data)


def _inflate(content: Content, size: int, take: Callable[[int], None]) -> bytearray:
    inflated, engine, rest, offset = bytearray(), zlib.decompressobj(wbits=31), b"", 0
    while True:
        if not rest and offset < size:
            rest = _read(content, offset, min(CHUNK, size - offset))
            offset += len(rest)
        if engine.eof:
            if not rest.strip(b"\0") and offset == size:
                return inflated
            engine = zlib.decompressobj(wbits=31)
        elif not rest:
            raise ImageError(f"the image's gzip stream is cut off at its end, byte {size}")
        try:
            piece = engine.decompress(rest, CHUNK)
        except zlib.error as error:
            raise ImageError(f"the image's gzip stream is damaged before byte {offset}: {error}") from None
        rest = engine.unused_data if engine.eof else engine.unconsumed_tail
        take(len(piece))
        inflated += piece


def members(content: Content, size: int) -> Iterator[Member]:
    """Each member in order. Raises ImageError where the archive is damaged."""
    offset = 0
    always: dict[bytes, bytes] = {}
    extended: dict[bytes, bytes] = {}
    while offset < size:
        header = _Header.read(content, offset, size)
        if header is None:
            break
        if header.flag in b"xXgLK":
            text = _extension(content, header, size)
            (always if header.flag == b"g" else extended).update(text)
            offset = header.offset + _padded(header.size)
            continue
        member, after = _member(header, {**always, **extended}, size)
        extended = {}
        yield member
        offset = after


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


@dataclass(frozen=True)
class _Header:
    """One header block's fields; ``offset`` is where its data begins."""

    offset: int
    name: bytes
    size: int
    when: int
    flag: bytes
    target: bytes

    @classmethod
    def read(cls, content: Content, offset: int, end: int) -> _Header | None:
        """Read the block at ``offset``; None for the archive's end mark."""
        if offset + BLOCK > end:
            raise ImageError(f"the archive ends at byte {end}, in the midst of the header at {offset}")
        block = _read(content, offset, BLOCK)
        if block == _ZERO:
            return None
        _check_sum(block, offset)
        name = _text(block[:100])
        if block[257:263] == b"ustar\0" and block[345]:
            name = _text(block[345:500]) + b"/" + name
        size = _number(block[124:136])
        if size < 0:
            raise ImageError(f"the archive's header at byte {offset} has no size that makes sense")
        when = min(max(0, _number(block[136:148])) * SECOND, MAX_TIME)
        return cls(offset + BLOCK, name, size, when, block[156:157], _text(block[157:257]))


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """A number in octal or in base 256; -1 for anything else, and for negative ones."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    match = _OCTAL.match(field)
    if match is None:
        return -1
    return int(match[1], 8) if match[1] else 0


def _check_sum(block: bytes, offset: int) -> None:
    """The sum of a header's bytes, its own field taken for blanks; some old archivers took bytes for signed."""
    said = _number(block[148:156])
    unsigned = sum(block) - sum(block[148:156]) + 8 * 0x20
    if said != unsigned and said != unsigned - 256 * sum(byte > 127 for byte in block[:148] + block[156:]):
        what = "is not a tar archive" if not offset else f"is damaged at byte {offset}"
        raise ImageError(f"the image {what}: the header's checksum is wrong")


def _extension(content: Content, header: _Header, end: int) -> dict[bytes, bytes]:
    """What an extended header says of the next member, by PAX's keys."""
    if header.size > MAX_EXTENDED:
        raise ImageError(
            f"the extended header before byte {header.offset} has {header.size} bytes, at most {MAX_EXTENDED} are allowed"
        )
    if header.offset + header.size > end:
        raise ImageError(f"the extended header before byte {header.offset} goes beyond the archive's end, byte {end}")
    text = _read(content, header.offset, header.size)
    if header.flag == b"L":
        return {b"path": _text(text)}
    if header.flag == b"K":
        return {b"linkpath": _text(text)}
    return _pax(text, header.offset)


def _pax(text: bytes, offset: int) -> dict[bytes, bytes]:
    """The records ``length key=value`` of a PAX header."""
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(text) and text[position]:
        match = _PAX_LENGTH.match(text, position)
        end = position + int(match[1]) if match else 0
        if match is None or end > len(text) or end <= match.end() or text[end - 1] != 0x0A:
            raise ImageError(f"the extended header at byte {offset} is damaged, {position} bytes in")
        key, equals, value = text[match.end() : end - 1].partition(b"=")
        if not equals:
            raise ImageError(f"the extended header at byte {offset} has a record without '=', {position} bytes in")
        if key.startswith(b"GNU.sparse."):
            raise ImageError(f"the member after byte {offset} is a sparse file: make the archive without --sparse")
        records[key] = value
        position = end
    return records


def _member(header: _Header, extended: dict[bytes, bytes], end: int) -> tuple[Member, int]:
    """A header and what was said of it before as a member, and where the next header is."""
    name, size, when = extended.get(b"path", header.name), header.size, header.when
    shown = name[:100].decode(errors="backslashreplace")
    if header.flag in _REFUSED:
        raise ImageError(f"the image's member {shown} is {_REFUSED[header.flag]}, which can't be mounted")
    if b"size" in extended:
        match = _DECIMAL.match(extended[b"size"])
        if match is None:
            raise ImageError(f"the image's member {shown} has no size that makes sense")
        size = int(match[1])
    if match := _DECIMAL.match(extended.get(b"mtime", b"")):
        when = min(int(match[1]) * SECOND + int((match[2] or b"")[:9].ljust(9, b"0")), MAX_TIME)
    kind = _KINDS.get(header.flag)
    if kind is None:
        kind = _WITH_DATA.get(header.flag, Kind.DIRECTORY if name.endswith(b"/") else Kind.FILE)
    else:
        size = 0
    if header.offset + size > end:
        raise ImageError(f"the image's member {shown} of {size} bytes goes beyond the archive's end, byte {end}")
    target = extended.get(b"linkpath", header.target)
    return Member(name, kind, header.offset, size, when, target), header.offset + _padded(size)
