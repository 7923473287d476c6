"""The report: written, read back, and what it makes of damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.report import Accounting, Report, ReportError, parse
from zerocloud.zerovm.states import EndState

counts = st.integers(0, 2**63)
times = st.integers(0, 10**9).map(lambda hundredths: hundredths / 100)
accountings = st.builds(Accounting, times, times, *[counts] * 8)
printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)
etags = st.none() | st.dictionaries(
    printable.map("/dev/{}".format), st.binary(min_size=16, max_size=16).map(bytes.hex), min_size=1
)
states = st.lists(printable, min_size=1).map(" ".join)
reports = st.builds(Report, st.integers(0, 2), st.integers(0, 1), st.integers(-(2**31), 2**31), etags, accountings, states)


def test_the_six_lines_and_the_empty_one() -> None:
    cdr = Accounting(0.1, 2.345, 1, 2, 3, 4, 5, 6, 7, 8)
    report = Report(0, 0, 7, {"/dev/stdout": "ab", "/dev/memory": "cd"}, cdr, "ok")
    assert report.render() == b"0\n0\n7\n/dev/stdout ab /dev/memory cd\n0.10 2.35 1 2 3 4 5 6 7 8\nok\n\n"


def test_etags_are_disabled_where_there_are_none() -> None:
    assert Report().render().splitlines()[3] == b"disabled"
    assert Report(etags={}).render().splitlines()[3] == b"disabled"


def test_a_state_is_one_line() -> None:
    report = Report(state="trapped: a\nb\r\x1b[31m\u2028c\n")
    assert report.render().splitlines()[5] == b"trapped: a b  [31m c"


def test_the_state_of_a_foreign_report_takes_all_further_lines() -> None:
    assert parse(b"0\n0\n0\ndisabled\n0 0 0 0 0 0 0 0 0 0\nok").state == "ok"
    assert parse(b"0\n0\n0\ndisabled\n0 0 0 0 0 0 0 0 0 0\nok\nthen\n\n").state == "ok then"


@given(reports)
def test_reports_come_back_as_they_were(report: Report) -> None:
    assert parse(report.render()) == report


@given(st.binary())
def test_random_bytes_are_read_or_refused_cleanly(text: bytes) -> None:
    with pytest.raises(ReportError):
        parse(text)


@given(reports, st.binary(max_size=30), st.integers(0, 100))
def test_a_damaged_report_is_read_or_refused_cleanly(report: Report, noise: bytes, position: int) -> None:
    whole = report.render()
    try:
        parse(whole[:position] + noise + whole[position:])
    except ReportError:
        pass


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"0\n0\n0\ndisabled\n0 0 0 0 0 0 0 0 0 0",
        b"x\n0\n0\ndisabled\n0 0 0 0 0 0 0 0 0 0\nok\n",
        b"0\n0\n0\n/dev/stdout\n0 0 0 0 0 0 0 0 0 0\nok\n",
        b"0\n0\n0\ndisabled\n0 0 0 0 0 0 0 0 0\nok\n",
        b"0\n0\n0\ndisabled\n0 0 0 0 0 0 0 0 0 0 0\nok\n",
        b"0\n0\n0\ndisabled\n0 0 1.5 0 0 0 0 0 0 0\nok\n",
        b"0\n0\n0\ndisabled\nnan 0 0 0 0 0 0 0 0 0\nok\n",
        b"0\n0\n0\ndisabled\ninf 0 0 0 0 0 0 0 0 0\nok\n",
    ],
)
def test_what_is_no_report(text: bytes) -> None:
    with pytest.raises(ReportError):
        parse(text)


@pytest.mark.parametrize("state", list(EndState))
def test_every_end_has_a_sentence_and_is_recognized(state: EndState) -> None:
    assert state.sentence.endswith(".")
    assert EndState.of(state.value) is state
    assert EndState.of(f"{state.value}: more about it") is state


def test_a_text_like_none_of_them_tells_of_a_bad_manifest() -> None:
    assert EndState.of("MANIFEST 4: Memory: bad") is EndState.INVALID
    assert EndState.of("Version not specified") is EndState.INVALID
    assert EndState.of("okay") is EndState.INVALID
