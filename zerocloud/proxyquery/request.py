"""The one form that every way in turns a request into: a map, perhaps an image, perhaps a payload, and a CGI environment."""

from __future__ import annotations

import math
import os
import socket
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from .errors import JobError
from .intake import NOTHING, Brought
from .settings import Settings

TIMEOUT = "X-Zerovm-Timeout"
PAYLOAD = "zerocloud.payload"
"""In a request's environment, from a filter to the left: what is left of a client's body, with ``remaining`` and ``read``."""
ZAPP = "zerocloud.zapp"
"""The same: the object (SwiftPath) that the job before in a chain came from, with whose leave this one runs, too."""
PREVIOUS = "zerocloud.previous"
"""The same: the id of the job before in a chain."""


@dataclass(frozen=True)
class JobRequest:
    """A job as it is asked for. ``document`` is the map's JSON value; names are native strings; ``timeout`` is in seconds.

    Whoever runs the job closes what it has ``brought``.
    """

    account: str
    document: Any
    environment: Mapping[str, str]
    timeout: float
    brought: Brought = NOTHING


def asked_timeout(header: str | None, settings: Settings) -> float:
    """The job's time limit in seconds: the server's default, or what the client asks for. Raises JobError (400)."""
    if header is None:
        return settings.timeout
    try:
        seconds = float(header)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= settings.maximum_timeout:
        raise JobError(400, f"{TIMEOUT}: {header[:40]}: expected seconds, more than 0 and at most {settings.maximum_timeout:g}")
    return seconds


class JobIds:
    """Ids that sort by time: milliseconds since 1970, host and process, a counter, in hexadecimal digits of fixed number."""

    def __init__(self) -> None:
        host = zlib.crc32(f"{socket.gethostname()}-{os.getpid()}".encode()) & 0xFFF
        self._host = f"{host:03x}"
        self._counter = count()

    def new(self) -> str:
        """The next id."""
        return f"{int(time.time() * 1000):011x}{self._host}{next(self._counter) & 0xFFF:03x}"


def created(job: str) -> float:
    """When a job's id was made: Unix time. Raises ValueError for what is no id."""
    return int(job[:11], 16) / 1000
