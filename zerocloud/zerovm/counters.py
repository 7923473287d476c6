"""What a session has moved so far, in a place that outlives it: shared memory that the parent can read after a kill."""

from __future__ import annotations

from zerocloud.zerovm.report import Accounting

FIELDS = 9
SIZE = 8 * FIELDS
"""Bytes: operations and bytes read and written, on files and on the network, and instructions, as native 64-bit numbers."""


class Counters:
    """The counters of a session. ``buffer`` has :data:`SIZE` bytes or more; without one the counters are private.

    ``files`` and ``network`` are views of four numbers each: reads, bytes read, writes, bytes written. Instructions are counted
    where the manifest limits them, and are known once the guest has ended by itself.
    """

    def __init__(self, buffer: memoryview | bytes | None = None) -> None:
        values = memoryview(bytearray(SIZE) if buffer is None else buffer)[:SIZE].cast("B").cast("Q")
        self._values = values
        self.files = values[:4]
        self.network = values[4:8]

    @property
    def fuel(self) -> int:
        """Instructions executed."""
        return int(self._values[8])

    @fuel.setter
    def fuel(self, used: int) -> None:
        self._values[8] = used

    def accounting(self, system_time: float = 0.0, user_time: float = 0.0) -> Accounting:
        """The call detail record as it stands, with CPU times in seconds."""
        return Accounting(system_time, user_time, *self._values[:8].tolist())
