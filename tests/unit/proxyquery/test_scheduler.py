"""The scheduler's principles and examples, as tables of events."""

import pytest

from tests.unit.proxyquery.play import DEADLINE, REPORT_TIME, A, B, C, D, Play, gang, names, session
from zerocloud.proxyquery.scheduler import (
    GANG_QUEUE,
    LOST_LIMIT,
    SETTLE_TIME,
    Admitted,
    Cancelled,
    Finish,
    InvalidTransition,
    Phase,
    Refusal,
    Server,
    Succeeded,
    Tier,
    Unpublished,
)
from zerocloud.proxyquery.scheduler.model import STORY_LINES


def test_one_node_lives_its_life():
    play = Play(session(1))
    assert names(play.start()) == ["Connect1"]
    assert names(play.admit(1)) == ["Send1"]
    assert names(play.succeed(1)) == ["Publish1"]
    assert [line for _, line in play.outcome(1).story] == ["asks A:1/d", "is admitted", "starts", "succeeds"]
    assert names(play.published(1)) == ["Finish"]
    assert play.outcome(1).phase is Phase.PUBLISHED
    assert [line for _, line in play.outcome(1).story] == ["is published"]


def test_a_job_without_sessions_is_over_at_once():
    assert names(Play().start()) == ["Finish"]


def test_a_refusing_server_is_followed_by_the_next_and_spares_come_last():
    spare = Server("S:1/d", "S", Tier.HANDOFF)
    play = Play(session(1, spares=lambda: (spare,)))
    play.start()
    for _ in range(3):
        assert names(play.refuse(1, Refusal.ELSEWHERE)) == ["Connect1"]
    assert [order.server.host for order in play.connected] == ["A", "B", "C", "S"]
    assert names(play.refuse(1, Refusal.ELSEWHERE, reason="no disk")) == ["Finish"]
    assert (play.outcome(1).status, play.outcome(1).reason, play.outcome(1).attempts) == (503, "no disk", 4)


def test_an_object_is_missing_only_if_every_server_says_so():
    everywhere, somewhere = Play(session(1)), Play(session(1))
    for play, statuses in ((everywhere, (404, 404, 404)), (somewhere, (503, 404, 404))):
        play.start()
        for status in statuses:
            play.refuse(1, Refusal.ELSEWHERE, status)
    assert everywhere.outcome(1).status == 404
    assert somewhere.outcome(1).status == 503


def test_a_final_refusal_asks_nobody_else():
    play = Play(session(1))
    play.start()
    assert names(play.refuse(1, Refusal.FINAL, 413, "too large")) == ["Finish"]
    assert play.outcome(1).status == 413


def test_an_object_that_is_not_local_is_pushed_once():
    play = Play(session(1))
    play.start()
    (again,) = play.refuse(1, Refusal.NOT_LOCAL, 409, "slo")
    assert again.push
    assert again.server == A
    (elsewhere,) = play.refuse(1, Refusal.NOT_LOCAL, 409, "slo")
    assert elsewhere.server != A


def test_a_busy_cluster_is_asked_again_until_the_deadline():
    play = Play(session(1))
    play.start()
    waits = []
    while not play.scheduler.finished:
        for _ in range(3):
            if not play.scheduler.finished:
                play.refuse(1, Refusal.BUSY, reason="Slot not available")
        before = play.now
        play.wait()
        waits.append(play.now - before)
    assert waits[0] < 0.1
    assert max(waits) <= 2.0
    assert play.now == DEADLINE
    assert play.outcome(1).status == 503
    assert "Slot not available" in play.outcome(1).reason
    assert "60 s" in play.outcome(1).reason


def test_the_story_of_a_long_wait_has_an_end():
    play = Play(session(1), deadline=3600.0)
    play.start()
    while play.now < 3000:
        for _ in range(3):
            play.refuse(1, Refusal.BUSY, reason="Slot not available")
        play.wait()
    outcome = play.outcome(1)
    assert len(outcome.story) == STORY_LINES
    assert outcome.forgotten > 1000
    assert outcome.story[-1][1].startswith("asks ")


def test_a_busy_primary_is_worth_waiting_for():
    play = Play(session(1, servers=(A, B), spares=lambda: (D,)))
    play.start()
    play.refuse(1, Refusal.ELSEWHERE)
    assert names(play.refuse(1, Refusal.BUSY)) == []
    (again,) = play.wait()
    assert again.server == B


def test_a_silent_server_is_asked_again_with_more_patience():
    play = Play(session(1, servers=(A, B)))
    (first,) = play.start()
    (other,) = play.refuse(1, Refusal.SILENT)
    assert (first.server, other.server) == (A, B)
    assert names(play.refuse(1, Refusal.SILENT)) == []
    (again,) = play.wait()
    assert again.patience > first.patience
    play.admit(1)
    assert names(play.succeed(1)) == ["Publish1"]


def test_a_gang_is_less_patient_because_it_holds_slots():
    alone, together = Play(session(1)), Play(*gang(2))
    alone.start()
    together.start()
    assert together.connected[0].patience < alone.connected[0].patience


def test_load_goes_to_the_emptier_server():
    play = Play(*(session(number) for number in range(1, 7)))
    play.start()
    assert sorted(play.servers.values()) == ["A", "A", "B", "B", "C", "C"]


def test_copies_of_a_node_go_to_different_hosts_and_a_location_to_one_server():
    copies = Play(session(1, node=1), session(2, node=1), session(3, node=1))
    copies.start()
    assert set(copies.servers.values()) == {"A", "B", "C"}
    together = Play(*(session(number, location="x") for number in range(1, 5)))
    together.start()
    assert len(set(together.servers.values())) == 1


def test_a_location_moves_together_when_its_server_is_out_of_the_question():
    play = Play(*(session(number, location="x") for number in range(1, 4)))
    play.start()
    assert set(play.servers.values()) == {"A"}
    for number in (1, 2, 3):
        play.refuse(number, Refusal.ELSEWHERE)
    assert len(set(play.servers.values()) - {"A"}) == 1
    play.run(1, 2, 3)
    for number in (1, 2, 3):
        play.lose(number)
    assert len(set(play.servers.values()) - {"A"}) == 1


def test_copies_of_a_node_rather_go_to_a_worse_server_than_to_the_same():
    servers = (A, Server("B:1/d", "B", Tier.LIMITED))
    play = Play(session(1, node=1, servers=servers), session(2, node=1, servers=servers))
    play.start()
    assert play.servers == {1: "A", 2: "B"}


def test_a_server_in_trouble_is_asked_last_by_other_sessions():
    play = Play(session(1), session(2), window=1)
    play.start()
    assert play.servers[1] == "A"
    play.refuse(1, Refusal.ELSEWHERE)
    play.admit(1)
    play.succeed(1)
    assert play.servers[2] != "A"


def test_error_limited_servers_come_after_handoffs_would():
    limited = Server("L:1/d", "L", Tier.LIMITED)
    play = Play(session(1, servers=(limited, A)))
    play.start()
    assert play.servers[1] == "A"


def test_many_nodes_occupy_no_more_than_the_window():
    play = Play(*(session(number) for number in range(1, 101)), window=8)
    assert len(play.start()) == 8
    done = 0
    while not play.scheduler.finished:
        number = next(number for number in play.attempts if play.outcome(number).phase is Phase.CONNECTING)
        play.admit(number)
        play.succeed(number)
        play.published(number)
        done += 1
        under_way = sum(outcome.phase.under_way for outcome in play.scheduler.outcomes())
        assert under_way <= 8
    assert done == 100


def test_the_window_shrinks_to_what_the_cluster_takes_and_grows_with_success():
    play = Play(*(session(number, servers=(A,)) for number in range(1, 101)), window=16)
    play.start()
    running = []
    for number in range(1, 17):
        if number <= 4:
            play.admit(number)
            running.append(number)
        else:
            play.refuse(number, Refusal.BUSY)
    play.wait()
    connecting = [outcome for outcome in play.scheduler.outcomes() if outcome.phase is Phase.CONNECTING]
    assert len(connecting) == 0  # four run, and the window has become four
    play.succeed(running[0])
    connecting = [outcome for outcome in play.scheduler.outcomes() if outcome.phase is Phase.CONNECTING]
    assert len(connecting) == 2  # the place that has come free, and one to try


def test_a_gang_starts_when_all_of_it_is_admitted():
    play = Play(*gang(3))
    assert names(play.start()) == ["OpenNetwork", "Connect1", "Connect2", "Connect3"]
    assert names(play.admit(1)) == []
    assert names(play.admit(3)) == []
    assert names(play.admit(2)) == ["Send1", "Send2", "Send3"]


def test_a_gang_that_finds_no_slot_gives_all_back_and_starts_anew():
    play = Play(*gang(3, servers=(A, B)))
    play.start()
    play.run(1, 2)
    assert names(play.refuse(3, Refusal.BUSY)) == ["Connect3"]
    assert names(play.refuse(3, Refusal.BUSY)) == ["Drop1", "Drop2", "CloseNetwork"]
    assert names(play.wait()) == ["OpenNetwork", "Connect1", "Connect2", "Connect3"]


def test_events_of_dropped_attempts_are_stale():
    play = Play(*gang(2, servers=(A,)))
    play.start()
    old = dict(play.attempts)
    play.refuse(1, Refusal.BUSY)
    assert names(play.tell(Admitted(2, old[2]))) == []
    play.wait()
    assert names(play.tell(Admitted(2, old[2]))) == []
    assert play.outcome(2).phase is Phase.CONNECTING


def test_a_gang_larger_than_the_window_runs_alone():
    play = Play(*gang(4), session(5), window=2)
    assert names(play.start()) == ["OpenNetwork", "Connect1", "Connect2", "Connect3", "Connect4"]
    play.run(1, 2, 3, 4)
    for number in (1, 2):
        play.succeed(number)
    assert 5 not in play.attempts
    play.succeed(3)
    assert 5 in play.attempts


def test_a_lost_server_costs_another_attempt_on_another_server():
    play = Play(session(1))
    play.start()
    play.admit(1)
    (again,) = play.lose(1)
    assert again.server != A
    play.admit(1)
    assert names(play.succeed(1)) == ["Publish1"]


def test_a_guest_that_kills_its_servers_visits_only_some():
    play = Play(session(1, servers=(A, B, C, D)))
    play.start()
    for _ in range(LOST_LIMIT - 1):
        play.admit(1)
        assert names(play.lose(1)) == ["Connect1"]
    play.admit(1)
    assert names(play.lose(1)) == ["Finish"]
    assert play.outcome(1).attempts == LOST_LIMIT


def test_a_guests_failure_is_final_and_cancels_the_job():
    play = Play(session(1), session(2), session(3), window=2)
    play.start()
    play.run(1, 2)
    assert names(play.fail(1)) == ["Drop2", "Finish"]
    assert [outcome.phase for outcome in play.scheduler.outcomes()] == [Phase.FAILED, Phase.CANCELLED, Phase.CANCELLED]
    assert play.outcome(3).reason == "cancelled because node n1 failed"


def test_retries_run_a_failed_node_again():
    play = Play(session(1, retries=1))
    play.start()
    play.admit(1)
    assert names(play.fail(1)) == ["Connect1"]
    play.admit(1)
    assert names(play.fail(1)) == ["Finish"]


def test_a_job_that_goes_on_after_errors_loses_only_the_failed():
    play = Play(session(1, keep_going=True), session(2, keep_going=True))
    play.start()
    play.run(1, 2)
    assert names(play.fail(1)) == []
    assert names(play.succeed(2)) == ["Publish2"]
    assert names(play.published(2)) == ["Finish"]


def test_a_gangs_failure_that_was_a_lost_server_runs_it_again():
    play = Play(*gang(3))
    play.start()
    play.run(1, 2, 3)
    assert names(play.fail(2, "broken stream")) == []  # it may be the loss of a peer that is not yet known
    assert names(play.lose(1)) == ["Drop3", "CloseNetwork", "OpenNetwork", "Connect1", "Connect2", "Connect3"]
    assert play.servers[1] != "A"


def test_a_gangs_own_failure_is_told_after_it_has_settled():
    play = Play(*gang(3))
    play.start()
    play.run(1, 2, 3)
    play.fail(2, "trap: unreachable")
    play.fail(1, "broken stream")
    assert play.wake == SETTLE_TIME
    assert names(play.wait()) == ["Drop3", "CloseNetwork", "Finish"]
    assert play.outcome(2).reason == "trap: unreachable"
    assert play.outcome(3).phase is Phase.CANCELLED


def test_a_gang_is_judged_early_when_all_of_it_has_ended():
    play = Play(*gang(2))
    play.start()
    play.run(1, 2)
    play.fail(1)
    assert "Finish" in names(play.fail(2))


def test_a_gang_retries_as_one():
    play = Play(*gang(2, retries=1))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    again = names(play.fail(2))
    assert again == ["Drop1", "CloseNetwork", "OpenNetwork", "Connect1", "Connect2"]


def test_nothing_is_published_before_the_unit_has_succeeded():
    play = Play(session(1, unit=0), session(2, unit=0))
    play.start()
    play.run(1, 2)
    assert names(play.succeed(1)) == ["Hold1"]
    assert names(play.succeed(2)) == ["Publish1", "Publish2"]
    assert names(play.published(2)) == []
    assert names(play.published(1)) == ["Finish"]


def test_nothing_is_published_of_a_unit_that_fails():
    play = Play(session(1, unit=0), session(2, unit=0))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    assert names(play.fail(2)) == ["Drop1", "Finish"]
    assert play.outcome(1).phase is Phase.CANCELLED


def test_an_answer_lost_while_it_waits_is_made_again():
    play = Play(session(1, unit=0), session(2, unit=0))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    assert names(play.lose(1)) == ["Connect1"]
    play.admit(1)
    assert names(play.succeed(2)) == ["Hold2"]
    assert names(play.succeed(1)) == ["Publish1", "Publish2"]


def test_an_answer_that_breaks_off_before_anything_is_stored_is_made_again():
    play = Play(session(1, unit=0), session(2, unit=0))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    play.succeed(2)
    play.published(2)
    assert names(play.lose(1)) == ["Connect1"]
    play.admit(1)
    assert names(play.succeed(1)) == ["Publish1"]
    assert names(play.published(1)) == ["Finish"]


def test_a_gang_of_which_something_is_published_never_runs_again():
    play = Play(*gang(2))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    assert names(play.succeed(2)) == ["Publish1", "Publish2", "CloseNetwork"]
    play.published(2)
    assert names(play.lose(1)) == ["Withdraw2", "Finish"]
    assert play.outcome(1).status == 503


def test_the_first_copy_that_succeeds_wins_and_the_others_are_dropped():
    play = Play(session(1, node=1, unit=1), session(2, node=1, unit=1, gang=2))
    play.start()
    play.run(1, 2)
    assert names(play.succeed(2)) == ["Publish2"]
    play.published(2)
    assert names(play.wait()) == ["Drop1", "Finish"]
    assert play.scheduler.winner(1) == 2


def test_a_failed_copy_does_not_matter_while_another_lives():
    play = Play(session(1, node=1, unit=1), session(2, node=1, unit=1, gang=2))
    play.start()
    play.run(1, 2)
    assert names(play.fail(1)) == []
    assert names(play.succeed(2)) == ["Publish2"]


def test_a_node_has_failed_when_all_its_copies_have():
    play = Play(session(1, node=1, unit=1), session(2, node=1, unit=1, gang=2))
    play.start()
    play.run(1, 2)
    play.fail(1)
    assert names(play.fail(2)) == ["Finish"]


def test_copies_that_differ_are_reported():
    play = Play(session(1, node=1, unit=0), session(2, node=1, unit=0, gang=2), session(3, unit=0))
    play.start()
    play.run(1, 2, 3)
    play.succeed(1, "/dev/stdout aa")
    play.succeed(2, "/dev/stdout bb")
    assert "different outputs" in play.outcome(1).reason
    assert play.outcome(2).phase is Phase.SPARE


def test_an_output_that_cannot_be_stored_fails_its_node():
    play = Play(session(1), session(2))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    found = play.tell(Unpublished(1, play.attempts[1], 413, "Status 413 when putting /a/c/o"))
    assert names(found) == ["Withdraw1", "Drop2", "Finish"]
    assert play.outcome(1).status == 413


def test_the_deadline_ends_what_waits():
    play = Play(session(1), session(2), session(3), window=2)
    play.start()
    play.run(1)
    assert names(play.wait(DEADLINE)) == ["Drop2", "Drop1", "Finish"]
    assert play.outcome(1).phase is Phase.CANCELLED
    assert play.outcome(2).status == 408
    assert "had not started" in play.outcome(3).reason


def test_what_runs_at_the_deadline_has_time_to_report():
    reporting, hanging = Play(session(1)), Play(session(1))
    for play in (reporting, hanging):
        play.start()
        play.run(1)
        assert names(play.wait(DEADLINE)) == []
        assert play.wake == DEADLINE + REPORT_TIME
    assert names(reporting.fail(1, "session timeout")) == ["Finish"]
    assert reporting.outcome(1).reason == "session timeout"
    assert names(hanging.wait()) == ["Drop1", "Finish"]
    assert hanging.outcome(1).status == 408
    assert "still running" in hanging.outcome(1).reason


def test_what_is_being_published_at_the_deadline_may_end():
    play = Play(session(1), session(2))
    play.start()
    play.run(1, 2)
    play.succeed(1)
    assert names(play.wait(DEADLINE + REPORT_TIME)) == ["Drop2"]
    assert names(play.published(1)) == ["Withdraw1", "Finish"]
    assert Phase.PUBLISHED in play.outcome(1).times


def test_a_cancelled_job_drops_everything():
    play = Play(*gang(2), session(3))
    play.start()
    play.run(1, 2, 3)
    found = names(play.tell(Cancelled("the client has gone")))
    assert sorted(found) == ["CloseNetwork", "Drop1", "Drop2", "Drop3", "Finish"]
    assert play.outcome(2).reason == "the client has gone"
    assert play.tell(Cancelled("again")) == []


def test_an_event_that_cannot_be_is_a_mistake():
    play = Play(session(1))
    play.start()
    with pytest.raises(InvalidTransition, match="n1"):
        play.tell(Succeeded(1, play.attempts[1]))


def test_five_thousand_nodes_cost_microseconds_each():
    play = Play(*(session(number) for number in range(5000)), window=8)
    ready = [order.session for order in play.start()]
    while ready:
        number = ready.pop()
        play.admit(number)
        ready += [one.session for one in play.succeed(number) if names([one])[0].startswith("Connect")]
        last = play.published(number)
    assert last == [Finish()]


@pytest.mark.parametrize("server", [A, B, C])
def test_every_position_of_a_dead_server_is_survived(server):
    play = Play(session(1))
    play.start()
    while play.servers[1] == server.host:
        play.refuse(1, Refusal.ELSEWHERE)
    play.admit(1)
    play.succeed(1)
    assert names(play.published(1)) == ["Finish"]


def test_a_gang_is_kept_in_queues_for_moments_only():
    alone, together = Play(session(1)), Play(*gang(2))
    alone.start()
    together.start()
    assert together.connected[0].queue == GANG_QUEUE
    assert GANG_QUEUE < alone.connected[0].queue < alone.connected[0].patience
    together.refuse(1, Refusal.SILENT)  # a server that is slow to speak is not therefore given a longer queue
    assert together.connected[-1].patience > together.connected[0].patience
    assert together.connected[-1].queue == GANG_QUEUE
