"""How the two ends of a network channel prove to each other that they belong to the same job. Pure: bytes in, bytes out.

The writer connects and speaks first::

    writer -> reader   "ZVM1", writer's id, reader's id, ordinal, nonce W (32 bytes)
    reader -> writer   nonce R (32 bytes), HMAC-SHA256(token, "reader", ids, ordinal, W, R)
    writer -> reader   HMAC-SHA256(token, "writer", ids, ordinal, W, R)

Both proofs cover both fresh nonces, both ids and the role, so that none can be replayed, reflected or used for another pair
of nodes; the token itself never travels. ``ordinal`` counts the channels between the same two nodes. An id of 0 is that of a
peer known by its address only.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Callable
from typing import NamedTuple

NONCE = 32
PROOF = 32
_MAGIC = b"ZVM1"
_HELLO = struct.Struct(f"!4sIII{NONCE}s")


class HandshakeError(Exception):
    """The other side is not the peer of this job that it should be."""


class Pair(NamedTuple):
    """Whose channel it is: the two node ids, and which of the channels between them."""

    writer: int
    reader: int
    ordinal: int = 0


class _Handshake:
    """Takes bytes as they come. ``wanted`` is how many more to read at most, so that no byte of the channel's data is taken."""

    def __init__(self, token: bytes, step: Callable[[bytes], bytes], size: int) -> None:
        self._token = token
        self._step: Callable[[bytes], bytes] = step
        self._size = size
        self._received = b""
        self._nonces = b""
        self.pair: Pair | None = None
        self.done = False

    @property
    def wanted(self) -> int:
        """How many bytes to read next."""
        return self._size - len(self._received)

    def feed(self, data: bytes) -> bytes:
        """Take what was read, at most ``wanted`` bytes; return what is to be sent. Raises HandshakeError."""
        self._received += data
        if self.wanted:
            return b""
        message, self._received = self._received, b""
        return self._step(message)

    def _then(self, step: Callable[[bytes], bytes], size: int) -> None:
        self._step, self._size = step, size

    def _proof(self, role: bytes) -> bytes:
        assert self.pair is not None
        return hmac.digest(self._token, role + struct.pack("!III", *self.pair) + self._nonces, "sha256")

    def _check(self, role: bytes, proof: bytes) -> None:
        if not hmac.compare_digest(proof, self._proof(role)):
            raise HandshakeError("the peer does not know the token of this job")


class WriterHandshake(_Handshake):
    """The side that connects. Send :attr:`hello` first."""

    def __init__(self, token: bytes, pair: Pair) -> None:
        super().__init__(token, self._challenged, NONCE + PROOF)
        self.pair = pair
        self._nonces = secrets.token_bytes(NONCE)
        self.hello = _HELLO.pack(_MAGIC, *pair, self._nonces)

    def _challenged(self, message: bytes) -> bytes:
        self._nonces += message[:NONCE]
        self._check(b"reader", message[NONCE:])
        self.done = True
        return self._proof(b"writer")


class ReaderHandshake(_Handshake):
    """The side that is called. ``accepts`` says whether it waits for that pair; the pair is known after the hello."""

    def __init__(self, token: bytes, accepts: Callable[[Pair], bool]) -> None:
        super().__init__(token, self._greeted, _HELLO.size)
        self._accepts = accepts

    def _greeted(self, message: bytes) -> bytes:
        magic, writer, reader, ordinal, nonce = _HELLO.unpack(message)
        pair = Pair(writer, reader, ordinal)
        if magic != _MAGIC or not self._accepts(pair):
            raise HandshakeError("a hello that nobody waits for")
        self.pair = pair
        challenge = secrets.token_bytes(NONCE)
        self._nonces = nonce + challenge
        self._then(self._answered, PROOF)
        return challenge + self._proof(b"reader")

    def _answered(self, message: bytes) -> bytes:
        self._check(b"writer", message)
        self.done = True
        return b""
