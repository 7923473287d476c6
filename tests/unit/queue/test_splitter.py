"""At most one contender wins a splitter, whatever the order of events; and what the cache is good for."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swift.common.memcached import MemcacheConnectionError

from tests.unit.queue.replicas import Choose, Replicated, play
from zerocloud.queue.splitter import Turns, registers_of, win
from zerocloud.zebra.cache import LocalCache


def contend(registers: Replicated) -> bool:
    return win(registers, "entry", 10)


def conditional_put(registers: Replicated) -> bool:
    """What Swift offers by itself."""
    return registers.close_register("claim", 10)


def write_and_look(registers: Replicated) -> bool:
    """The splitter without its door."""
    token = str(id(registers))
    return registers.write_register("claim", token, 10) and registers.read_register("claim") == token


def most_wins(attempt: Callable[[Replicated], bool], contenders: int, histories: int) -> int:
    """The most winners in so many histories at random (the same ones in every run)."""
    return max(play(attempt, contenders, chooser(Random(seed))) for seed in range(histories))


def chooser(random: Random) -> Choose:
    return random.randrange


def test_who_is_alone_wins() -> None:
    assert all(play(contend, 1, chooser(Random(seed))) == 1 for seed in range(100))


@pytest.mark.parametrize("contenders", [2, 3, 5])
def test_at_most_one_of_many_wins(contenders: int) -> None:
    assert most_wins(contend, contenders, 6000 // contenders) == 1


@given(st.lists(st.integers(0, 1000), min_size=400, max_size=400))
def test_at_most_one_wins_in_histories_made_to_break_it(choices: list[int]) -> None:
    rest = iter(choices)
    assert play(contend, 2, lambda count: next(rest, 0) % count) <= 1


@pytest.mark.parametrize("attempt", [conditional_put, write_and_look])
def test_the_same_histories_break_what_is_simpler(attempt: Callable[[Replicated], bool]) -> None:
    assert most_wins(attempt, 2, 3000) == 2


def test_all_orders_of_two_contenders_without_failures() -> None:
    """Every order in which the steps of two contenders can come, each operation being one step."""
    winners = {play_whole(order) for order in orders(4, 4)}
    assert winners == {0, 1}


def orders(first: int, second: int) -> list[tuple[int, ...]]:
    if not first or not second:
        return [(0,) * first + (1,) * second]
    return [(0, *rest) for rest in orders(first - 1, second)] + [(1, *rest) for rest in orders(first, second - 1)]


def play_whole(order: tuple[int, ...]) -> int:
    """Two contenders whose operations are X := token, look at Y, Y := closed, look at X; how many win."""
    last, closed = None, False
    steps, passed, won = [0, 0], [True, True], 0
    for who in order:
        step = steps[who]
        steps[who] += 1
        if step == 0:
            last = who
        elif step == 1:
            passed[who] = not closed
        elif step == 2:
            closed = closed or passed[who]
        elif step == 3:
            won += passed[who] and last == who
    return won


def test_registers_of_different_keys_differ() -> None:
    names = [name for key in ("a", "b") for name in registers_of(key)]
    assert len(set(names)) == 4


def test_turns_let_one_go_first_until_the_registers_have_expired() -> None:
    now = [1000.0]
    turns = Turns(LocalCache(now=lambda: now[0]), "a/q", 10)
    assert [turns.first("one"), turns.first("one"), turns.first("two")] == [True, False, True]
    now[0] += 39
    assert not turns.first("one")
    now[0] += 2
    assert turns.first("one")


class BrokenCache:
    def incr(self, key: str, time: float) -> int:
        raise MemcacheConnectionError("gone")


@pytest.mark.parametrize("cache", [None, BrokenCache()])
def test_without_a_cache_everybody_may_try(cache: object) -> None:
    turns = Turns(cache, "a/q", 10)
    assert all(turns.first("one") for _ in range(3))
