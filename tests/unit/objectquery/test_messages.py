import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.objectquery.messages import CGI, HTTP, MOST_HEAD, MessageError, is_message, parse


def test_http():
    text = b"HTTP/1.1 404 Not Here\r\nContent-Type: text/html\r\nX-Object-Meta-A: b: c\r\n\r\nbody"
    message = parse(HTTP, text)
    assert message.headers == {"Status": "404 Not Here", "Content-Type": "text/html", "X-Object-Meta-A": "b: c"}
    assert text[message.start :] == b"body"


def test_cgi():
    text = b"Content-Type: text/html; charset=utf-8\nSet-Cookie: a=b\n\n\nbody"
    message = parse(CGI + "; charset=x", text)
    assert message.headers == {"Status": "200 OK", "Content-Type": "text/html; charset=utf-8", "Set-Cookie": "a=b"}
    assert text[message.start :] == b"\nbody"
    assert parse(CGI, b"Status: 302 Found\r\nLocation: /x\r\n\r\n").headers == {"Status": "302 Found", "Location": "/x"}
    assert parse(CGI, b"status: 201\n\n").headers["Status"] == "201"


def test_a_length_that_is_told_is_kept():
    assert parse(CGI, b"Content-Length: 12345\nA: b\n\n").headers["Content-Length"] == "12345"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (HTTP, b"no headers at all"),
        (HTTP, b"Content-Type: text/html\r\n\r\n"),
        (HTTP, b"HTTP/1.1 fine\r\n\r\n"),
        (HTTP, b"HTTP/1.1 999 Strange\r\n\r\n"),
        (CGI, b"no colon\n\n"),
        (CGI, b"A b: c\n\n"),
        (CGI, b": c\n\n"),
        (CGI, b"Status: evil\n\n"),
        (CGI, b"Status: 200 \x80\n\n"),
        (CGI, b"A: b\n" * 101 + b"\n"),
        (CGI, b"A: b\rX-Evil: c\n\n"),
        (CGI, b"A: b\0c\n\n"),
        (CGI, b""),
    ],
)
def test_what_is_no_message(kind, text):
    with pytest.raises(MessageError):
        parse(kind, text)


@given(st.sampled_from((HTTP, CGI)), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_not(kind, text):
    for head in (b"", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"):
        try:
            message = parse(kind, head + text + b"\n\n")
        except MessageError:
            continue
        assert 0 < message.start <= MOST_HEAD
        assert all("\n" not in value and "\r" not in value for value in message.headers.values())


def test_types():
    assert is_message("message/http")
    assert is_message("Message/CGI; a=b")
    assert not is_message("text/plain")
    assert not is_message(None)
