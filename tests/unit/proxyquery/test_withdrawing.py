"""Principle 7 of the scheduler: nothing remains of a job that has failed, whatever of it was published before."""

import pytest

from tests.unit.proxyquery.play import DEADLINE, REPORT_TIME, Play, names, session
from zerocloud.proxyquery.scheduler import Cancelled, Phase, Unpublished


def half_done(**changes):
    """Two units, the first of them published, the second running."""
    play = Play(session(1, **changes), session(2, **changes))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    play.published(1)
    return play


def test_a_failure_withdraws_what_other_units_have_published():
    play = half_done()
    assert names(play.fail(2)) == ["Withdraw1", "Finish"]
    assert play.outcome(1).phase is Phase.CANCELLED
    assert play.outcome(1).reason == "its outputs were removed because node n2 failed"


def test_a_cancelled_job_withdraws_everything():
    for changes in ({}, {"keep_going": True}):
        play = half_done(**changes)
        assert names(play.tell(Cancelled("cancelled because the client left"))) == ["Drop2", "Withdraw1", "Finish"]


def test_where_nodes_go_on_by_themselves_a_failure_withdraws_nothing_else():
    play = half_done(keep_going=True)
    assert names(play.fail(2)) == ["Finish"]
    assert play.outcome(1).phase is Phase.PUBLISHED


@pytest.mark.parametrize(("changes", "expected"), [({}, ["Withdraw1", "Finish"]), ({"keep_going": True}, ["Finish"])])
def test_the_deadline_withdraws_unless_nodes_go_on_by_themselves(changes, expected):
    play = half_done(**changes)
    assert names(play.wait(DEADLINE + REPORT_TIME)) == ["Drop2", *expected]


def test_what_is_half_stored_is_withdrawn_at_once_and_the_rest_when_nothing_is_being_published():
    play = Play(session(1), session(2), session(3))
    play.start()
    play.run(1, 2, 3)
    play.succeed(1)
    play.succeed(2)
    play.published(1)
    failed = Unpublished(2, play.attempts[2], 413, "Status 413 when putting /a/c/o")
    assert names(play.tell(failed)) == ["Withdraw2", "Drop3", "Withdraw1", "Finish"]


def test_what_is_being_published_comes_to_its_end_first():
    play = Play(session(1), session(2), session(3))
    play.start()
    play.run(1, 2, 3)
    play.succeed(1)
    play.succeed(2)
    play.published(1)
    assert names(play.fail(3)) == []
    assert names(play.published(2)) == ["Withdraw1", "Withdraw2", "Finish"]


def test_a_job_that_succeeds_withdraws_nothing_however_late_it_is_published():
    play = Play(session(1))
    play.start()
    play.run(1)
    play.succeed(1)
    play.wait(DEADLINE + REPORT_TIME)
    assert names(play.published(1)) == ["Finish"]
