"""How much of the local object a node sees: all of it, or its part of a ``split`` object (system map, section 6).

The borders of lines and records are found here, on the trusted side and in threads of their own, before the program exists;
its channel then is a window onto the object's own file.
"""

from __future__ import annotations

import os

from swift.common.concurrency import tpool

from zerocloud import wire
from zerocloud.objectquery.local_data import LocalData
from zerocloud.objectquery.refusal import Refusal
from zerocloud.sysmap import SliceTooLong, visible_range
from zerocloud.wire import SliceDescription
from zerocloud.zerovm.sources import Window


def window_of(part: SliceDescription | None, local: LocalData, most: int) -> Window | None:
    """What a channel on the local object shows of its file; None for all of it. ``most`` is how many bytes that may be.

    Raises :class:`Refusal`: 413 for more than that, 503 for an object that is another one than was split. The proxy then asks
    the next replica, which may have it.
    """
    if part is None:
        if local.size > most:
            raise Refusal(413, "Data object too large")
        return None
    path = local.place.path
    if part.etag and local.metadata.get("ETag") != part.etag:
        raise Refusal(409, f"Object {path} is not the one that was planned with", {wire.NOT_LOCAL: wire.MISSING})
    if local.size != part.size:
        reason = f"Object {path} has {local.size} bytes here, and had {part.size} when the job was planned"
        raise Refusal(503, reason)
    assert local.file is not None
    number = local.file.fileno()

    def read(offset: int, length: int) -> bytes:
        data: bytes = tpool.execute(os.pread, number, length, offset)
        return data

    try:
        return Window(*visible_range(read, part.start, part.end, part.size, part.separator.encode(), most))
    except SliceTooLong:
        where = f"the part of {path} from byte {part.start} to {part.end}"
        raise Refusal(413, f"With its last record, {where} has more than {most} bytes") from None
