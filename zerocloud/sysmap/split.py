"""Where the records of a split object begin: shared by all who read a slice. Source: system map, section 6."""

from __future__ import annotations

from collections.abc import Callable

_BLOCK = 65536


def record_start(read: Callable[[int, int], bytes], offset: int, size: int, separator: bytes) -> int:
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
