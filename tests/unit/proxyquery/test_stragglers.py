"""Principles 8 and 9 of the scheduler: copies of a node, and reserves for stragglers."""

import pytest

from tests.unit.proxyquery.play import A, B, Play, names, session
from zerocloud.proxyquery.scheduler import COMPARE_TIME, Cancelled, Phase, Refusal
from zerocloud.proxyquery.scheduler.stragglers import FALLEN_BEHIND, WORTH_IT


def pair(number, nodes=4, **changes):
    """A session and its reserve."""
    return (
        session(number, group="g", **changes),
        session(number + nodes, **{"node": number, "unit": number, "group": "g", "reserve": True, **changes}),
    )


def straggling(**changes):
    """Sessions 1 to 4, all but 4 succeeded within 5 s; 4 runs, its reserve is session 8."""
    play = Play(*(one for number in (1, 2, 3, 4) for one in pair(number, **changes)))
    assert names(play.start()) == ["Connect1", "Connect2", "Connect3", "Connect4"]
    play.run(1, 2, 3, 4)
    play.now = 5.0
    for number in (1, 2, 3):
        assert f"Publish{number}" in names(play.succeed(number))
        play.published(number)
    return play


def test_a_straggler_is_given_a_second_copy_elsewhere():
    play = straggling()
    assert play.wake == 5.0 * FALLEN_BEHIND
    assert names(play.wait()) == ["Connect8"]
    assert play.servers[8] != play.servers[4]
    assert "straggler" in play.outcome(8).story[0][1]


def test_the_second_copy_wins_and_the_straggler_is_dropped():
    play = straggling()
    play.wait()
    assert names(play.admit(8)) == ["Send8"]
    assert names(play.succeed(8)) == ["Drop4", "Publish8"]
    assert names(play.published(8)) == ["Finish"]
    assert (play.outcome(4).phase, play.outcome(8).phase) == (Phase.CANCELLED, Phase.PUBLISHED)
    assert play.scheduler.winner(4) == 8


def test_the_straggler_wins_and_the_second_copy_is_dropped():
    play = straggling()
    play.wait()
    play.admit(8)
    assert names(play.succeed(4)) == ["Drop8", "Publish4"]
    assert names(play.published(4)) == ["Finish"]
    assert play.scheduler.winner(4) == 4


def test_nothing_is_published_twice_when_both_succeed_at_once():
    play = straggling()
    play.wait()
    play.admit(8)
    late = play.attempts[8]
    published = names(play.succeed(4))
    play.attempts[8] = late
    published += names(play.succeed(8))
    assert [name for name in published if name.startswith("Publish")] == ["Publish4"]


def test_nobody_straggles_before_half_have_succeeded():
    play = Play(*(one for number in (1, 2, 3, 4) for one in pair(number)))
    play.start()
    play.run(1, 2, 3, 4)
    play.now = 1.0
    play.succeed(1)
    play.published(1)
    assert names(play.wait(50.0)) == []


def test_short_programs_are_not_worth_it():
    play = Play(*(one for number in (1, 2, 3, 4) for one in pair(number)))
    play.start()
    play.run(1, 2, 3, 4)
    play.now = 0.01
    for number in (1, 2, 3):
        play.succeed(number)
        play.published(number)
    assert play.wake == WORTH_IT
    assert names(play.wait()) == ["Connect8"]


def test_whoever_has_not_run_at_all_comes_first():
    sessions = [one for number in (1, 2, 3, 4) for one in pair(number, nodes=9)]
    play = Play(*sessions, session(5, group="other"), window=4)
    play.start()
    play.run(1, 2, 3, 4)
    play.now = 5.0
    for number in (1, 2):
        play.succeed(number)
        play.published(number)
    for _ in range(3):
        play.refuse(5, Refusal.BUSY)
    assert names(play.wait(5.01)) == []
    assert "Connect13" not in names(play.wait(10.0))


def test_a_failure_of_the_guest_is_not_speculated_about():
    play = straggling()
    play.wait()
    play.admit(8)
    assert names(play.fail(4)) == ["Drop8", "Withdraw1", "Withdraw2", "Withdraw3", "Finish"]
    assert play.outcome(4).phase is Phase.FAILED


def test_a_second_copy_stands_for_a_straggler_that_is_lost():
    play = straggling()
    play.wait()
    play.admit(8)
    assert names(play.lose(4)) == []
    assert names(play.succeed(8)) == ["Publish8"]


def test_a_second_copy_that_nobody_takes_changes_nothing():
    play = straggling()
    play.wait()
    for _ in range(3):
        play.refuse(8, Refusal.ELSEWHERE)
    assert names(play.succeed(4)) == ["Publish4"]
    assert names(play.published(4)) == ["Finish"]


def test_a_winner_that_is_lost_before_it_is_published_runs_again():
    waiting = session(9, group="other", unit=4)
    play = Play(*(one for number in (1, 2, 3, 4) for one in pair(number)), waiting)
    play.start()
    play.run(1, 2, 3, 4, 9)
    play.now = 5.0
    for number in (1, 2, 3):
        play.succeed(number)
        play.published(number)
    play.wait()
    play.admit(8)
    assert names(play.succeed(8)) == ["Drop4", "Hold8"]
    assert names(play.lose(8)) == ["Connect8"]


def test_reserves_that_were_not_needed_are_not_told_of():
    play = straggling()
    play.succeed(4)
    assert names(play.published(4)) == ["Finish"]
    assert [outcome.session.id for outcome in play.scheduler.outcomes()] == [1, 2, 3, 4]


def test_a_cancelled_job_starts_no_reserves():
    play = straggling()
    play.now = 20.0
    assert names(play.tell(Cancelled("the client left")))[0] == "Drop4"
    assert play.scheduler.finished


COPIES = [session(1, servers=(A, B)), session(2, node=1, unit=1, servers=(A, B))]


@pytest.mark.parametrize(("second", "told"), [("same", ""), ("other", "copies of node n2 wrote different outputs")])
def test_copies_are_compared_if_they_end_soon(second, told):
    play = Play(*COPIES)
    play.start()
    play.run(1, 2)
    assert names(play.succeed(1, "same")) == ["Publish1"]
    assert names(play.published(1)) == []
    assert names(play.succeed(2, second)) == ["Drop2", "Finish"]
    assert play.outcome(1).reason == told
    assert play.outcome(1).status == 200


def test_copies_that_hang_are_not_waited_for():
    play = Play(*COPIES)
    play.start()
    play.run(1, 2)
    play.now = 0.2
    play.succeed(1)
    play.published(1)
    assert play.wake == 0.2 + COMPARE_TIME
    assert names(play.wait()) == ["Drop2", "Finish"]


def test_a_copy_that_fails_after_the_first_was_published_ends_the_waiting():
    play = Play(*COPIES)
    play.start()
    play.run(1, 2)
    play.succeed(1)
    play.published(1)
    assert names(play.fail(2)) == ["Finish"]
    assert play.outcome(1).status == 200
