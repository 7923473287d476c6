"""What storage servers say, and what it means."""

import pytest

from zerocloud import wire
from zerocloud.proxyquery.scheduler import Admitted, Failed, Lost, Refusal, Refused, Succeeded
from zerocloud.proxyquery.verdict import Blame, final_event, interim_event

NOT_LOCAL = {wire.NOT_LOCAL.lower(): "slo"}


@pytest.mark.parametrize(
    ("status", "headers", "text", "refusal", "blame"),
    [
        (404, {}, "", Refusal.ELSEWHERE, Blame.NOTHING),
        (409, NOT_LOCAL, "", Refusal.NOT_LOCAL, Blame.NOTHING),
        (409, {}, "conflict", Refusal.FINAL, Blame.NOTHING),
        (503, {}, "Slot not available: pool full", Refusal.BUSY, Blame.NOTHING),
        (503, {}, "The executor service can't be started", Refusal.ELSEWHERE, Blame.FAILED),
        (507, {}, "", Refusal.ELSEWHERE, Blame.FULL),
        (500, {}, "", Refusal.ELSEWHERE, Blame.FAILED),
        (400, {}, "Cannot find pool x", Refusal.FINAL, Blame.NOTHING),
        (413, {}, "", Refusal.FINAL, Blame.NOTHING),
        (202, {}, "", Refusal.ELSEWHERE, Blame.NOTHING),
    ],
)
def test_the_first_word(status, headers, text, refusal, blame):
    event, blamed = interim_event(1, 2, status, headers, text, "/a/c/o")
    assert isinstance(event, Refused)
    assert (event.session, event.attempt, event.refusal, blamed) == (1, 2, refusal, blame)
    assert event.reason
    assert event.status >= 400


def test_admission():
    assert interim_event(1, 2, 100, {}, "", "/a") == (Admitted(1, 2), Blame.NOTHING)


def report(status="ok", retcode="0", error=""):
    headers = {wire.STATUS.lower(): status, wire.RETCODE.lower(): retcode, wire.ETAG.lower(): "/dev/stdout x"}
    return {**headers, **({wire.ERROR.lower(): error} if error else {})}


@pytest.mark.parametrize(
    ("status", "headers", "ignore", "expected"),
    [
        (200, report(), False, Succeeded(1, 2, "/dev/stdout x")),
        (200, report(retcode="3", error="exit 3"), False, Failed(1, 2, 500, "exit 3")),
        (200, report(retcode="3", error="exit 3"), True, Succeeded(1, 2, "/dev/stdout x")),
        (200, report("session timeout", "0", "slow"), True, Failed(1, 2, 500, "slow")),
        (200, report("session timeout", "3", "slow"), True, Failed(1, 2, 500, "slow")),
        (200, {}, False, Lost(1, 2, "objectquery middleware is not installed or not functioning")),
        (204, report(), False, Lost(1, 2, "objectquery middleware is not installed or not functioning")),
        (500, report(), False, Lost(1, 2, "text", 500)),
        (503, {}, False, Lost(1, 2, "text")),
        (400, {}, False, Failed(1, 2, 400, "text")),
    ],
)
def test_the_end(status, headers, ignore, expected):
    assert final_event(1, 2, status, headers, "text", ignore) == expected
