"""What a session has moved so far, in a place that outlives it: shared memory that the parent can read after a kill."""

from __future__ import annotations

from zerocloud.zerovm.report import Accounting

FIELDS = 8
SIZE = 8 * FIELDS
"""Bytes: operations and bytes read and written, on files and on the network, as native 64-bit numbers."""


class Counters:
    """The eight counters of a session. ``buffer`` has :data:`SIZE` bytes or more; without one the counters are private.

    ``files`` and ``network`` are views of four numbers each: reads, bytes read, writes, bytes written.
    """

    def __init__(self, buffer: memoryview | bytes | None = None) -> None:
        values = memoryview(bytearray(SIZE) if buffer is None else buffer)[:SIZE].cast("B").cast("Q")
        self._values = values
        self.files = values[:4]
        self.network = values[4:]

    def accounting(self, system_time: float = 0.0, user_time: float = 0.0) -> Accounting:
        """The call detail record as it stands, with CPU times in seconds."""
        return Accounting(system_time, user_time, *self._values.tolist())
