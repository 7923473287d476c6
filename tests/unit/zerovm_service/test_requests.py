"""What callers can ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.service.requests import Admission, Hold, Ping, Precompile, RequestError, parse_first, parse_session
from zerocloud.zerovm.sources import DescriptorSource

MANIFEST = """Version=20130611
Program=fd:0
Timeout=1
Memory=67108864,0
Channel={stdin},/dev/stdin,0,0,1,1,0,0
Channel=/dev/null,/dev/stdout,0,0,0,0,1,1
Channel=/dev/null,/dev/stderr,0,0,0,0,1,1
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Hold\n", Hold()),
        (b"Ping", Ping()),
        (b"Pool=Cluster\nJobId=7\n", Admission("cluster", "7")),
        (b" JobId = 7 ", Admission("default", "7")),
        (b"Pool=", Admission()),
        (b"", None),
        (b"Version=20130611\n", None),
        (b"Pool=default\nVersion=1", None),
        (b"Hold\nHold\n", None),
    ],
)
def test_admissions(text, expected):
    assert parse_first(text, 0) == expected


def test_a_program_to_be_compiled_comes_with_the_order():
    assert parse_first(b"Compile\n", 1) == Precompile(fuel=False)
    assert parse_first(b"Compile Fuel\n", 1) == Precompile(fuel=True)
    assert parse_first(b"Validate\n", 1) == Precompile(trusted=False)
    assert parse_first(b"Compile Fast\n", 1) is None
    for descriptors in (0, 2):
        with pytest.raises(RequestError, match="one program"):
            parse_first(b"Compile\n", descriptors)


@pytest.mark.parametrize("text", [b"Hold", b"Ping", b"Pool=a"])
def test_nothing_else_comes_with_descriptors(text):
    with pytest.raises(RequestError, match="descriptors come with a manifest"):
        parse_first(text, 1)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_admission_or_a_manifest_or_refused(text):
    try:
        admission = parse_first(text, 0)
    except RequestError:
        return
    if admission is None:
        with pytest.raises(ManifestError):
            parse_session(text, 0)


def test_a_session_of_descriptors():
    request = parse_session((MANIFEST.format(stdin="fd:1") + "Pool=Cluster\nJobId=9\n").encode(), 2)
    assert (request.program, request.null, request.admission) == (0, True, Admission("cluster", "9"))
    sources = {channel.alias: channel.sources for channel in request.manifest.channels}
    assert sources["/dev/stdin"] == (DescriptorSource(1),)
    assert sources["/dev/stdout"] == (DescriptorSource(2),)


@pytest.mark.parametrize("stdin", ["/etc/passwd", "tcp:1:0", "opaque:x", "/dev/zero", "/dev/./null", "fd:2", "fd:-1"])
def test_no_path_no_network_no_descriptor_that_is_not_there(stdin):
    with pytest.raises(ManifestError, match="/dev/stdin"):
        parse_session(MANIFEST.format(stdin=stdin).encode(), 2)


@pytest.mark.parametrize("program", ["/bin/sh", "fd:1", "program"])
def test_the_program_is_a_descriptor(program):
    with pytest.raises(ManifestError, match="Program"):
        parse_session(MANIFEST.format(stdin="fd:0").replace("Program=fd:0", f"Program={program}").encode(), 1)
