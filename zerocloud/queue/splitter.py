"""Which of several requests may change a message: a *splitter*, the mutual exclusion that registers can do.

Swift has no atomic test-and-set. A conditional PUT (``If-None-Match: *``) asks the object servers first and writes
afterwards, so two of them at a time may both succeed; a COPY followed by a DELETE is no better. What Swift has are
registers that everybody may write: objects, written to most replicas and read from all of them. Lamport's fast mutual
exclusion (1987) and Moir and Anderson's splitter (1995) make two of them suffice to let **at most one** of any number of
contenders pass, without clocks and without waiting. Every contender does, with a token of its own::

    1.  X := token
    2.  if Y is closed: lost.  Y := closed
    3.  if X = token: won, else lost

*Why at most one wins.* Let P and Q both win, and let the value of P in X be the older one. P found its own token in step 3,
so Q's step 1 was not done yet when that reading began; P's step 2 was. So P had closed Y before Q came to its step 2, and Q
has lost. (Which value in X is older, Swift decides by the proxies' clocks. The proof holds whatever they say.) The
conditional PUT does both halves of step 2: the servers that it writes to look first, and any two majorities of them share
one.

*Names.* There is a splitter for each entry, and an entry is never used again. The winner moves the message to another
entry, then deletes the old entry and its registers. Whoever comes too late may win that splitter once more, and finds that
the message has moved on: winners look at it before they change anything.

*Nobody may win*: each of two contenders may have disturbed the other. Then, and when a winner dies, the registers expire
after three times the patience, and the entry can be tried again. For that to be safe an attempt that isn't through within
its patience counts as lost, whatever becomes of it. To make it rare, contenders first draw a number from the cache, if
there is one (memcached's ``incr`` is atomic), and only the first of each entry goes on. Nothing but speed depends on the
cache.
"""

from __future__ import annotations

import secrets
from typing import Any, Protocol

from swift.common.memcached import MemcacheConnectionError

LIFETIMES = 3
"""How long registers live, in patiences: two more than an attempt may take, for clocks that differ."""


class Registers(Protocol):
    """Registers by name, of which every reader sees every write that was acknowledged before."""

    def write_register(self, name: str, value: str, lifetime: int) -> bool:
        """Write for ``lifetime`` seconds; False if something later was written meanwhile."""

    def close_register(self, name: str, lifetime: int) -> bool:
        """Write, unless something has been written; False then."""

    def read_register(self, name: str) -> str | None:
        """The value, or None."""

    def delete_register(self, name: str) -> None:
        """Forget the value."""


def registers_of(key: str) -> tuple[str, str]:
    """The names of X and Y."""
    return f"x/{key}", f"y/{key}"


def win(registers: Registers, key: str, patience: int) -> bool:
    """Contend for ``key``: True for at most one contender until the registers are deleted or have expired.

    ``patience`` is in seconds; who wins has that long, from before the call on, to make use of it.
    """
    last, door = registers_of(key)
    token, lifetime = secrets.token_hex(16), patience * LIFETIMES
    return (
        registers.write_register(last, token, lifetime)
        and registers.close_register(door, lifetime)
        and registers.read_register(last) == token
    )


class Turns:
    """Draws numbers from the cache, so that contenders rarely meet at a splitter."""

    def __init__(self, cache: Any, prefix: str, patience: int) -> None:
        """``cache`` is Swift's memcached client, or None; ``prefix`` names the queue."""
        self._cache = cache
        self._prefix = prefix
        self._lifetime = patience * (LIFETIMES + 1)  # once it is over, the registers have expired as well

    def first(self, key: str) -> bool:
        """Whether nobody has tried this key lately. True if that can't be known."""
        if self._cache is None:
            return True
        try:
            number = self._cache.incr(f"zero_queue/{self._prefix}/{key}", time=self._lifetime)
        except MemcacheConnectionError:
            return True
        return int(number) <= 1
