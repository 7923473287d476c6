"""What is concluded from how a process ended."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.report import Accounting, Report
from zerocloud.zerovm.service.outcome import Kill, Usage, conclude
from zerocloud.zerovm.states import EndState

USAGE = Usage(system=0.5, user=1.5, wall=3.0, peak=1 << 20)
COUNTED = Accounting(9.0, 9.0, 1, 2, 3, 4, 5, 6, 7, 8)
TIMEOUT = Kill(EndState.TIMED_OUT, "its limit of 3 seconds was reached")


def test_a_report_counts_with_the_kernels_times():
    own = Report(retcode=3, cdr=COUNTED, etags={"/dev/stdout": "ab"})
    report = conclude(own.render(), 0, None, Accounting(), USAGE, 2).report
    assert (report.retcode, report.validator, report.etags, report.end) == (3, 2, own.etags, EndState.EXITED)
    assert report.cdr == COUNTED._replace(system_time=0.5, user_time=1.5)


def test_a_report_of_a_process_that_died_does_not_count():
    report = conclude(Report().render(), signal.SIGSYS, None, COUNTED, USAGE, 0).report
    assert report.end is EndState.INTERNAL
    assert report.cdr.reads == 1


def test_a_session_that_ended_just_before_its_kill_has_ended_by_itself():
    assert conclude(Report().render(), 0, TIMEOUT, COUNTED, USAGE, 0).report.end is EndState.EXITED


def test_the_services_reason_outranks_the_signal():
    report = conclude(b"", signal.SIGKILL, TIMEOUT, COUNTED, USAGE, 0).report
    assert report.state == "session timeout: its limit of 3 seconds was reached"
    assert report.exit_code == 4


def test_a_refusal_at_instantiation_stays_one():
    own = Report(validator=1, state="refused by the validator: x")
    assert conclude(own.render(), 0, None, COUNTED, USAGE, 2).report.validator == 1


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (signal.SIGXCPU, EndState.TIMED_OUT),
        (signal.SIGXFSZ, EndState.OUTPUT_LIMIT),
        (signal.SIGKILL, EndState.INTERNAL),
        (signal.SIGRTMAX, EndState.INTERNAL),
        (3 << 8, EndState.INTERNAL),
        (0, EndState.INTERNAL),
    ],
)
def test_ends_without_a_report(status, end):
    assert conclude(b"nonsense", status, None, COUNTED, USAGE, 0).report.end is end


@given(words=st.binary(max_size=300), code=st.integers(0, 255))
def test_whatever_the_child_wrote_makes_a_report(words, code):
    outcome = conclude(words, code << 8, None, COUNTED, USAGE, 0)
    assert outcome.report.render().count(b"\n") == 7
