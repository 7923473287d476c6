"""Timers, descriptors, and owners whose callbacks fail."""

import os

import pytest

from zerocloud.zerovm.service.loop import READABLE, Loop


class Owner:
    def __init__(self):
        self.errors = []

    def failed(self, error):
        self.errors.append(error)


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_timers_fire_in_order_once_and_not_when_cancelled(loop):
    fired, owner = [], Owner()
    loop.after(0.02, loop.stop, owner)
    loop.after(0.01, lambda: fired.append("second"), owner)
    loop.after(0, lambda: fired.append("first"), owner)
    loop.after(0, lambda: fired.append("never"), owner).cancel()
    loop.run()
    assert fired == ["first", "second"]


def test_a_callback_that_raises_hurts_only_its_owner(loop, pipe):
    good, bad = Owner(), Owner()
    reading, writing = pipe
    os.write(writing, b"x")
    loop.watch(reading, READABLE, lambda _: 1 / 0, bad)
    loop.after(0, lambda: [].pop(), bad)
    loop.after(0.01, loop.stop, good)
    loop.run()
    assert {type(error) for error in bad.errors} == {ZeroDivisionError, IndexError}
    assert good.errors == []


def test_a_descriptor_forgotten_in_the_same_round_is_not_called(loop):
    owner, called = Owner(), []
    ends = [os.pipe() for _ in range(2)]
    for _, writing in ends:
        os.write(writing, b"x")

    def call(_):
        called.append(1)
        for reading, _ in ends:
            loop.forget(reading)
        loop.stop()

    for reading, _ in ends:
        loop.watch(reading, READABLE, call, owner)
    loop.run()
    assert called == [1]
    for end in sum(ends, ()):
        os.close(end)


def test_watching_again_changes_what_is_called(loop, pipe):
    owner, called = Owner(), []
    os.write(pipe[1], b"x")
    loop.watch(pipe[0], READABLE, lambda _: called.append("old"), owner)
    loop.watch(pipe[0], READABLE, lambda _: (called.append("new"), loop.stop()), owner)
    loop.run()
    assert called == ["new"]


def test_cancelled_timers_do_not_pile_up(loop):
    owner = Owner()
    for _ in range(10_000):
        loop.after(1000, lambda: None, owner).cancel()
    assert len(loop._timers) < 3000
