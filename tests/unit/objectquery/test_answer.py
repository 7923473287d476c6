import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.objectquery.answer import colocation_proof, default_headers, failure, header_text, session_headers
from zerocloud.wire import NodeDescription
from zerocloud.zerovm.report import Accounting, Report
from zerocloud.zerovm.states import EndState

NODE = NodeDescription(1, "map-1", "x", "x")
RECORD = Accounting(0.01, 0.02, 3, 4, 5, 6, 7, 8, 9, 10)


def test_a_good_end():
    report = Report(0, 0, 0, {"/dev/stdout": "d" * 32}, RECORD)
    assert session_headers(NODE, report, "gold", 1.23456) == {
        "X-Nexe-System": "map-1",
        "X-Nexe-Status": "ok",
        "X-Nexe-Retcode": "0",
        "X-Nexe-Etag": "/dev/stdout " + "d" * 32,
        "X-Nexe-Validation": "0",
        "X-Nexe-Cdr-Line": "1.235, 0.01 0.02 3 4 5 6 7 8 9 10",
        "X-Nexe-Policy": "gold",
    }


def test_bad_ends_have_a_sentence():
    assert failure(Report(retcode=0)) is None
    assert failure(Report(retcode=3)) == "The program exited with code 3."
    for end in set(EndState) - {EndState.EXITED}:
        told = failure(Report(state=f"{end.value}: because"))
        assert told is not None
        assert told.endswith(f"({end.value}: because)")
    assert session_headers(NODE, Report(state="session timeout"), "gold", 0)["X-Nexe-Error"].startswith(
        "The program ran longer"
    )


def test_a_session_that_did_not_run():
    headers = default_headers("ZeroVM did not run", "gold", 0.5)
    assert headers["X-Nexe-Cdr-Line"] == "0.500, 0.00 0.00 0 0 0 0 0 0 0 0"
    assert (headers["X-Nexe-Retcode"], headers["X-Nexe-Etag"]) == ("0", "")


def test_the_proof_of_a_place():
    proof = hmac.new(b"pepper", b"127.0.0.1:6200", hashlib.sha1).hexdigest()
    assert colocation_proof("pepper:127.0.0.1:6200") == {"X-Nexe-Colocated": proof}
    assert colocation_proof("") == {}


@given(st.text(st.characters(blacklist_categories=("Cs",))))
def test_a_header_is_always_one_line(text):
    line = header_text(text)
    assert "\n" not in line
    assert "\r" not in line
    line.encode("latin-1")


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "ö\u2028"])
def test_a_header_can_not_be_split(text):
    assert "\n" not in header_text(text)
