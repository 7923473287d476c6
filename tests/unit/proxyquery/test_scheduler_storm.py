"""The scheduler under storms of random events: whatever happens, its promises hold."""

import heapq
import random
from collections import Counter
from itertools import count

import pytest

from tests.unit.proxyquery.play import A, B, C, D, session
from zerocloud.proxyquery.scheduler import (
    Admitted,
    CloseNetwork,
    Connect,
    Drop,
    Failed,
    Finish,
    Hold,
    Limits,
    Lost,
    OpenNetwork,
    Phase,
    Publish,
    Published,
    Refusal,
    Refused,
    Scheduler,
    Send,
    Started,
    Succeeded,
    Tick,
    Unpublished,
    Wake,
    Withdraw,
)

WINDOW = 6


class Storm:
    """A cluster that behaves badly at random, in a time of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lots = random.Random(-seed)  # for stragglers, so that they change nothing in the rest of a storm
        self.sessions = self._job()
        self.by_id = {one.id: one for one in self.sessions}
        self.deadline = self.random.choice([5.0, 50.0])
        self.scheduler = Scheduler(self.sessions, Limits(self.deadline, self.deadline, WINDOW, 2.0), self.random.random)
        self.now = 0.0
        self.agenda: list = []
        self.order = count()
        self.live: dict[int, int] = {}  # sessions on servers, and their attempts
        self.sent: set[int] = set()
        self.networks: set[int] = set()
        self.broken: set[tuple[int, int]] = set()
        self.published: Counter[int] = Counter()
        self.withdrawn: set[int] = set()
        self.wake: float | None = None
        self.finished = False

    def _job(self):
        sessions, ids = [], count(1)
        keep_going, retries = self.random.random() < 0.3, self.random.choice([0, 0, 2])
        whole = self.random.random() < 0.5
        for node in range(1, self.random.randint(1, 6)):  # a gang, with copies now and then
            for _ in range(self.random.choice([1, 1, 1, 2])):
                number = next(ids)
                changes = {"node": node, "gang": 1, "unit": 0 if whole else 1, "networked": True}
                sessions.append(session(number, **changes, keep_going=keep_going, retries=retries))
        for node in range(10, 10 + self.random.randint(1, 12)):
            number = next(ids)
            unit = 0 if whole else 100 + node
            common = {"node": node, "unit": unit, "keep_going": keep_going, "group": "g"}
            sessions.append(session(number, gang=100 + number, retries=retries, **common))
            if self.random.random() < 0.2:
                number = next(ids)
                sessions.append(session(number, gang=100 + number, **common))
            elif self.lots.random() < 0.5:
                sessions.append(session(1000 + node, gang=1000 + node, reserve=True, **common))
        return sessions

    def later(self, seconds: float, event) -> None:
        heapq.heappush(self.agenda, (self.now + seconds, next(self.order), event))

    def perform(self, instruction) -> None:
        number = getattr(instruction, "session", None)
        match instruction:
            case OpenNetwork(network):
                assert network not in self.networks
                self.networks.add(network)
            case CloseNetwork(network):
                self.networks.remove(network)
            case Connect(_, attempt, server):
                assert number not in self.live
                assert server in (A, B, C, D)
                if self.by_id[number].networked:
                    assert self.by_id[number].gang in self.networks
                self.live[number] = attempt
                self.later(self.random.random(), self._first_word(number, attempt))
            case Send(_, attempt):
                assert self.live[number] == attempt
                assert number not in self.sent
                self.sent.add(number)
                slow = self.lots.choice([1, 1, 1, 5]) if 1000 + self.by_id[number].node in self.by_id else 1
                self.later(self.random.random() * 3 * slow, self._end(number, attempt))
            case Hold(_, attempt):
                assert self.live[number] == attempt
                if self.random.random() < 0.1:
                    self.broken.add((number, attempt))
                    self.later(self.random.random(), Lost(number, attempt, "lost while held"))
            case Publish(_, attempt):
                assert self.live[number] == attempt
                if (number, attempt) in self.broken:
                    return  # that it was lost is on its way
                self.published[self.by_id[number].node] += 1
                event = Published(number, attempt)
                if (chance := self.random.random()) < 0.1:
                    self.published[self.by_id[number].node] -= 1
                    event = Unpublished(number, attempt, 413, "quota") if chance < 0.05 else Lost(number, attempt, "cut")
                self.later(self.random.random(), event)
            case Drop(_, attempt):
                assert self.live.pop(number) == attempt
                self.sent.discard(number)
            case Withdraw(number):
                assert number not in self.withdrawn
                self.withdrawn.add(number)
            case Wake(at):
                self.wake = at
            case Finish():
                self.finished = True

    def _first_word(self, number, attempt):
        refusal = self.random.choice([Refusal.BUSY, Refusal.SILENT, Refusal.ELSEWHERE, Refusal.NOT_LOCAL])
        if self.random.random() < 0.02:
            refusal = Refusal.FINAL
        return Admitted(number, attempt) if self.random.random() < 0.7 else Refused(number, attempt, refusal, 503, "no")

    def _end(self, number, attempt):
        chance = self.random.random()
        if chance < 0.1:
            return Lost(number, attempt, "reset")
        if chance < 0.18:
            return Failed(number, attempt, 500, "exit code 1")
        return Succeeded(number, attempt, self.random.choice(["x", "y"]))

    def run(self) -> None:
        self._handle(Started())
        for _ in range(5000):
            if self.finished:
                return
            due = self.agenda[0][0] if self.agenda else None
            assert due is not None or self.wake is not None, "nothing will ever happen"
            if self.wake is not None and (due is None or self.wake <= due):
                self.now, self.wake = max(self.now, self.wake), None
                self._handle(Tick())
            else:
                self.now, _, event = heapq.heappop(self.agenda)
                if self.live.get(event.session) == event.attempt:
                    if isinstance(event, (Refused, Lost, Failed, Published, Unpublished)):
                        del self.live[event.session]
                        self.sent.discard(event.session)
                    if isinstance(event, Succeeded):
                        self.sent.discard(event.session)
                    self._handle(event)
        pytest.fail("the storm does not end")

    def _handle(self, event) -> None:
        for instruction in self.scheduler.handle(event, self.now):
            self.perform(instruction)
        under_way = [one.session for one in self.scheduler.outcomes() if one.phase.under_way]
        gangs = Counter(one.gang for one in under_way)
        assert len(under_way) <= WINDOW or max(gangs.values()) >= len(under_way) - WINDOW
        for gang in {one.gang for one in self.sessions if one.id in self.sent}:
            phases = [one.phase for one in self.scheduler.outcomes() if one.session.gang == gang]
            assert Phase.CONNECTING not in phases, "a gang runs in part"


@pytest.mark.parametrize("seed", [*range(300), 971, 5444, 17924, 19082, 23897])
def test_every_promise_holds_in_a_storm(seed):
    storm = Storm(seed)
    storm.run()
    assert not storm.live
    assert not storm.networks
    assert all(number <= 1 for number in storm.published.values()), "something was published twice"
    outcomes = storm.scheduler.outcomes()
    assert all(one.phase.ended for one in outcomes)
    assert all(one.reason for one in outcomes if one.phase in (Phase.FAILED, Phase.CANCELLED))
    assert storm.now <= storm.deadline + 4.0  # what was being published may end
    published = {one.session.id for one in outcomes if one.phase is Phase.PUBLISHED}
    assert not published & storm.withdrawn
    if not any(one.keep_going for one in storm.sessions):
        nodes = {one.node for one in storm.sessions}
        done = {one.session.node for one in outcomes if one.phase is Phase.PUBLISHED}
        assert done in (set(), nodes), "a part of a failed job was left"
    whole = {one.unit for one in storm.sessions} == {0}
    if whole and storm.published and not storm.broken:
        nodes = {one.node for one in storm.sessions}
        assert storm.published.keys() == nodes, "a part of a job was to be published"
