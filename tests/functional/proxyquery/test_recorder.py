"""When jobs are recorded: after others' answers, within limits, whatever happens to a record."""

from __future__ import annotations

import pytest
import simplejson
from swift.common.concurrency import sleep, spawn

from tests.unit.proxyquery.play import A, session
from zerocloud.proxyquery.errors import JobError
from zerocloud.proxyquery.jobs import recorder as module
from zerocloud.proxyquery.jobs.describe import LONGEST_TEXT, ROOM_FOR_FAILURES, whole
from zerocloud.proxyquery.jobs.live import About, End, LiveJob, Progress
from zerocloud.proxyquery.jobs.recorder import Recorder
from zerocloud.proxyquery.jobs.states import JobState
from zerocloud.proxyquery.jobs.store import JobStore
from zerocloud.proxyquery.jobs.unhurried import AT_A_TIME
from zerocloud.proxyquery.scheduler import Outcome, Phase


class Log:
    def __init__(self):
        self.lines = []

    def __getattr__(self, name):
        return lambda text, *values: self.lines.append(f"{name}: {text} {values}")


class Store:
    """Keeps records; ``trouble`` is raised as often as it has elements."""

    privileged = None

    def __init__(self, *trouble):
        self.trouble = list(trouble)
        self.written = {}

    def write(self, job, kind, value, keep):
        if self.trouble:
            raise self.trouble.pop(0)
        self.written[job] = (kind, value, keep)


def live(number=1, outcomes=(), foreign=False):
    about = About(f"{number:017x}", "a", "u", [], 1.0, created=1.0, started=1.0, foreign=foreign)
    return LiveJob(about, lambda: Progress(outcomes), lambda reason: None)


def end(body=b""):
    return End(JobState.SUCCEEDED, 200, body=body, body_size=len(body))


def settle(condition):
    for _ in range(1000):
        if condition():
            return
        sleep(0.005)
    raise AssertionError("it never came")


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch):
    monkeypatch.setattr(module, "REST", 0.0)


def test_an_ended_job_is_recorded_and_forgotten():
    recorder, store, job = Recorder(True, 60, None, Log()), Store(), live()
    one = recorder.begin(job, store)
    assert recorder.jobs.find("a", job.about.id) is job
    assert recorder.jobs.find("b", job.about.id) is None
    one.end(end(b"x"))
    settle(lambda: store.written)
    kind, value, keep = store.written[job.about.id]
    assert (value["state"], value["body"]["size"], keep) == ("succeeded", 1, 60)
    assert "state=succeeded" in kind
    settle(lambda: recorder.jobs.find("a", job.about.id) is None)


@pytest.mark.parametrize(
    ("trouble", "written"),
    [
        ([JobError(503, "busy")], True),
        ([RuntimeError("a mistake")], True),
        ([JobError(503, "busy")] * 9, False),
        ([JobError(413, "quota")], False),
    ],
)
def test_a_record_in_trouble_is_tried_again_where_that_helps(monkeypatch, trouble, written):
    monkeypatch.setattr(module, "sleep", lambda seconds: sleep(0))
    log = Log()
    recorder, store, job = Recorder(True, 60, None, log), Store(*trouble), live()
    recorder.begin(job, store).end(end())
    settle(lambda: recorder.jobs.find("a", job.about.id) is None)
    assert bool(store.written) is written
    assert any("can't be recorded" in line for line in log.lines)
    other = live(2)  # the writer has survived
    store.trouble.clear()
    recorder.begin(other, store).end(end())
    settle(lambda: other.about.id in store.written)


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    monkeypatch.setattr(module, "MOST_BODIES", 10)
    log = Log()
    recorder, store = Recorder(True, 60, None, log), Store()
    jobs = [live(number) for number in range(1, 6)]
    for job in jobs:
        job.kept = True
        job.finish(end(b"123456"))
        recorder.jobs.add(job)
        recorder.enqueue(job, store)  # no other green thread runs before all are there
    settle(lambda: len(store.written) == 3)
    bodies = [store.written[job.about.id][1]["body"] for job in jobs[:3]]
    assert [len(body["base64"]) > 0 for body in bodies] == [True, False, False]
    assert [body["size"] for body in bodies] == [6, 6, 6]
    assert sum("records wait" in line for line in log.lines) == 2
    settle(lambda: not list(recorder.jobs.of("a")))


def test_a_record_does_not_grow_with_what_went_wrong():
    story = tuple((2.0, "x" * 2000) for _ in range(50))
    outcomes = [Outcome(session(number), Phase.FAILED, 500, "y" * 9000, A, 1, story) for number in range(500)]
    value = whole(live(outcomes=outcomes))
    told = sum(len(line) for failure in value["failures"].values() for _, line in failure["story"])
    assert 0 < told <= ROOM_FOR_FAILURES
    assert len(value["table"]) == 500
    assert max(len(row["error"]) for row in value["table"]) == LONGEST_TEXT + 1
    assert whole(live(outcomes=outcomes), 7)["omitted"] == 493


def test_others_can_not_fill_an_account_with_records(monkeypatch):
    recorder, store, job = Recorder(True, 60, None, Log()), Store(), live(foreign=True)
    recorder.begin(job, store).end(end())
    settle(lambda: recorder.jobs.find("a", job.about.id) is None)
    assert not store.written
    monkeypatch.setattr(module, "FIRST", 0.01)  # one that takes time can be seen and cancelled
    store.asked_to_cancel = list
    one = recorder.begin(job, store)
    settle(lambda: store.written)
    one.end(end())
    settle(lambda: store.written[job.about.id][1]["state"] == "succeeded")


class Objects:
    """A pipeline that keeps what is stored."""

    def __init__(self):
        self.stored = []

    def privileged(self):
        return self

    def store(self, path, headers, content, length):
        text = b"".join(content)
        assert len(text) == length
        self.stored.append(simplejson.loads(text))


@pytest.mark.parametrize("number", [0, 1, 10 * AT_A_TIME])
def test_others_have_their_turns_while_a_large_job_is_recorded(number):
    job = live(outcomes=[Outcome(session(at), Phase.PUBLISHED, 200, "", A, 1, ()) for at in range(number)])
    recorder, objects, turns, over = Recorder(True, 60, None, Log()), Objects(), [], []

    def another():
        while not over:
            turns.append(1)
            sleep(0)

    spawn(another)
    job.kept = True
    job.finish(end(b"x"))
    assert recorder.write(job, JobStore(objects, "a")) is None
    over.append(True)
    assert len(turns) >= 2 * (number // AT_A_TIME)  # once for its lines, once for their JSON
    assert objects.stored == [simplejson.loads(simplejson.dumps(whole(job)))]
