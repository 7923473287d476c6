"""One stream out of several: who is believed, who is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.replicas import WINDOW, Agreement, NoSourceLeft


def drain(agreement: Agreement, limit: int = 1 << 20) -> bytes:
    whole = b""
    while not agreement.ended and (chunk := agreement.agreed(limit)):
        whole += chunk
    return whole


def test_a_single_source_is_believed() -> None:
    agreement = Agreement(1)
    agreement.take(0, b"abc")
    assert agreement.agreed(2) == b"ab"
    agreement.end(0)
    assert drain(agreement) == b"c"
    assert agreement.ended


def test_one_of_two_is_not_enough() -> None:
    agreement = Agreement(2)
    agreement.take(0, b"abc")
    assert agreement.agreed(10) == b""
    agreement.take(1, b"ab")
    assert agreement.agreed(10) == b"ab"
    assert agreement.agreed(10) == b""


def test_two_that_differ_leave_nobody() -> None:
    agreement = Agreement(2)
    agreement.take(0, b"a")
    agreement.take(1, b"b")
    with pytest.raises(NoSourceLeft):
        agreement.agreed(10)


def test_what_they_agreed_on_is_delivered_before_they_differ() -> None:
    agreement = Agreement(2)
    agreement.take(0, b"same old")
    agreement.take(1, b"same new")
    assert agreement.agreed(100) == b"same "
    with pytest.raises(NoSourceLeft):
        agreement.agreed(100)


def test_the_odd_one_of_three_is_dropped_whoever_speaks_first() -> None:
    agreement = Agreement(3)
    agreement.take(0, b"evil")
    agreement.take(1, b"good")
    assert agreement.agreed(10) == b""
    agreement.take(2, b"goo")
    assert agreement.agreed(10) == b"goo"
    assert [replica.failed for replica in agreement.replicas] == [True, False, False]


def test_a_liar_that_comes_late_is_dropped() -> None:
    agreement = Agreement(3)
    agreement.take(0, b"good")
    agreement.take(1, b"good")
    assert agreement.agreed(10) == b"good"
    agreement.take(2, b"evil")
    assert agreement.replicas[2].failed


def test_the_last_one_left_is_believed() -> None:
    agreement = Agreement(2)
    agreement.take(0, b"abc")
    agreement.fail(1)
    assert agreement.agreed(10) == b"abc"
    agreement.fail(0)
    with pytest.raises(NoSourceLeft):
        agreement.agreed(10)


def test_an_end_that_comes_too_soon_is_a_lie() -> None:
    agreement = Agreement(3)
    agreement.take(0, b"ab")
    agreement.end(0)
    agreement.take(1, b"abc")
    agreement.take(2, b"abc")
    assert drain(agreement) == b"abc"
    assert agreement.replicas[0].failed
    assert not agreement.ended
    agreement.end(1)
    agreement.end(2)
    assert agreement.agreed(10) == b""
    assert agreement.ended


def test_an_end_is_agreed_upon_against_more_data() -> None:
    agreement = Agreement(3)
    for source in (0, 1):
        agreement.take(source, b"ab")
        agreement.end(source)
    agreement.take(2, b"abc")
    assert drain(agreement) == b"ab"
    assert agreement.ended
    assert agreement.replicas[2].failed


def test_end_against_data_between_two_leaves_nobody() -> None:
    agreement = Agreement(2)
    agreement.end(0)
    agreement.take(1, b"x")
    with pytest.raises(NoSourceLeft):
        agreement.agreed(10)


def test_a_source_far_behind_has_no_say_any_more() -> None:
    agreement = Agreement(3)
    block = bytes(WINDOW)
    for _ in range(2):
        agreement.take(0, block)
        agreement.take(1, block)
        drain(agreement)
    assert agreement.replicas[2].late
    agreement.take(2, b"anything")
    agreement.fail(0)
    agreement.fail(1)
    with pytest.raises(NoSourceLeft):
        agreement.agreed(10)


@given(st.binary(max_size=300), st.lists(st.tuples(st.integers(0, 2), st.integers(1, 50)), max_size=60), st.integers(1, 40))
def test_any_order_of_arrival_gives_the_stream(stream: bytes, arrivals: list[tuple[int, int]], limit: int) -> None:
    agreement = Agreement(3)
    sent = [0, 0, 0]
    whole = b""
    for source, size in [*arrivals, (0, 300), (1, 300), (2, 300)]:
        piece = stream[sent[source] : sent[source] + size]
        sent[source] += len(piece)
        agreement.take(source, piece)
        whole += drain(agreement, limit)
    assert whole == stream
    for source in range(3):
        agreement.end(source)
    assert drain(agreement) == b""
    assert agreement.ended


@given(st.binary(min_size=1, max_size=300), st.integers(0, 299), st.lists(st.tuples(st.integers(0, 2), st.integers(1, 50))))
def test_one_liar_never_matters(stream: bytes, position: int, arrivals: list[tuple[int, int]]) -> None:
    position %= len(stream)
    lie = stream[:position] + bytes([stream[position] ^ 1]) + stream[position + 1 :]
    agreement = Agreement(3)
    sent = [0, 0, 0]
    whole = b""
    for source, size in [*arrivals, (0, 300), (1, 300), (2, 300)]:
        said = lie if source == 1 else stream
        piece = said[sent[source] : sent[source] + size]
        sent[source] += len(piece)
        agreement.take(source, piece)
        whole += drain(agreement)
    assert whole == stream
    assert agreement.replicas[1].failed
