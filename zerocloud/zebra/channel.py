"""What the supervisor and whoever started it say to each other, one JSON object a line over a socket pair.

The supervisor reports; the other side may let it go (``detach``). If the other side ends without having done so, in whatever
way, the supervisor shuts the Zebra down: nobody is left who could.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import simplejson

from zerocloud.zebra.errors import StartFailed

DETACH = b"detach\n"
_CHUNK = 65536


class Reporter:
    """The supervisor's end. A reader that is slow or gone never holds it up."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self.connected = connected
        self.tied = True

    def tell(self, event: str, **details: Any) -> None:
        """Send one event."""
        line = simplejson.dumps({"event": event, **details}) + "\n"
        with contextlib.suppress(OSError):
            self.connected.sendall(line.encode())

    def hears_end(self) -> bool:
        """Read what the other side has said; True if it has gone without letting the Zebra go."""
        try:
            text = self.connected.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            text = b""
        if DETACH in text:
            self.tied = False
        return self.tied and not text


class Listener:
    """The starter's end."""

    def __init__(self, connected: socket.socket) -> None:
        self._connected = connected
        self._text = b""

    def events(self, deadline: float) -> Iterator[dict[str, Any]]:
        """Events as they come, until the supervisor ends. Raises StartFailed at the ``deadline`` (time.monotonic)."""
        while True:
            line, found, rest = self._text.partition(b"\n")
            if found:
                self._text = rest
                yield simplejson.loads(line)
                continue
            chunk = self._receive(deadline)
            if not chunk:
                return
            self._text += chunk

    def waiting(self) -> list[dict[str, Any]]:
        """The events that have come already."""
        self._connected.setblocking(False)
        with contextlib.suppress(OSError):
            while chunk := self._connected.recv(_CHUNK):
                self._text += chunk
        *lines, self._text = self._text.split(b"\n")
        return [simplejson.loads(line) for line in lines]

    def _receive(self, deadline: float) -> bytes:
        self._connected.settimeout(max(0.01, deadline - time.monotonic()) if deadline != float("inf") else None)
        try:
            return self._connected.recv(_CHUNK)
        except TimeoutError:
            raise StartFailed("the Zebra did not start in time") from None
        except ConnectionError:
            return b""

    def detach(self) -> None:
        """Let the Zebra run on without this process."""
        self._connected.sendall(DETACH)

    def close(self) -> None:
        """Hang up: ends a Zebra that was not let go."""
        self._connected.close()
