"""The guest's linear memory, as the calls see it: every access checked against its end before anything happens.

Addresses and lengths come from the guest as unsigned numbers; sums of them don't wrap in Python, so an end beyond the memory
is always seen. The view is made again only when an address lies past its end: memory grows, but never moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from .abi import IOVEC, U32, U64, Errno, WasiError

MAX_VECTORS = 1024
"""Buffers of one call, as Linux has it."""
MAX_TRANSFER = 0x7FFFF000
"""Bytes of one call, as Linux has it; what is beyond is a short transfer."""


class Memory:
    """A bounded view of guest memory. Out of bounds is always WasiError(FAULT)."""

    __slots__ = ("size", "view")

    def __init__(self, view: memoryview | None = None) -> None:
        self.view = memoryview(b"") if view is None else view
        self.size = len(self.view)

    def refresh(self) -> None:
        """Look whether the memory has grown, and set ``view`` and ``size``."""

    def span(self, address: int, size: int) -> memoryview:
        """``size`` bytes at ``address``."""
        end = address + size
        if end > self.size:
            self.refresh()
            if end > self.size:
                raise WasiError(Errno.FAULT)
        return self.view[address:end]

    def take(self, address: int, size: int) -> bytes:
        """A copy of ``size`` bytes."""
        return bytes(self.span(address, size))

    def check(self, address: int, size: int) -> None:
        """Make sure that an answer can be written there, before the call does anything."""
        if address + size > self.size:
            self.span(address, size)

    def put_u32(self, address: int, value: int) -> None:
        """Store 32 bits."""
        if address + 4 > self.size:
            self.span(address, 4)
        U32.pack_into(self.view, address, value)

    def put_u64(self, address: int, value: int) -> None:
        """Store 64 bits."""
        if address + 8 > self.size:
            self.span(address, 8)
        U64.pack_into(self.view, address, value)

    def put(self, layout: Struct, address: int, *values: int) -> None:
        """Store a structure."""
        if address + layout.size > self.size:
            self.span(address, layout.size)
        layout.pack_into(self.view, address, *values)

    def buffers(self, address: int, count: int) -> Sequence[memoryview]:
        """The buffers of an array of iovecs, empty ones left out.

        Raises WasiError: INVAL for more than MAX_VECTORS, FAULT where the array or a buffer lies outside.
        """
        if count == 1:
            if address + 8 > self.size:
                self.span(address, 8)
            start, size = IOVEC.unpack_from(self.view, address)
            end = start + size
            if end > self.size:
                self.span(start, size)
            return (self.view[start:end],) if size else ()
        if count > MAX_VECTORS:
            raise WasiError(Errno.INVAL)
        views, total = [], 0
        for start, size in IOVEC.iter_unpack(self.span(address, 8 * count)):
            view = self.span(start, size)
            if size:
                total += size
                if total > MAX_TRANSFER:
                    view = view[: size - (total - MAX_TRANSFER)]
                    total = MAX_TRANSFER
                    if not view:
                        continue
                views.append(view)
        return views
