"""Whatever comes in, every way in answers with a sentence: nothing but a JobError leaves it."""

import gzip
import io
import tarfile
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from swift.common.swob import Request

from zerocloud.proxyquery.accept import best_type
from zerocloud.proxyquery.errors import JobError
from zerocloud.proxyquery.intake import Kept
from zerocloud.proxyquery.jobs.deferred import deferral
from zerocloud.proxyquery.jobs.resource import resource_query
from zerocloud.proxyquery.reply import FORMS
from zerocloud.proxyquery.request import asked_timeout
from zerocloud.proxyquery.results import one_line
from zerocloud.proxyquery.settings import Settings
from zerocloud.proxyquery.spool import Spool
from zerocloud.proxyquery.ways.script import script_line
from zerocloud.proxyquery.ways.sourced import source_path
from zerocloud.proxyquery.ways.tar_image import find_map
from zerocloud.sysmap import Limits, SystemMapError, parse_document

MOST = 1 << 20
HEADERS = st.text(st.characters(max_codepoint=255), max_size=60)
SETTINGS = Settings.read({})


def found_in(data, kind="application/x-tar", most=MOST):
    with Spool(MOST * 8, None, 65536, MOST * 8) as spool:
        segment = spool.segment()
        segment.append(data)
        return find_map(Kept(segment), kind, most)


def archive(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


WHOLE = archive(("first", b"x" * 700), ("boot/system.map", b"[]"), ("é" * 120, b"y"))


@given(st.binary(max_size=3000), st.sampled_from(["application/x-tar", "application/x-gzip"]))
def test_what_is_no_archive_is_refused(data, kind):
    with suppress(JobError):
        assert found_in(data, kind) is None


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=40), st.booleans())
def test_an_archive_with_a_hole_in_it_is_read_or_refused(at, piece, compressed):
    data = WHOLE[:at] + piece + WHOLE[at + len(piece) :]
    with suppress(JobError):
        found_in(gzip.compress(data) if compressed else data, "application/x-gzip" if compressed else "application/x-tar")


@given(st.integers(0, len(WHOLE)))
def test_an_archive_that_is_cut_is_read_or_refused(end):
    with suppress(JobError):
        assert found_in(WHOLE[:end]) in (None, b"[]")


def test_what_inflates_without_end_is_refused_in_time():
    bomb = gzip.compress(archive(("zeros", bytes(4 * MOST)), ("boot/system.map", b"[]")))
    assert len(bomb) < MOST // 50
    with pytest.raises(JobError) as refused:
        found_in(bomb, "application/x-gzip")
    assert refused.value.status == 413


@given(st.binary(max_size=300) | st.recursive(st.none(), lambda inner: st.lists(inner)).map(lambda value: repr(value).encode()))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"1" * 60_000)
@example(b"[1e999, NaN, -Infinity]")
@example(b'"\\ud800"')
@example(b"\xef\xbb\xbf[]")
def test_what_is_no_map_is_a_sentence(text):
    with suppress(SystemMapError):
        parse_document(text, Limits())


@given(HEADERS)
@example("swift://a/c/o\r\nX-Evil: 1")
@example("nan")
@example("inf")
@example("1e309")
@example("q=0.1;;,*/*;q=x")
def test_headers_are_taken_or_refused(text):
    with suppress(JobError):
        assert 0 < asked_timeout(text, SETTINGS) <= SETTINGS.maximum_timeout
    with suppress(JobError):
        assert "\n" not in source_path(text, "a").account
    request = Request.blank("/v1/a")
    request.environ["HTTP_X_ZEROVM_DEFERRED"] = request.environ["HTTP_ACCEPT"] = text
    with suppress(JobError):
        deferral(request)
    assert best_type(request, FORMS) in FORMS
    found = resource_query({"PATH_INFO": "/v1/a", "QUERY_STRING": f"zerovm=job&{text}"})
    assert found is None or found["zerovm"] in ("job", "jobs")
    assert "\r" not in one_line(text)
    assert "\n" not in one_line(text)


@given(st.binary(max_size=100))
@example(b"#!file://python:bin/python -u\n")
@example(b"#!\n")
@example(b"#!swift://~/c/\xff\n")
@example(b"#!file://\x00:x\n")
def test_first_lines_are_taken_or_refused(data):
    for head in (data, b"#!" + data + b"\n"):
        with suppress(JobError):
            script_line(head, "a")
