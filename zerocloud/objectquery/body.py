"""The request's body as a bounded stream: what it may weigh and how long it may take (executing server, section 2)."""

from __future__ import annotations

import time
from typing import Any

from swift.common.concurrency import ChunkReadError, Timeout, sleep

from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.settings import Settings


class Body:
    """Reads a request's body; the first read lets the client go on (100 Continue).

    Each method raises :class:`Refusal`: 413 beyond ``max_input`` bytes, 408 if a read takes longer than ``client_timeout`` or
    all of them longer than ``max_upload_time``, 499 if the client ends before it has sent what it declared.
    """

    def __init__(self, stream: Any, declared: int | None, settings: Settings) -> None:
        self._stream = stream
        self._declared = declared
        self._settings = settings
        self._deadline = time.monotonic() + settings.max_upload_time
        self.received = 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        limit = min(self._settings.client_timeout, self._deadline - time.monotonic())
        try:
            with Timeout(max(limit, 0)):
                data: bytes = self._stream.read(size)
        except Timeout:
            raise Refusal(408, f"The request's body came too slowly: {self.received} bytes, then nothing in time") from None
        except (OSError, ChunkReadError):
            raise Refusal(499, f"The client left after {self.received} bytes of the request's body") from None
        sleep(0)  # a client that is faster than we are would never make this thread wait, and so nobody else run
        self.received += len(data)
        if self.received > self._settings.max_input:
            raise Refusal(413, "RPC request too large")
        if not data and self._declared is not None and self.received < self._declared:
            raise Refusal(499, f"The request's body ended after {self.received} of {self._declared} bytes")
        return data

    def skip(self, size: int) -> None:
        """Read ``size`` bytes and forget them."""
        while size and (data := self.read(min(size, self._settings.chunk_size))):
            size -= len(data)

    def drain(self) -> None:
        """Read to the end."""
        while self.read(self._settings.chunk_size):
            pass
