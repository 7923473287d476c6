"""Many clients at one queue, in one process whose every step may be between two steps of another: nobody shares a message."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from swift.common.concurrency import sleep, spawn

from tests.unit.queue.conftest import Caller, Clock, over
from tests.unit.queue.fake_swift import FakeSwift
from zerocloud.zebra.cache import LocalCache

MESSAGES = 25
CLIENTS = 10


class Work:
    """What the clients do together, and what must never be."""

    def __init__(self, application: Any, seed: int, **extra: Any) -> None:
        self._application = application
        self._extra = extra
        self.random = Random(seed)
        self.held: dict[str, str] = {}
        self.done: Counter[str] = Counter()

    def caller(self, name: str) -> Caller:
        return Caller(self._application, name, **self._extra)

    def take_all(self, name: str) -> None:
        """Claim and finish messages until there are none."""
        caller, misses = self.caller(name), 0
        while misses < 2:
            claimed = caller.claim(f"?limit={self.random.randrange(1, 4)}")
            misses = 0 if claimed else misses + 1
            for message in claimed:
                assert message["msg_id"] not in self.held, f"{name} was given what {self.held[message['msg_id']]} has"
                self.held[message["msg_id"]] = name
            for message in claimed:
                self.finish(caller, message)

    def finish(self, caller: Caller, message: dict[str, Any]) -> None:
        """Delete it, perhaps after having extended the claim; or give it back."""
        self.pause()
        choice = self.random.randrange(4)
        if choice == 0:
            message = caller("POST", f"/q/claim/{message['claim_id']}").json()
            self.pause()
        if choice == 1:
            del self.held[message["msg_id"]]
            assert caller("DELETE", f"/q/claim/{message['claim_id']}").status == 204
            return
        assert caller.delete(message) == 204
        del self.held[message["msg_id"]]
        self.done[message["msg_id"]] += 1

    def pause(self) -> None:
        for _ in range(self.random.randrange(20)):
            sleep(0)

    def together(self, clients: int = CLIENTS) -> None:
        """So many clients at the same time, until none of them finds anything."""
        threads = [spawn(self.take_all, f"client-{number}") for number in range(clients)]
        for thread in threads:
            thread.wait()
        assert not self.held

    def rest(self, clock: Clock) -> None:
        """Then ever fewer: where nobody has won, or somebody died, the registers and claims have ended before."""
        for clients in (CLIENTS, CLIENTS // 2, 2, 2, 1):
            clock.pass_by(100)
            self.together(clients)


def with_cache() -> dict[str, Any]:
    return {"swift.cache": LocalCache()}


def posted(caller: Caller) -> set[str]:
    return {caller.post(number)["msg_id"] for number in range(MESSAGES)}


@pytest.mark.parametrize("extra", [dict, with_cache], ids=["without-cache", "with-cache"])
@pytest.mark.parametrize("seed", range(4))
def test_every_message_is_done_once(alice: Caller, queue: str, swift: FakeSwift, clock: Clock, extra: Any, seed: int) -> None:
    work = Work(over(swift), seed, **extra())
    expected = posted(alice)
    work.together()
    work.rest(clock)
    assert work.done == Counter(expected)
    assert swift.names(".queue_q") == []


def test_with_a_cache_nobody_waits_for_registers(alice: Caller, queue: str, swift: FakeSwift) -> None:
    work = Work(over(swift), 7, **with_cache())
    expected = posted(alice)
    work.together()
    assert set(work.done) == expected


@pytest.mark.parametrize("seed", range(6))
def test_requests_that_break_off_anywhere_lose_and_double_nothing(
    alice: Caller, queue: str, swift: FakeSwift, clock: Clock, seed: int
) -> None:
    """A proxy that dies in the middle of a request leaves what it has stored until then."""
    work = Work(over(swift), seed)
    expected = posted(alice)
    for round_number in range(30):
        victims = [spawn(work.caller(f"victim-{round_number}-{number}").claim, "?limit=3") for number in range(4)]
        for victim in victims:
            for _ in range(work.random.randrange(60)):
                sleep(0)
            victim.kill()
        clock.pass_by(100)
    work.together()
    work.rest(clock)
    assert work.done == Counter(expected)
    assert swift.names(".queue_q") == []
    swift.open = 0  # who is killed closes nothing


@pytest.mark.parametrize("seed", range(6))
def test_a_deletion_that_succeeded_is_final(alice: Caller, queue: str, swift: FakeSwift, clock: Clock, seed: int) -> None:
    """Somebody deletes free messages while others claim them: each is had by one of them."""
    work = Work(over(swift), seed)
    messages = [alice.post(number) for number in range(MESSAGES)]
    deleted = set()

    def delete_all() -> None:
        for message in messages:
            work.pause()
            if alice.delete(message) == 204:
                deleted.add(message["msg_id"])

    thread = spawn(delete_all)
    work.together()
    thread.wait()
    work.rest(clock)
    assert not deleted & set(work.done)
    assert deleted | set(work.done) == {message["msg_id"] for message in messages}
    assert max(work.done.values(), default=1) == 1
