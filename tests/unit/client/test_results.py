"""Reports of nodes from the headers of an answer, however odd they are."""

from hypothesis import given
from hypothesis import strategies as st

from zerocloud.client import Answer, Counters
from zerocloud.client.pages import MOST_ROWS

HEADERS = {
    "x-nexe-system": "map-1,map-2",
    "X-Nexe-Server": "h:1,h:2",
    "X-Nexe-Status": "ok,it exited; code 3",
    "X-Nexe-Retcode": "0,3",
    "X-Nexe-Cdr-Line": "2.000, 0.500, 0.10 0.20 1 2 3 4 5 6 7 8,0.250, broken",
}


def test_nodes():
    first, second = Answer("j", 200, HEADERS, b"").nodes
    assert (first.name, first.server, first.seconds) == ("map-1", "h:1", 0.5)
    assert first.counters == Counters(0.1, 0.2, 1, 2, 3, 4, 5, 6, 7, 8)
    assert (second.status, second.exit_code, second.counters) == ("it exited; code 3", 3, Counters())
    assert Answer("j", 200, HEADERS, b"").seconds == 2.0


def test_without_a_report():
    answer = Answer("j", 200, {}, b'{"a": 1}\xff')
    assert (answer.nodes, answer.seconds, answer.more_nodes, answer.text[-1]) == ((), 0.0, 0, "\ufffd")
    assert Answer("j", 200, {}, b'{"a": 1}').json() == {"a": 1}


@given(st.dictionaries(st.sampled_from([*HEADERS, "X-Nexe-More"]), st.text("0123456789.-einfa, ")))
def test_any_report_can_be_read_and_shown(headers):
    answer = Answer("j", 200, headers, b"")
    assert isinstance(answer.nodes, tuple)
    assert answer.more_nodes is not None
    assert "<table>" in answer._repr_html_()


def test_html_is_escaped_and_bounded():
    many = ",".join(["<b>"] * 100)
    text = Answer("<j>", 500, {"X-Nexe-System": many, "X-Nexe-More": "7"}, b"<script>" + b"x" * 10_000)._repr_html_()
    assert "<b>" not in text
    assert "<script>" not in text
    assert text.count("<tr>") == MOST_ROWS + 1
    assert "and 57 more" in text
    assert len(text) < 12_000
