"""Admission: the arithmetic of pools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.service.pools import DEFAULT_POOLS, Pool, PoolFull, Sizes, make_pools, parse_pools


def test_the_default_pools():
    assert parse_pools(DEFAULT_POOLS) == {"default": Sizes(10, 10, 3), "cluster": Sizes(100, 10, 0)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one must be named default"),
        ("cluster = WaitPool(1,2)", "one must be named default"),
        ("default = WaitPool(0,2)", "at least 1 slot"),
        ("default = PriorityPool(10,9)", "low not above high"),
        ("default = Pool(1,2)", "expected name = WaitPool"),
        ("default = WaitPool(1)", "expected name = WaitPool"),
        ("default = WaitPool(-1,2)", "expected name = WaitPool"),
        ("default = WaitPool(1,2); DEFAULT = WaitPool(1,2)", "defined twice"),
        ("__import__('os').system('x')", "expected name = WaitPool"),
    ],
)
def test_bad_specifications_name_the_trouble(text, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        parse_pools(text)


def test_a_wait_pool_runs_then_queues_then_refuses():
    pool = Pool("p", Sizes(2, 2, 1))
    assert pool.enter("a", "1")
    assert pool.enter("b", "2")
    assert not pool.enter("c", "3")
    with pytest.raises(PoolFull, match="Slot not available: pool p has 2 sessions running and 1 waiting"):
        pool.enter("d", "4")
    assert pool.leave("a") == ["c"]
    assert pool.leave("nobody") == []


def test_a_priority_pool_takes_new_jobs_only_below_low():
    pool = Pool("p", Sizes(3, 1, 0))
    assert pool.enter("a", "5")
    with pytest.raises(PoolFull):
        pool.enter("new", "6")
    assert pool.enter("b", "5")
    assert pool.enter("c", "4")
    assert not pool.enter("d", "5")
    assert pool.leave("a") == ["d"]


def test_a_slot_that_is_about_to_come_free_can_be_waited_for_by_one():
    pool = Pool("p", Sizes(1, 1, 0))
    assert pool.enter("a")
    pool.end("a")
    pool.end("nobody")
    assert not pool.enter("b")
    with pytest.raises(PoolFull):
        pool.enter("c")
    assert pool.leave("a") == ["b"]
    with pytest.raises(PoolFull):
        pool.enter("c")


def test_those_who_wait_go_in_order_of_their_jobs():
    pool = Pool("p", Sizes(1, 1, 9))
    pool.enter("now", "3")
    for ticket, job in (("late", "9"), ("nameless", ""), ("early", "5"), ("begun", "2"), ("late too", "9")):
        assert not pool.enter(ticket, job)
    order, ticket = [], "now"
    while starting := pool.leave(ticket):
        (ticket,) = starting
        order.append(ticket)
    assert order == ["begun", "early", "late", "nameless", "late too"]


@given(
    sizes=st.builds(
        lambda low, extra, queue, wait: Sizes(low, low, queue) if wait else Sizes(low + extra, low, 0),
        *(st.integers(1, 4), st.integers(0, 3), st.integers(0, 3), st.booleans()),
    ),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.sampled_from(["", "1", "2", "3", "4"])), max_size=60),
)
def test_slots_are_never_exceeded_and_nobody_is_lost(sizes, steps):
    pool = make_pools({"p": sizes})["p"]
    running, waiting, number = set(), set(), 0
    for entering, which, job in steps:
        if entering:
            number += 1
            try:
                (running if pool.enter(number, job) else waiting).add(number)
            except PoolFull:
                assert len(running) >= sizes.open_below or not sizes.queue
        elif running | waiting:
            leaving = sorted(running | waiting)[which % len(running | waiting)]
            started = set(pool.leave(leaving))
            running.discard(leaving)
            waiting.discard(leaving)
            assert started <= waiting
            running |= started
            waiting -= started
        assert pool.running == running
        assert pool.waiting == len(waiting)
        assert len(running) <= sizes.slots
        assert not waiting or len(running) == sizes.slots
