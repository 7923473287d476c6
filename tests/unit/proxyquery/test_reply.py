"""The answer's headers and its story, from outcomes and reports."""

import base64
import email
import http.client
import io
import json

import pytest
from swift.common.concurrency import sleep, spawn
from swift.common.swob import Request
from swift.common.utils import close_if_possible

from tests.unit.proxyquery.play import A, B, session
from zerocloud import wire
from zerocloud.proxyquery.ended import Ended
from zerocloud.proxyquery.exchange import Records
from zerocloud.proxyquery.reply import JSON, MULTIPART, answer
from zerocloud.proxyquery.report_headers import LONGEST_ITEM, LONGEST_LIST, report_headers
from zerocloud.proxyquery.results import NodeBody, SessionReport, one_line
from zerocloud.proxyquery.scheduler import Outcome, Phase
from zerocloud.proxyquery.spool import Spool
from zerocloud.proxyquery.story import tell


def outcome(number, phase=Phase.PUBLISHED, status=200, reason="", server=A, **changes):
    return Outcome(session(number, **changes), phase, status, reason, server, 1, ((10.0, "asks A"), (12.5, "ends")))


def ended(*outcomes, reports=None, bodies=None, words=None, winners=None, show=True):
    found = winners if winners is not None else {one.session.node: one.session.id for one in outcomes if one.status == 200}
    records = Records(reports or {}, bodies or {}, words or {})
    return Ended("j1", 10.0, outcomes, found, records, {"A:1/d": "A:1", "B:1/d": "B:1"}, show)


def body(spool, data, **headers):
    segment = spool.segment()
    segment.append(data)
    return NodeBody(segment, {name.replace("_", "-"): value for name, value in headers.items()}, delivered=True)


def spool():
    return Spool(1 << 20, None, 100, 1 << 30)


def test_ten_thousand_nodes_fit_into_the_head_of_an_answer():
    numbers = range(1, 10_001)
    reports = {number: SessionReport(status="ok", etag="/dev/stdout " + "a" * 32, policy="gold") for number in numbers}
    store = spool()
    bodies = {number: body(store, b"x", Content_Type="text/plain") for number in numbers}
    response = answer(ended(*(outcome(number) for number in numbers), reports=reports, bodies=bodies), "POST", store)
    head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    assert len(head) < 14_000  # of the 16 KiB that are common
    headers = http.client.parse_headers(io.BytesIO(f"{head}\r\n".encode()))
    counts = {len(headers[name].split(",")) for name in (wire.SYSTEM, wire.STATUS, wire.ETAG, wire.SERVER)}
    assert len(counts) == 1
    assert (told := counts.pop()) > 50
    assert told + int(headers["X-Nexe-More"]) == 10_000
    assert headers["X-Nexe-More-At"] == "?zerovm=job&id=j1"
    assert headers["X-Zerovm-Job"] == "j1"
    store.close()


@pytest.fixture
def turns():
    """Grows by one whenever others have a turn."""
    found = []

    def others():
        while True:
            found.append(1)
            sleep(0)

    thread = spawn(others)
    yield found
    thread.kill()


def test_others_run_while_a_large_answer_is_digested_and_sent(turns):
    store = spool()
    response = answer(ended(outcome(1), bodies={1: body(store, bytes(100_000), Accept_Ranges="bytes")}), "GET", store)
    assert response.conditional_response
    digested = len(turns)
    assert sum(map(len, response.app_iter)) == 100_000
    assert digested >= 1000
    assert len(turns) >= digested + 1000
    store.close()


def test_others_run_while_it_is_found_to_be_text(turns):
    store = spool()
    response = answer(ended(outcome(1), bodies={1: body(store, b"x" * 100_000)}), "GET", store, JSON)
    assert sum(map(len, response.app_iter)) > 100_000
    assert len(turns) >= 2000
    store.close()


def test_no_list_is_too_long():
    reports = {number: SessionReport(etag="é" * 900) for number in range(1, 20)}
    headers = report_headers(ended(*(outcome(number) for number in range(1, 20)), reports=reports))
    assert len(headers[wire.ETAG].encode()) <= LONGEST_LIST
    assert headers["X-Nexe-More"] == "15"


def test_the_first_session_is_always_told():
    longest = "\U0001f600" * 2000
    report = SessionReport(status=longest, etag=longest, policy=longest, error=longest)
    headers = report_headers(ended(outcome(1), outcome(2), reports={1: report, 2: report}))
    assert headers[wire.SYSTEM] == "n1"
    assert headers["X-Nexe-More"] == "1"


def test_a_value_never_looks_like_two():
    reports = {1: SessionReport(status="killed, by limit", error="one, two")}
    headers = report_headers(ended(outcome(1, Phase.FAILED, 500, "no, never"), reports=reports))
    assert headers[wire.STATUS] == "killed; by limit"
    assert headers[wire.ERROR] == "no; never"


def test_servers_are_told_only_if_they_may_be():
    assert report_headers(ended(outcome(1)))[wire.SERVER] == "A:1/d"
    assert wire.SERVER not in report_headers(ended(outcome(1), show=False))


def test_nodes_of_one_location_tell_whether_they_ran_together():
    together = report_headers(ended(outcome(1, location="x"), outcome(2, location="x"), outcome(3, location="x", server=B)))
    first, second, third = together[wire.COLOCATED].split(",")
    assert first == second != third
    assert len(first) == 40
    again = report_headers(ended(outcome(1, location="x")))
    assert again[wire.COLOCATED] != first  # so that servers can't be recognised from job to job
    assert report_headers(ended(outcome(1)))[wire.COLOCATED] == "0"


def test_the_times_of_the_job_and_its_sessions():
    reports = {1: SessionReport(cdr="0.010, 1 2 3 4 5 6 7 8 9 10")}
    headers = report_headers(ended(outcome(1), outcome(2), reports=reports))
    assert headers[wire.CDR] == f"2.500, 0.010, 1 2 3 4 5 6 7 8 9 10,0.000, {wire.NO_CDR}"


def test_bodies_come_in_order_with_the_type_of_the_first_that_says_something():
    store = spool()
    bodies = {
        1: body(store, b"", Content_Type="text/x-empty"),
        2: body(store, b"two", Content_Type="text/x-two", X_Own="2"),
        3: body(store, b"three", Content_Type="text/x-three"),
    }
    response = answer(ended(outcome(1), outcome(2), outcome(3), bodies=bodies), "POST", store)
    assert response.headers["Content-Type"] == "text/x-two"
    assert response.headers["X-Own"] == "2"
    assert response.content_length == 8
    assert response.body == b"twothree"


def test_the_highest_status_wins():
    store = spool()
    bodies = {1: body(store, b"x", Status="201 Created"), 2: body(store, b"y", Status="404 Not Found")}
    response = answer(ended(outcome(1), outcome(2), bodies=bodies), "POST", store)
    assert response.status_int == 404
    store.close()


def test_a_failed_program_that_wrote_its_own_answer_keeps_it():
    store = spool()
    bodies = {1: body(store, b"gone", Status="410 Gone", Content_Type="text/x-own")}
    failed = outcome(1, Phase.FAILED, 500, "The program exited with code 1.")
    response = answer(ended(failed, bodies=bodies), "POST", store)
    assert (response.status_int, response.body) == (410, b"gone")
    assert response.headers[wire.ERROR]


def test_a_program_can_tell_the_length_of_what_a_head_would_not_send():
    store = spool()
    response = answer(ended(outcome(1), bodies={1: body(store, b"", Status="200 OK", Content_Length="77")}), "HEAD", store)
    assert response.content_length == 77
    store.close()


def asked(response, **headers):
    """The status and body of a response to a GET with these headers."""
    request = Request.blank("/", headers={name.replace("_", "-"): value for name, value in headers.items()})
    response.request, response.environ = request, request.environ
    found = []
    pieces = response(request.environ, lambda status, headers: found.append((status, dict(headers))))
    body = b"".join(pieces)
    close_if_possible(response.app_iter)
    return int(found[0][0].split()[0]), found[0][1].get("Etag"), body


@pytest.mark.parametrize(
    ("headers", "status", "body_"),
    [
        ({}, 200, b"0123456789"),
        ({"If_None_Match": '"v1"'}, 304, b""),
        ({"If_None_Match": '"v0"'}, 200, b"0123456789"),
        ({"If_Match": '"v0"'}, 412, b""),
        ({"Range": "bytes=2-4"}, 206, b"234"),
    ],
)
def test_a_program_names_the_version_of_its_answer(headers, status, body_):
    store = spool()
    said = body(store, b"0123456789", Etag='"v1"', Accept_Ranges="bytes")
    assert asked(answer(ended(outcome(1), bodies={1: said}), "GET", store), **headers) == (status, '"v1"', body_)


@pytest.mark.parametrize("etag", ["v1", '"a\r\nX: 1"', '"a" "b"', "W/v", '"\u00e9"', ""])
def test_what_is_no_version_is_not_passed_on(etag):
    store = spool()
    _, found, _ = asked(answer(ended(outcome(1), bodies={1: body(store, b"x", Etag=etag)}), "GET", store))
    assert len(found) == 32


def test_several_programs_have_no_version_together():
    store = spool()
    bodies = {number: body(store, b"x", Etag='"v1"') for number in (1, 2)}
    assert len(asked(answer(ended(outcome(1), outcome(2), bodies=bodies), "GET", store))[1]) == 32


def test_cancelled_nodes_did_not_fail():
    store = spool()
    job = ended(outcome(1, Phase.FAILED, 404, "Error 404"), outcome(2, Phase.CANCELLED, 0, "cancelled"), winners={})
    response = answer(job, "POST", store)
    assert response.status_int == 404
    assert b"1 of 2 nodes failed" in response.body
    assert b"n2" not in response.body


def test_a_story_has_the_exit_code_the_attempts_and_the_last_words():
    report = SessionReport(retcode="3")
    failed = outcome(1, Phase.FAILED, 500, "The program exited with code 3.")
    text = tell("j1", 4, [failed], {1: report}, {1: b"first\nlast \xff\n"}, 10.0)
    assert "Job j1 failed: 1 of 4 nodes failed." in text
    assert "Node n1: The program exited with code 3. Exit code 3." in text
    assert "   2.500 s  ends" in text
    assert "  last \ufffd" in text


def test_a_story_does_not_grow_with_the_job():
    failed = [outcome(number, Phase.FAILED, 500, "no") for number in range(5000)]
    text = tell("j1", 5000, failed, {}, {}, 10.0)
    assert len(text) < 10_000
    assert "4980 more nodes failed" in text


def test_a_text_for_a_header_has_one_line():
    text = one_line("a\r\nSet-Cookie: x\0\x1b[31m\ud800\u2028")
    assert text.isprintable()
    assert text.startswith("a Set-Cookie: x [31m")
    assert one_line("  a \t b ") == "a b"


def test_errors_are_bounded_and_names_need_not_be_unicode():
    failed = [outcome(number, Phase.FAILED, 500, "no " * 5000) for number in range(50)]
    headers = report_headers(ended(*failed))
    assert len(headers[wire.ERROR]) <= LONGEST_LIST
    assert len(headers[wire.ERROR].split(",")[0]) == LONGEST_ITEM
    assert headers["X-Nexe-More-At"] == "?zerovm=job&id=j1"
    odd = outcome(1, Phase.FAILED, 500, "lone \ud800 surrogate")
    response = answer(ended(odd), "POST", spool())
    assert "surrogate" in response.headers[wire.ERROR]
    assert b"surrogate" in response.body


def three(store, **more):
    bodies = {
        1: body(store, b'one \xc3\xa9 \xf0\x9f\x98\x80\n"', Content_Type="text/plain", X_Own="1"),
        2: body(store, bytes(range(256)), Content_Type="image/x-two"),
    }
    reports = {2: SessionReport(status="ok", retcode="0", cdr="0.1, 1 2")}
    return ended(outcome(1), outcome(2), outcome(3), bodies=bodies, reports=reports, **more)


def test_each_node_by_itself_as_json():
    store = Spool(1 << 20, None, 5, 1 << 30)  # pieces so small that letters are cut
    response = answer(three(store), "POST", store, JSON)
    assert (response.status_int, response.content_type, response.content_length) == (200, JSON, None)
    assert "X-Own" not in response.headers
    told = json.loads(response.body)
    assert (told["job"], told["status"], told["error"]) == ("j1", 200, "")
    first, second, third = told["nodes"]
    assert (first["name"], first["body"], first["size"]) == ("n1", 'one \u00e9 \U0001f600\n"', 13)
    assert first["headers"]["X-Own"] == "1"
    assert base64.b64decode(second["base64"]) == bytes(range(256))
    assert (second["exit_code"], second["cdr"], second["succeeded"]) == ("0", "0.1, 1 2", True)
    assert "body" not in third


def test_each_node_by_itself_in_parts():
    store = spool()
    response = answer(three(store), "POST", store, MULTIPART)
    message = email.message_from_bytes(
        b"Content-Type: " + response.headers["Content-Type"].encode() + b"\r\n\r\n" + response.body
    )
    first, second, third = message.get_payload()
    assert (first["X-Nexe-System"], first["Content-Type"], first["Content-Length"]) == ("n1", "text/plain", "13")
    assert second.get_payload(decode=True) == bytes(range(256))
    assert (second["X-Nexe-Status"], second["X-Nexe-Cdr-Line"]) == ("ok", "0.1, 1 2")
    assert third["Content-Length"] == "0"


def test_a_failure_is_told_in_every_form():
    store = spool()
    job = ended(outcome(1, Phase.FAILED, 500, "it fell"), outcome(2), bodies={1: body(store, b"half")})
    told = json.loads(answer(job, "POST", store, JSON).body)
    assert told["status"] == 500
    assert "it fell" in told["error"]
    assert told["nodes"][0]["body"] == "half"
    store = spool()
    job = ended(outcome(1, Phase.FAILED, 500, "it fell"), outcome(2), bodies={1: body(store, b"half")})
    parts = answer(job, "POST", store, MULTIPART).body
    assert parts.index(b"it fell") < parts.index(b"half")


def test_what_a_node_says_can_not_end_its_part():
    store = spool()
    evil = body(store, b"x", Content_Type="text/plain\r\n\r\n--boundary\r\nX: y")
    response = answer(ended(outcome(1), bodies={1: evil}), "POST", store, MULTIPART)
    assert b"\r\nX: y" not in response.body
