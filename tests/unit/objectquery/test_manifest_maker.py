import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.objectquery.binding import Backing, Bound
from zerocloud.objectquery.manifest_maker import (
    Limits,
    channel_line,
    make_manifest,
    make_nvram,
    own_lines,
    split_arguments,
    standard_line,
)
from zerocloud.objectquery.refusal import Refusal
from zerocloud.wire import ChannelDescription, NodeDescription
from zerocloud.zerovm import manifest
from zerocloud.zerovm.manifest import ChannelLine
from zerocloud.zrt import nvram
from zerocloud.zrt.nvram import Filesystem

LIMITS = Limits(operations=11, input=12, output=13, memory=64 << 20, timeout=60)


def node(*channels, **more):
    return NodeDescription(**{"id": 7, "name": "map-1", "exe": "x", "exe_name": "word count", "channels": channels, **more})


def bound(device, access, backing, path=None, **more):
    return Bound(ChannelDescription(device, access, path, **more), backing)


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (bound("stdin", 1, Backing.LOCAL_OBJECT), "fd:4,/dev/stdin,0,0,11,12,0,0"),
        (bound("input", 5, Backing.MEMBER), "fd:4,/dev/input,3,0,11,12,0,0"),
        (bound("image", 16, Backing.MEMBER), "fd:4,/dev/image,3,0,11,12,11,13"),
        (bound("image", 16, Backing.LOCAL_OBJECT), "fd:4,/dev/image,3,0,11,12,0,0"),
        (bound("python", 5, Backing.SYSTEM_IMAGE), "fd:4,/dev/python,3,0,11,12,0,0"),
        (bound("stdout", 2, Backing.OUTPUT), "fd:4,/dev/stdout,0,1,0,0,11,13"),
        (bound("stdout", 2, Backing.OUTPUT, "swift://a/c/o"), "fd:4,/dev/stdout,0,0,0,0,11,13"),
        (bound("output", 6, Backing.OUTPUT, "swift://a/c/o"), "fd:4,/dev/output,3,0,0,0,11,13"),
    ],
)
def test_channel_lines(one, line):
    assert channel_line(one, 4, LIMITS).render() == line


def test_standard_lines():
    lines = [standard_line(device, 3, LIMITS).render() for device in ("stdin", "stdout", "stderr")]
    assert lines == [
        "fd:3,/dev/stdin,0,0,11,12,0,0",
        "fd:3,/dev/stdout,0,0,0,0,11,13",
        "fd:3,/dev/stderr,0,0,0,0,11,13",
    ]


def test_a_whole_manifest():
    lines = [
        channel_line(bound("input", 5, Backing.LOCAL_OBJECT, "swift://a/c/o"), 1, LIMITS),
        ChannelLine.parse("fd:2,/dev/out/reduce-1,0,0,0,0,11,13"),
        *(standard_line(device, 3, LIMITS) for device in ("stdin", "stdout", "stderr")),
        *own_lines(0, 4, LIMITS),
    ]
    text = manifest.render(make_manifest(node(), 0, lines, LIMITS, "cluster", "job-1"))
    assert text.decode().splitlines() == [
        "Version=20130611",
        "Program=fd:0",
        "Timeout=60",
        "Memory=67108864,0",
        "Channel=fd:1,/dev/input,3,0,11,12,0,0",
        "Channel=fd:2,/dev/out/reduce-1,0,0,0,0,11,13",
        "Channel=fd:3,/dev/stdin,0,0,11,12,0,0",
        "Channel=fd:3,/dev/stdout,0,0,0,0,11,13",
        "Channel=fd:3,/dev/stderr,0,0,0,0,11,13",
        "Channel=fd:0,/dev/self,3,0,11,12,0,0",
        "Channel=fd:4,/dev/nvram,3,0,11,12,0,0",
        "Node=7",
        "Pool=cluster",
        "JobId=job-1",
    ]


def test_a_node_lowers_limits_and_never_raises_them():
    assert LIMITS.of_node(node()) == LIMITS
    assert LIMITS.of_node(node(timeout=0.2, memory=1 << 20)) == Limits(11, 12, 13, 1 << 20, 1)
    assert LIMITS.of_node(node(timeout=1e9, memory=1 << 40)) == LIMITS
    assert LIMITS.of_node(node(timeout=2.5)).timeout == 3


def test_the_nvram():
    devices = (
        bound("python", 5, Backing.SYSTEM_IMAGE),
        bound("image", 16, Backing.MEMBER, removable=True, mountpoint="/app"),
        bound("stdin", 1, Backing.NOTHING, mode="pipe"),
        bound("stdout", 2, Backing.OUTPUT, mode="block"),
    )
    network = [ChannelLine.parse("tcp:2:,/dev/out/b,0,0,0,0,1,1")]
    described = node(args='-n 3 "two words" a,b', env={"A": "1,2", "EMPTY": "", "LOCAL_OBJECT": "mine"})
    read = nvram.parse(make_nvram(described, devices, network, {"LOCAL_OBJECT": "on", "LOCAL_PATH_INFO": "/a/c/ö"}))
    assert read.mounts == (Filesystem("/dev/python", "/", "ro", False), Filesystem("/dev/image", "/app", "ro", True))
    assert read.args == (b"word count", b"-n", b"3", b"two words", b"a,b")
    assert read.env == {b"LOCAL_OBJECT": b"mine", b"LOCAL_PATH_INFO": "/a/c/ö".encode(), b"A": b"1,2"}
    assert read.mapping == {
        "/dev/python": "file",
        "/dev/image": "file",
        "/dev/stdin": "pipe",
        "/dev/stdout": "file",
        "/dev/out/b": "file",
    }


def test_many_connections_still_fit():
    network = [ChannelLine.parse(f"tcp:{peer}:0,/dev/in/map-{peer},0,0,1,1,0,0") for peer in range(1, 500)]
    read = nvram.parse(make_nvram(node(), (bound("stdout", 2, Backing.OUTPUT),), network, {}))
    assert len(read.mapping) == 500
    assert set(read.mapping.values()) == {"file"}


@pytest.mark.parametrize(
    "broken",
    [
        node(env={"A": "x\0y"}),
        node(env={"A,B": "x"}),
        node(env={"A\nname=B": "x"}),
        node(env={"A": "x" * (1 << 20)}),
        node(env={f"A{number}": "x" for number in range(16385)}),
        node(args="\\x00"),
        node(args="a\0b"),
    ],
)
def test_what_an_nvram_cannot_hold_is_refused(broken):
    with pytest.raises(Refusal) as caught:
        make_nvram(broken, (), [], {})
    assert caught.value.status == 400


def test_a_hostile_mountpoint_or_device_is_refused():
    for one in (
        bound("image", 16, Backing.MEMBER, mountpoint="/../x"),
        bound("image", 16, Backing.MEMBER, mountpoint="/, access=wo"),
        bound("x, mountpoint=/y", 5, Backing.SYSTEM_IMAGE),
        bound("x\ny", 5, Backing.MEMBER),
    ):
        with pytest.raises(Refusal):
            make_nvram(node(), (one,), [], {})


@given(
    st.dictionaries(st.text(st.characters(blacklist_categories=("Cs",))), st.text(st.characters(blacklist_categories=("Cs",))))
)
def test_variables_arrive_as_they_were_or_are_refused(variables):
    try:
        read = nvram.parse(make_nvram(node(env=variables), (), [], {}))
    except Refusal:
        return
    assert read.env == {name.encode(): value.encode() for name, value in variables.items() if value}


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=200))
def test_arguments_never_break_out_of_their_line(text):
    try:
        read = nvram.parse(make_nvram(node(args=text), (), [], {}))
    except Refusal:
        return
    assert read.args[0] == b"word count"
    assert (read.env, read.mounts) == ({}, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  a\tb  ", (b"a", b"b")),
        ('"a b" c', (b"a b", b"c")),
        ("a\\x2cb\\x20c", (b"a,b c",)),
        ("a#b,c", (b"a#b,c",)),
        ("a\nb", (b"a\nb",)),
    ],
)
def test_arguments(text, words):
    assert split_arguments(text) == words
