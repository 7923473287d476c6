"""SHA-256 of programs, in pieces so that the loop goes on, and remembered for files that have not changed since.

A file is known by device, inode, size and its times of change. As with version control's index, a file changed less than two
seconds before it was read is not remembered: within one tick of the clock a second change would not show.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import OrderedDict

PIECE_BYTES = 1 << 20
_SETTLED_SECONDS = 2.0
_REMEMBERED = 1000

_Identity = tuple[int, int, int, int, int]


class Digests:
    """The digests of files seen before."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Identity, str] = OrderedDict()

    def find(self, descriptor: int) -> str | None:
        """The digest of this file, if it is known and the file has not changed."""
        identity, _ = _identity(descriptor)
        if identity in self._known:
            self._known.move_to_end(identity)
        return self._known.get(identity)

    def begin(self, descriptor: int) -> Digesting:
        """Start to read a file; its digest is remembered at the end."""
        return Digesting(self, descriptor)

    def remember(self, identity: _Identity, digest: str) -> None:
        """Keep a digest, the least used one goes."""
        self._known[identity] = digest
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


class Digesting:
    """One file on its way to its digest. The descriptor stays the caller's, and its position is left alone."""

    def __init__(self, digests: Digests, descriptor: int) -> None:
        self._digests = digests
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self._offset = 0
        self._identity, changed = _identity(descriptor)
        self._settled = time.time() - changed > _SETTLED_SECONDS

    def step(self) -> str | None:
        """Read the next piece; the digest in hexadecimal once all is read. Raises OSError."""
        piece = os.pread(self._descriptor, PIECE_BYTES, self._offset)
        self._hash.update(piece)
        self._offset += len(piece)
        if len(piece) == PIECE_BYTES:
            return None
        digest = self._hash.hexdigest()
        if self._settled and _identity(self._descriptor)[0] == self._identity:
            self._digests.remember(self._identity, digest)
        return digest


def _identity(descriptor: int) -> tuple[_Identity, float]:
    status = os.fstat(descriptor)
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return identity, max(status.st_ctime, status.st_mtime)
