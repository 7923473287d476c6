from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swift.common.memcached import MemcacheConnectionError, MemcacheRing

from zerocloud.configuration import ConfigurationError
from zerocloud.zebra.cache import ENTRY_OVERHEAD, LocalCache, filter_factory


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> LocalCache:
    return LocalCache(now=clock)


def test_values_take_the_way_through_json(cache: LocalCache) -> None:
    value = {"a": (1, 2)}
    cache.set("k", value)
    assert cache.get("k") == {"a": [1, 2]}
    value["a"] = (3,)
    cache.get("k")["a"] = None
    assert cache.get("k") == {"a": [1, 2]}
    assert cache.get("other") is None


def test_a_value_that_json_cannot_hold(cache: LocalCache) -> None:
    with pytest.raises(TypeError):
        cache.set("k", object())


def test_bytes(cache: LocalCache) -> None:
    cache.set("text", b"\xc3\xa9")
    cache.set("raw", b"\xff", serialize=False)
    assert (cache.get("text"), cache.get("raw")) == ("é", b"\xff")


@pytest.mark.parametrize(
    ("time", "after", "there"),
    [
        (0, 10**9, True),
        (5, 4.9, True),
        (5, 5, False),
        (30 * 86400, 86400, True),
        (1_000_000_100, 99, True),
        (1_000_000_100, 100, False),
    ],
)
def test_times_are_memcached_s(cache: LocalCache, clock: Clock, time: float, after: float, there: bool) -> None:
    cache.set("k", 1, time=time)
    clock.seconds += after
    assert (cache.get("k") == 1) is there


def test_counters(cache: LocalCache, clock: Clock) -> None:
    assert cache.incr("n", 5, time=10) == 5
    clock.seconds += 6
    assert cache.incr("n", 1, time=10) == 6
    assert cache.decr("n", 10) == 0
    clock.seconds += 5
    assert cache.get("n") is None
    assert cache.decr("m") == 0


def test_a_counter_that_was_set_and_one_that_is_none(cache: LocalCache) -> None:
    cache.set("n", "41", serialize=False)
    assert cache.incr("n") == 42
    assert cache.get("n") == b"42"
    cache.set("words", "some")
    with pytest.raises(MemcacheConnectionError):
        cache.incr("words")


def test_many_at_once_and_deletion(cache: LocalCache) -> None:
    cache.set_multi({"a": 1, "b": [2]}, "server")
    cache.delete("a", "server")
    cache.delete("a")
    assert cache.get_multi(["a", "b"], "server") == [None, [2]]


def test_the_oldest_go_first() -> None:
    cache = LocalCache(max_bytes=3 * (ENTRY_OVERHEAD + 10))
    for key in "abc":
        cache.set(key, 1)
    cache.get("a")
    cache.set("d", "xxxxxxxxxxxx")
    assert [cache.get(key) for key in "abcd"] == [1, None, 1, "xxxxxxxxxxxx"]


def test_a_value_over_the_bound_is_not_kept() -> None:
    cache = LocalCache(max_bytes=1000)
    cache.set("k", "x" * 1000)
    assert cache.get("k") is None
    assert cache.bytes_used == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 400), st.sampled_from(["set", "delete", "incr"]))))
def test_it_never_outgrows_its_bound(steps: list[tuple[str, int, str]]) -> None:
    cache = LocalCache(max_bytes=1500)
    for key, number, step in steps:
        if step == "set":
            cache.set(key, "x" * number)
        elif step == "delete":
            cache.delete(key)
        else:
            cache.incr(f"n{key}", number)
        assert 0 <= cache.bytes_used <= 1500
    for key in [*"abcdef", *(f"n{key}" for key in "abcdef")]:
        cache.delete(key)
    assert cache.bytes_used == 0


def test_it_has_the_methods_of_swift_s_own_client() -> None:
    for name in ("set", "get", "incr", "decr", "delete", "set_multi", "get_multi"):
        ours = inspect.signature(getattr(LocalCache, name)).parameters
        theirs = inspect.signature(inspect.unwrap(getattr(MemcacheRing, name))).parameters
        assert list(ours) == list(theirs), name


def test_the_filter_hands_the_same_cache_to_every_request() -> None:
    seen: list[Any] = []

    def application(env: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(env["swift.cache"])
        return [b"ok"]

    filtered = filter_factory({}, max_bytes="5000")(application)
    assert filtered({}, None) == [b"ok"]
    filtered({}, None)
    assert seen[0] is seen[1]
    seen[0].set("k", "x" * 5000)
    assert seen[0].get("k") is None


def test_a_bound_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="max_bytes = 0"):
        filter_factory({}, max_bytes="0")
