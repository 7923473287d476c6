"""What users are told of a connection that failed."""

from __future__ import annotations

from zerocloud.client.reasons import root_reason


def wrapped(inner, outer):
    outer.__cause__ = inner
    return outer


def test_the_operating_systems_words_are_found():
    refused = ConnectionRefusedError(111, "Connection refused")
    pool = wrapped(refused, RuntimeError("<connection object at 0x7f>: Failed"))
    assert (
        root_reason(wrapped(pool, OSError("HTTPConnectionPool(host='h', port=1): Max retries exceeded")))
        == "Connection refused"
    )


def test_without_them_the_errors_own_text_stands():
    assert root_reason(OSError("Invalid URL 'x'")) == "Invalid URL 'x'"
    assert root_reason(wrapped(ValueError("no more"), OSError("broken off"))) == "broken off"
    assert root_reason(wrapped(TimeoutError("timed out"), OSError("HTTPConnectionPool"))) == "timed out"
