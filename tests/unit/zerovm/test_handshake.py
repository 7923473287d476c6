"""The proof that two ends belong to one job, and the ways to cheat it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.handshake import NONCE, PROOF, HandshakeError, Pair, ReaderHandshake, WriterHandshake

TOKEN = b"the job's own secret"
PAIR = Pair(3, 5, 0)


def reader(token: bytes = TOKEN, *pairs: Pair) -> ReaderHandshake:
    return ReaderHandshake(token, lambda pair: pair in (pairs or (PAIR,)))


def test_both_sides_agree() -> None:
    writer, other = WriterHandshake(TOKEN, PAIR), reader()
    answer = writer.feed(other.feed(writer.hello))
    assert other.feed(answer) == b""
    assert writer.done
    assert other.done
    assert other.pair == PAIR


@given(st.lists(st.integers(1, 40)))
def test_bytes_may_come_in_any_pieces(sizes: list[int]) -> None:
    writer, other = WriterHandshake(TOKEN, PAIR), reader()
    to_reader, to_writer = writer.hello, b""
    pieces = iter([*sizes, *[1] * 1000])
    while not other.done:
        if to_writer and not writer.done:
            size = min(next(pieces), writer.wanted)
            to_reader += writer.feed(to_writer[:size])
            to_writer = to_writer[size:]
        else:
            size = min(next(pieces), other.wanted)
            to_writer += other.feed(to_reader[:size])
            to_reader = to_reader[size:]
    assert writer.done


def test_a_stranger_without_the_token_is_not_let_in() -> None:
    stranger, other = WriterHandshake(b"guess", PAIR), reader()
    challenge = other.feed(stranger.hello)
    with pytest.raises(HandshakeError, match="does not know the token"):
        stranger.feed(challenge)
    with pytest.raises(HandshakeError, match="does not know the token"):
        other.feed(bytes(PROOF))
    assert not other.done


def test_the_token_never_travels() -> None:
    writer, other = WriterHandshake(TOKEN, PAIR), reader()
    challenge = other.feed(writer.hello)
    answer = writer.feed(challenge)
    assert TOKEN not in writer.hello + challenge + answer


def test_a_stranger_that_answers_a_call_is_not_believed() -> None:
    writer = WriterHandshake(TOKEN, PAIR)
    with pytest.raises(HandshakeError):
        writer.feed(bytes(NONCE + PROOF))
    assert not writer.done


def test_a_replayed_conversation_fails() -> None:
    writer, other = WriterHandshake(TOKEN, PAIR), reader()
    answer = writer.feed(other.feed(writer.hello))
    again = reader()
    again.feed(writer.hello)
    with pytest.raises(HandshakeError):
        again.feed(answer)


def test_a_replayed_challenge_fails() -> None:
    writer, other = WriterHandshake(TOKEN, PAIR), reader()
    challenge = other.feed(writer.hello)
    with pytest.raises(HandshakeError):
        WriterHandshake(TOKEN, PAIR).feed(challenge)


def test_a_reflected_proof_fails() -> None:
    """Whoever calls back the reader with its own proof as answer has proved nothing."""
    other = reader()
    challenge = other.feed(WriterHandshake(TOKEN, PAIR).hello)
    with pytest.raises(HandshakeError):
        other.feed(challenge[NONCE:])


@pytest.mark.parametrize("wrong", [Pair(4, 5), Pair(3, 6), Pair(3, 5, 1), Pair(5, 3)])
def test_wrong_ids_are_not_let_in(wrong: Pair) -> None:
    with pytest.raises(HandshakeError, match="nobody waits for"):
        reader().feed(WriterHandshake(TOKEN, wrong).hello)


def test_a_proof_counts_for_its_pair_of_nodes_only() -> None:
    """A reader for 4 that passes on what a writer for 5 sends gets no valid proof."""
    victim = WriterHandshake(TOKEN, PAIR)
    other = reader(TOKEN, Pair(4, 5))
    disguised = WriterHandshake(TOKEN, Pair(4, 5))
    hello = disguised.hello[:-NONCE] + victim.hello[-NONCE:]
    with pytest.raises(HandshakeError):
        victim.feed(other.feed(hello))


@given(st.binary(min_size=48, max_size=48))
def test_garbage_is_not_let_in(garbage: bytes) -> None:
    with pytest.raises(HandshakeError):
        reader().feed(garbage)
