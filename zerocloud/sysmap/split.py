"""Where the records of a split object begin: shared by all who read a slice. Source: system map, section 6."""

from __future__ import annotations

from collections.abc import Callable

Read = Callable[[int, int], bytes]
"""``read(offset, length)``: the bytes of an object there, fewer only at its end."""

_BLOCK = 65536


class SliceTooLong(Exception):
    """More bytes would belong to a slice than may be read, since its last record is too long."""


def visible_range(read: Read, start: int, end: int, size: int, separator: bytes, most: int) -> tuple[int, int]:
    """The bytes (start, end) that a node sees whose slice of an object of ``size`` bytes is ``start`` to ``end``.

    Without a separator they are the slice. Otherwise they are the records that begin in it: seen over all slices, every
    record once. Costs little more than reading every slice once in all: the first record's start is looked for in the slice
    only, and a record that goes on through several slices is read on by the one in which it begins. Raises SliceTooLong if
    they are more than ``most`` bytes.
    """
    first, last = start, end
    if separator:
        first = record_start(read, start, end, separator)
        if first >= end:
            return end, end
        last = record_start(read, end, min(size, first + most + 1), separator)
    if last - first > most:
        raise SliceTooLong
    return first, last


def record_start(read: Read, offset: int, size: int, separator: bytes) -> int:
    """The first byte at or after ``offset`` with which a record begins; ``size`` if none does.

    ``read(offset, length)`` gives the bytes there, fewer only at the object's end; ``size`` is the object's size. A record
    begins at 0 and right after each ``separator``. Both neighbours of a border call this with the same offset, so what one
    leaves the other takes.
    """
    if offset <= 0:
        return 0
    position = max(0, offset - len(separator))
    kept = b""
    while position < size:
        block = read(position, min(_BLOCK, size - position))
        if not block:
            break
        kept += block
        found = kept.find(separator)
        if found >= 0:
            return min(size, position + len(block) - len(kept) + found + len(separator))
        position += len(block)
        kept = kept[max(0, len(kept) - len(separator) + 1) :]
    return size
