"""What can be done with the messages of a queue: post, read, claim, move, delete.

A message's state is one object, ``m/<id>`` in the container ``.messages_<queue>``; its entry in the container
``.queue_<queue>`` is only the index by which it is found. What counts is the message: an entry that it does not name is a
leftover.

Every change of a message takes these steps, so that whatever breaks off leaves a message that is found again::

    win the splitter of its entry         nobody else is changing it
    read it                               it still has this entry
    put the new entry into the queue      not yet meant by the message
    write the message                     now it is; here the change happens
    delete the old entry and registers
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from random import shuffle
from typing import NoReturn, TypeVar

from swift.common.utils import ContextPool

from .errors import QueueError, StoreError
from .names import NOBODY, Entry, moment
from .settings import Settings
from .splitter import LIFETIMES, Turns, registers_of, win
from .store import Message, Store

Item = TypeVar("Item")
Result = TypeVar("Result")

READERS = 8
"""Messages of one listing that are read at a time."""

PAGE = 100
"""Names that are listed at once, at least."""


@dataclass(frozen=True)
class Wish:
    """Which messages somebody wants: at most ``limit``; also those that ``client`` posted, if ``echo``."""

    client: str
    limit: int
    echo: bool

    def takes(self, entry: Entry) -> bool:
        """Whether the message may be given to the client."""
        return self.echo or entry.creator != self.client


class Messages:
    """The messages of one queue."""

    def __init__(self, store: Store, turns: Turns, settings: Settings, warn: Callable[[str], None]) -> None:
        self._store = store
        self._turns = turns
        self._settings = settings
        self._warn = warn

    def post(self, data: bytes, client: str, ttl: int) -> Message:
        """Add a message that lives for ``ttl`` seconds. Raises StoreError."""
        now = time.time()
        message = Message(Entry.new(now, client), math.ceil(now) + ttl, data)
        self._store.write_message(message)
        try:
            self._store.write_entry(message)
        except StoreError:
            self._tidy([partial(self._store.delete_message, message.entry.id)])
            raise
        return message

    def read(self, wish: Wish) -> Iterator[Message]:
        """The messages that are free, the oldest first. Raises StoreError."""
        wanted, left = (entry for entry in self._free(wish.limit) if wish.takes(entry)), wish.limit
        while left and (batch := list(islice(wanted, min(left, READERS)))):
            found = [message for message in each(self._look, batch) if message is not None]
            yield from found
            left -= len(found)

    def claim(self, wish: Wish, ttl: int) -> list[Message]:
        """Take messages for ``ttl`` seconds: nobody else has one of them until then. Raises StoreError.

        The oldest are tried first; once another client was faster, the others in any order, so that many clients don't run
        after each other.
        """
        deadline = time.monotonic() + self._settings.patience
        candidates = (entry for entry in self._free(wish.limit) if wish.takes(entry))
        claimed: list[Message] = []
        errors: list[StoreError] = []
        ahead: list[Entry] = []
        while len(claimed) < wish.limit and time.monotonic() < deadline:
            ahead += islice(candidates, max(0, max(PAGE, wish.limit) - len(ahead)))
            if not ahead:
                break
            batch, ahead = ahead[: wish.limit - len(claimed)], ahead[wish.limit - len(claimed) :]
            won = self._claim_all(batch, wish.client, ttl, errors)
            if len(won) < len(batch):
                shuffle(ahead)
            claimed += won
        if errors and not claimed:
            raise errors[0]
        return claimed

    def move(self, entry: Entry, ttl: int, owner: str) -> Message:
        """Give a message to ``owner`` for ``ttl`` seconds from now. Raises QueueError (404 gone, 409 being changed)."""
        self._check(entry)
        moved = self._change(entry, lambda message: self._moved(message, ttl, owner))
        return moved or self._busy(entry)

    def delete(self, entry: Entry) -> None:
        """Delete a message. Raises QueueError (404 gone, 409 being changed)."""
        self._check(entry)
        if self._change(entry, self._deleted) is None:
            self._busy(entry)

    def sweep(self) -> None:
        """Delete entries of messages that have expired, as many as can be done in reasonable time. Raises StoreError."""
        deadline, entries = time.monotonic() + self._settings.patience, self._free(PAGE)
        while time.monotonic() < deadline and (batch := list(islice(entries, READERS))):
            each(self._look, batch)

    def _free(self, limit: int) -> Iterator[Entry]:
        """The entries that are due, as the listing knows them; no more pages of it once the patience has passed."""
        marker, end, page = "", moment(time.time()), max(PAGE, min(2 * limit, 1000))
        deadline = time.monotonic() + self._settings.patience
        while time.monotonic() < deadline and (names := self._store.names(marker, end, page)):
            yield from filter(None, map(Entry.parse, names))
            if len(names) < page:
                return
            marker = names[-1]

    def _look(self, entry: Entry) -> Message | None:
        """The message of an entry; None if the entry is a leftover."""
        for newest in (False, True):
            message = self._store.message(entry.id, newest)
            if message is not None and message.entry == entry:
                return message
        self._sweep(entry)
        return None

    def _sweep(self, entry: Entry) -> None:
        """Delete a leftover entry, once it is so old that nobody can be about to make it the message's own."""
        if float(entry.due) + self._settings.patience * LIFETIMES < time.time():
            self._forget(entry)

    def _claim_all(self, entries: Sequence[Entry], owner: str, ttl: int, errors: list[StoreError]) -> list[Message]:
        """Those of the messages that could be claimed; ``errors`` gets what went wrong with others."""

        def claim(entry: Entry) -> Message | None:
            try:
                return self._change(entry, lambda message: self._moved(message, ttl, owner))
            except StoreError as error:
                errors.append(error)
                return None

        return [message for message in each(claim, entries) if message is not None]

    def _change(self, entry: Entry, change: Callable[[Message], Message | None]) -> Message | None:
        """Apply ``change`` to the message of an entry, alone; None if others were faster or it is gone. Raises StoreError.

        What takes longer than the patience counts as failed, whatever became of it, since the registers may have expired. (A
        Timeout would not do: Swift's proxy takes it for a failure of a storage server.)
        """
        deadline = time.monotonic() + self._settings.patience
        if not (self._turns.first(str(entry)) and win(self._store, str(entry), self._settings.patience)):
            return None
        message = self._store.message(entry.id)
        if message is None or message.entry != entry:
            self._sweep(entry)
            return None
        changed = change(message) if time.monotonic() < deadline else None
        if changed is None or time.monotonic() > deadline:
            return None
        self._forget(entry)
        return changed

    def _moved(self, message: Message, ttl: int, owner: str) -> Message | None:
        now = time.time()
        if message.expires <= now:
            return None
        moved = replace(message, entry=message.entry.at(now + ttl, owner))
        self._store.write_entry(moved)
        if not self._store.write_message(moved):
            self._tidy([partial(self._store.delete_entry, moved.entry)])
            return None
        # A claim that took longer than it lasts is none.
        return moved if owner == NOBODY or float(moved.entry.due) > time.time() else None

    def _deleted(self, message: Message) -> Message:
        self._store.delete_message(message.entry.id)
        return message

    def _check(self, entry: Entry) -> None:
        """Whether a message still has this entry. Raises QueueError (404)."""
        message = self._store.message(entry.id)
        if message is None or message.entry != entry:
            raise QueueError(404, f"There is no message {entry}: it was deleted, claimed anew, or has expired")

    def _busy(self, entry: Entry) -> NoReturn:
        """A change that was not made. Raises QueueError (404 gone meanwhile, 409 being changed)."""
        self._check(entry)
        raise QueueError(409, f"Message {entry} is being changed by another request; please try again")

    def _forget(self, entry: Entry) -> None:
        """Delete an entry that is no message's, and the registers of its splitter."""
        x, y = registers_of(str(entry))
        self._tidy(
            [
                partial(self._store.delete_entry, entry),
                partial(self._store.delete_register, x),
                partial(self._store.delete_register, y),
            ]
        )

    def _tidy(self, deletions: Sequence[Callable[[], None]]) -> None:
        """Delete what is in nobody's way; what can't be deleted now is swept later, or expires."""

        def attempt(deletion: Callable[[], None]) -> None:
            try:
                deletion()
            except StoreError as error:
                self._warn(f"left behind: {error.text}")

        each(attempt, deletions)


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Apply a function to all items at the same time; what it raises for the first of them is raised."""
    with ContextPool(max(1, len(items))) as pool:
        return list(pool.imap(function, items))
