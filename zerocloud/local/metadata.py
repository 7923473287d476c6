"""What Swift keeps of an object beside its bytes. Files have room for that in an extended attribute, where there are any."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

import simplejson

ATTRIBUTE = "user.zerocloud"
CONTENT_TYPE = "Content-Type"
META = "x-object-meta-"
UNKNOWN = "application/octet-stream"
ZIPPED = "application/x-gzip"
TYPES = {".zapp": ZIPPED, ".md": "text/markdown", ".parquet": "application/vnd.apache.parquet"}
PIECE = 1 << 20
MOST_DIGESTS = 4096


def guessed_type(name: str) -> str:
    """The type that an object's name tells."""
    own = TYPES.get(os.path.splitext(name)[1].lower())
    kind, encoding = mimetypes.guess_type(name)
    return own or (ZIPPED if encoding == "gzip" else kind or UNKNOWN)


def read(file: IO[bytes], name: str) -> dict[str, str]:
    """An open object's type and metadata, as headers."""
    kept: dict[str, str] = {}
    with suppress(OSError, ValueError):
        kept = dict(simplejson.loads(os.getxattr(file.fileno(), ATTRIBUTE)))
    return {CONTENT_TYPE: guessed_type(name), **kept}


def write(file: int | str, headers: Mapping[str, str]) -> None:
    """Keep these headers; lost where the file system has no attributes, as most of those in memory."""
    with suppress(OSError):
        os.setxattr(file, ATTRIBUTE, simplejson.dumps(dict(headers)).encode())


class Digests:
    """The MD5 of files, as ETags: each is read once for as long as it stays as it is."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, ...], str] = OrderedDict()

    def of(self, file: IO[bytes]) -> str:
        """In hexadecimal; the file is at its beginning afterwards."""
        key = _identity(file)
        if key not in self._known:
            md5 = hashlib.md5(usedforsecurity=False)
            while piece := file.read(PIECE):
                md5.update(piece)
            file.seek(0)
            self.tell(file, md5.hexdigest())
        return self._known[key]

    def tell(self, file: IO[bytes], digest: str) -> None:
        """It is known already."""
        self._known[_identity(file)] = digest
        while len(self._known) > MOST_DIGESTS:
            self._known.popitem(last=False)


def _identity(file: IO[bytes]) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
