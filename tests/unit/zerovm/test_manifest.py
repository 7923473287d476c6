"""The manifest's grammar: every rule of executor contract, sections 2 and 3, that needs no file."""

from __future__ import annotations

import errno
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm import manifest as manifests
from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.manifest import ChannelLine, Manifest, parse, render
from zerocloud.zerovm.sources import DescriptorSource, NetworkSource, OpaqueSource, PathSource, Window, parse_integer

GOOD = """\
Version=20130611
Program=/bin/program.wasm
Timeout=5
Memory=67108864,0
Channel=/dev/null,/dev/stdin,0,0,10,0x10,0,0
Channel=/dev/null,/dev/stdout,0,0,0,0,010,100
Channel=/dev/null,/dev/stderr,0,0,0,0,10,100
"""


def lines_with(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode()


def failure(text: bytes) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        parse(text)
    return caught.value


def test_a_good_manifest_is_read_whole() -> None:
    manifest = parse(GOOD.encode())
    assert manifest.program == PathSource("/bin/program.wasm")
    assert (manifest.timeout, manifest.memory, manifest.memory_etag) == (5, 64 << 20, False)
    stdin, stdout, _ = manifest.channels
    assert (stdin.gets, stdin.get_size, stdin.readable, stdin.writable) == (10, 16, True, False)
    assert (stdout.puts, stdout.put_size, stdout.readable, stdout.writable) == (8, 100, False, True)
    assert stdout.line == 6


def test_blanks_unknown_keys_and_other_lines_are_let_pass() -> None:
    text = GOOD.replace("Timeout=5", "  Timeout \t=  5 \r") + "Colour=red\nno equals sign\nTwo=equals=signs\n\n"
    assert parse(text.encode()) == parse(GOOD.encode())


def test_keys_are_case_sensitive() -> None:
    assert str(failure(lines_with("Timeout=", "timeout="))) == "Timeout not specified"


@pytest.mark.parametrize("key", ["Version", "Program", "Timeout", "Memory"])
def test_a_needed_key_is_missing(key: str) -> None:
    error = failure(re.sub(f"^{key}=.*\n", "", GOOD, flags=re.MULTILINE).encode())
    assert (str(error), error.errno, error.line) == (f"{key} not specified", errno.EFAULT, None)


@pytest.mark.parametrize("key", ["Version=20130611", "Program=/x", "Timeout=6", "Memory=67108864,0"])
def test_a_single_key_comes_twice(key: str) -> None:
    error = failure((GOOD + key + "\n").encode())
    assert str(error) == f"MANIFEST 8: duplicate {key.split('=')[0]} keyword"
    assert error.errno == errno.EFAULT


@pytest.mark.parametrize(
    ("old", "new", "number", "message"),
    [
        ("20130611", "20130612", 14, "MANIFEST 1: Version: '20130612' is not 20130611"),
        ("/bin/program.wasm", "", 14, "MANIFEST 2: Program: path '' has"),
        ("/bin/program.wasm", "fd:-1", 14, "MANIFEST 2: Program: 'fd:-1': -1 is not between 0"),
        ("Timeout=5", "Timeout=0", 14, "MANIFEST 3: Timeout: 0 is not between 1"),
        ("Timeout=5", "Timeout=-5", 14, "MANIFEST 3: Timeout: -5"),
        ("Timeout=5", "Timeout=five", 14, "MANIFEST 3: Timeout: 'five' is not a number"),
        ("Timeout=5", "Timeout=08", 14, "MANIFEST 3: Timeout: '08' is not a number"),
        ("67108864,0", "67108864", 14, "MANIFEST 4: Memory: '67108864' is not a number of bytes, a comma"),
        ("67108864,0", "67108864,2", 14, "MANIFEST 4: Memory"),
        ("67108864,0", "67108864,0,0", 14, "MANIFEST 4: Memory"),
        ("67108864,0", "0,0", 12, "MANIFEST 4: Memory: 0 bytes are not between"),
        ("67108864,0", "-1,0", 12, "MANIFEST 4: Memory: -1 bytes"),
        ("67108864,0", "4294967297,0", 12, "MANIFEST 4: Memory: 4294967297 bytes"),
        ("67108864,0", "25165824,0", 12, "MANIFEST 4: Memory: 25165824 bytes are not between 25165825"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,0,0,10,0x10,0", 14, "MANIFEST 5: Channel has 7 fields"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,0,0,10,0x10,0,0,0", 14, "MANIFEST 5: Channel has 9 fields"),
        ("/dev/stdin,0,0", "/dev/stdin,4,0", 14, "MANIFEST 5: Channel /dev/stdin: type is 4"),
        ("/dev/stdin,0,0", "/dev/stdin,-1,0", 14, "MANIFEST 5: Channel /dev/stdin: type is -1"),
        ("/dev/stdin,0,0", "/dev/stdin,x,0", 14, "MANIFEST 5: Channel /dev/stdin: 'x' is not a number"),
        ("/dev/stdin,0,0", "/dev/stdin,0,2", 14, "MANIFEST 5: Channel /dev/stdin: etag is 2"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,0,0,-1,1,0,0", 14, "MANIFEST 5: Channel /dev/stdin: gets is -1"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,0,0,0,0,0,0", 22, "MANIFEST 5: Channel /dev/stdin: can neither be read"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,0,0,1,0,0,1", 22, "MANIFEST 5: Channel /dev/stdin: can neither be read"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,0,0,1,1,1,1", 14, "MANIFEST 5: Channel /dev/stdin: type 0 can't be"),
        ("/dev/stdin,0,0,10,0x10,0,0", "/dev/stdin,2,0,1,1,1,1", 14, "MANIFEST 5: Channel /dev/stdin: type 2 can't be"),
        (
            "Channel=/dev/null,/dev/stdin",
            "Channel=dev/null,/dev/stdin",
            14,
            "MANIFEST 5: Channel /dev/stdin: source 'dev/null'",
        ),
        ("Channel=/dev/null,/dev/stdin", "Channel=ftp:x,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: source 'ftp:x'"),
        ("Channel=/dev/null,/dev/stdin", "Channel=/a;/b,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: only network"),
        ("Channel=/dev/null,/dev/stdin", "Channel=tcp:0:1,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: 'tcp:0:1': 0"),
        ("Channel=/dev/null,/dev/stdin", "Channel=tcp:1:65536,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin"),
        ("Channel=/dev/null,/dev/stdin", "Channel=tcp:1.2.3.400:1,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin"),
        ("Channel=/dev/null,/dev/stdin", "Channel=fd:0@5-4,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: 'fd:0@5-4': 4"),
        ("Channel=/dev/null,/dev/stdin", "Channel=fd:0@-1-4,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: '' is not"),
        ("Channel=/dev/null,/dev/stdin", "Channel=fd:0@5,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: '' is not a number"),
        ("Channel=/dev/null,/dev/stdin", "Channel=fd:0@0-1;fd:1,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: a part of"),
        ("Channel=/dev/null,/dev/stdin", "Channel=fd:0;fd:1@0-1,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: a part of"),
        ("Channel=/dev/null,/dev/stdout", "Channel=fd:0@0-1,/dev/stdout", 14, "MANIFEST 6: Channel /dev/stdout: a part of"),
        ("/bin/program.wasm", "fd:1@0-1", 14, "MANIFEST 2: Program: '1@0-1' is not a number"),
        ("/dev/stdin", "", 14, "MANIFEST 5: Channel: alias ''"),
        ("/dev/stdin", "/dev/std in", 14, "MANIFEST 5: Channel: alias '/dev/std in'"),
        ("/dev/stdin", "/dev/stdout", 14, "MANIFEST 6: Channel /dev/stdout: duplicate alias"),
        ("/dev/stdin", "/dev/other", 14, "channel /dev/stdin not specified"),
        ("/dev/null,/dev/stdin", "/dev/\0null,/dev/stdin", 14, "MANIFEST 5: Channel /dev/stdin: path"),
    ],
)
def test_a_bad_value_is_named_with_its_line(old: str, new: str, number: int, message: str) -> None:
    error = failure(lines_with(old, new))
    assert str(error).startswith(message)
    assert error.errno == number


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("NameServer=tcp:1.2.3.4:5\nNode=1", "MANIFEST 8: NameServer: 'tcp:1.2.3.4:5' is not udp:address:port"),
        ("NameServer=udp:host:5\nNode=1", "MANIFEST 8: NameServer"),
        ("NameServer=udp:1.2.3.4:0\nNode=1", "MANIFEST 8: NameServer: 0 is not between 1 and 65535"),
        ("NameServer=udp:1.2.3.4\nNode=1", "MANIFEST 8: NameServer"),
        ("NameServer=udp:1.2.3.4:5", "MANIFEST 8: NameServer needs a Node of 1 or more"),
        ("NameServer=udp:1.2.3.4:5\nNode=0", "MANIFEST 8: NameServer needs a Node of 1 or more"),
        ("Node=-1", "MANIFEST 8: Node: -1"),
        ("Node=one", "MANIFEST 8: Node: 'one' is not a number"),
        ("Job=" + "x" * 109, "MANIFEST 8: Job"),
        ("Fuel=0", "MANIFEST 8: Fuel: 0"),
        ("Token=xyz", "MANIFEST 8: Token: not hexadecimal"),
        ("Token=", "MANIFEST 8: Token"),
        ("Channel=tcp:3:0,/dev/in,0,0,1,1,0,0\nNode=3", "MANIFEST 8: Channel /dev/in: node 3 can't be connected to itself"),
        ("Channel=tcp:3:0,/dev/in,1,0,1,1,1,1", "MANIFEST 8: Channel /dev/in: a stream has one direction"),
    ],
)
def test_a_bad_extra_line(extra: str, message: str) -> None:
    error = failure((GOOD + extra + "\n").encode())
    assert str(error).startswith(message)
    assert error.errno == errno.EFAULT


def test_optional_keys() -> None:
    extra = "NameServer=udp:127.0.0.1:99\nNode=7\nJob=/tmp/j\nEtag=x\nFuel=0x10\nPool=cluster\nJobId=tx1\nToken=00ff\n"
    manifest = parse((GOOD + extra).encode())
    assert (manifest.name_server, manifest.node, manifest.job) == (("127.0.0.1", 99), 7, "/tmp/j")
    assert (manifest.fuel, manifest.pool, manifest.job_id, manifest.token) == (16, "cluster", "tx1", b"\x00\xff")


def test_network_sources() -> None:
    line = ChannelLine.parse("tcp:2:0;tcp:7:,/dev/in/sort-2,0,0,1,2,0,0")
    assert line.sources == (NetworkSource("2"), NetworkSource("7"))
    assert [source.node for source in line.sources if isinstance(source, NetworkSource)] == [2, 7]
    assert line.network
    by_address = ChannelLine.parse("tcp:127.0.0.1:0x50,/dev/in/x,0,0,1,2,0,0").sources[0]
    assert by_address == NetworkSource("127.0.0.1", 80)
    assert by_address.node is None


def test_channels_in_the_guests_order() -> None:
    text = "Channel=/b,/dev/z,0,0,1,1,0,0\nChannel=/b,/dev/a,0,0,1,1,0,0\n" + GOOD
    aliases = [channel.alias for channel in parse(text.encode()).ordered]
    assert aliases == ["/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/a", "/dev/z"]


def test_sizes_are_limited() -> None:
    assert failure(b"").errno == errno.EIO
    assert failure(b"\n" * 20).errno == errno.EFAULT
    assert "524288 bytes" in str(failure(GOOD.encode() + b"#" * manifests.MAXIMUM_BYTES))
    assert "8192 lines" in str(failure(GOOD.encode() + b"\n" * manifests.MAXIMUM_LINES))
    assert parse(GOOD.encode() + b"\n" * (manifests.MAXIMUM_LINES - 7)) == parse(GOOD.encode())


@pytest.mark.parametrize("bad", ["/dev/x\nProgram=/bin/evil", "/dev/x,0", "/dev/a=b", "/dev/a b", "", "/dev/\r"])
def test_an_alias_can_not_smuggle_anything_into_the_text(bad: str) -> None:
    line = ChannelLine((PathSource("/dev/null"),), bad, 0, False, 1, 1, 0, 0)
    with pytest.raises(ManifestError):
        render(Manifest(PathSource("/p"), 1, 1 << 30, (*parse(GOOD.encode()).channels, line)))


@pytest.mark.parametrize("bad", ["/a\nTimeout=9", "/a,b", "/a;b", "/a=b", "relative"])
def test_a_path_can_not_smuggle_anything_into_the_text(bad: str) -> None:
    line = ChannelLine((PathSource(bad),), "/dev/x", 0, False, 1, 1, 0, 0)
    with pytest.raises(ManifestError):
        render(Manifest(PathSource("/p"), 1, 1 << 30, (*parse(GOOD.encode()).channels, line)))


@pytest.mark.parametrize("job", ["a\nTimeout=9", "a=b", " a"])
def test_a_word_can_not_smuggle_anything_into_the_text(job: str) -> None:
    whole = Manifest(PathSource("/p"), 1, 1 << 30, parse(GOOD.encode()).channels, job=job)
    with pytest.raises(ManifestError):
        render(whole)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("017", 15), ("0x1F", 31), ("-12", -12), ("+7", 7), ("0x0", 0)])
def test_integers(text: str, number: int) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize("text", ["", "09", "0x", "1_000", "1e3", " 1", "--1", "\uff19", "9" * 5000])
def test_not_integers(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_integer(text)


# Frozen sessions.


def test_a_frozen_session_goes_on_with_the_same_channels_elsewhere() -> None:
    frozen = parse(GOOD.encode())
    text = GOOD.replace("/dev/null,/dev/stdin,0,0", "/other,/dev/stdin,0,1").replace("/bin/program.wasm", "/x")
    other = parse((text.replace("67108864,0", "77108864,1") + "Node=4\n").encode())
    assert frozen.difference(other) == ""
    thawed = frozen.thawed(other)
    assert (thawed.program, thawed.memory, thawed.memory_etag) == (frozen.program, frozen.memory, False)
    assert (thawed.channels[0].sources, thawed.channels[0].etag, thawed.node) == ((PathSource("/other"),), False, 4)


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("/dev/stdin,0", "/dev/stdin,1", "channel /dev/stdin"),
        ("10,0x10,0,0", "10,0x11,0,0", "channel /dev/stdin"),
        ("Timeout=5", "Timeout=5\nChannel=/dev/null,/dev/x,0,0,1,1,0,0", "channels"),
    ],
)
def test_what_a_frozen_session_can_not_go_on_with(old: str, new: str, difference: str) -> None:
    frozen = parse(GOOD.encode())
    assert frozen.difference(parse(lines_with(old, new))) == difference
    assert parse(lines_with(old, new)).difference(frozen) == difference


def test_a_session_frozen_to_thaw_with_more_goes_on_with_other_channels_and_less_memory() -> None:
    frozen = parse((GOOD + "Thaw=more\n").encode())
    extra = "Channel=/dev/null,/dev/a,3,1,1,1,0,0\nChannel=/dev/null,/dev/x,0,0,1,1,0,0\n"
    other = parse((GOOD.replace("67108864,0", "67043328,0") + extra).encode())
    assert frozen.difference(other) == ""
    assert other.difference(frozen) == "channels"
    thawed = frozen.thawed(other)
    assert (thawed.memory, [channel.alias for channel in thawed.channels][-2:]) == (67043328, ["/dev/a", "/dev/x"])
    assert thawed.channels[-2].etag
    assert frozen.thawed(parse(GOOD.replace("67108864,0", "77108864,0").encode())).memory == 67108864
    changed = parse(lines_with("10,0x10,0,0", "10,0x11,0,0"))
    assert frozen.difference(changed) == "channel /dev/stdin"
    assert frozen.difference(replace(other, channels=other.channels[1:])) == "channels"


# Round trips.

names = st.text(
    st.characters(codec="utf-8", exclude_characters=",;=", exclude_categories=("Cc", "Zs", "Zl", "Zp", "Cs")), min_size=1
)
numbers = st.integers(1, manifests.MAXIMUM_NUMBER)
paths = names.map("/{}".format).map(PathSource)
network = st.one_of(
    st.builds(NetworkSource, st.integers(10, 2**32 - 1).map(str), st.integers(0, 65535)),
    st.builds(NetworkSource, st.ip_addresses(v=4).map(str), st.integers(0, 65535)),
)
windows = st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)).map(lambda ends: Window(min(ends), max(ends)))
single = st.one_of(paths, st.builds(DescriptorSource, st.integers(0, 1 << 20)), names.map(OpaqueSource))


@st.composite
def channel_lines(draw: st.DrawFn, alias: str | None = None) -> ChannelLine:
    sources = draw(st.one_of(single.map(lambda source: (source,)), st.lists(network, min_size=1, max_size=3).map(tuple)))
    reads, writes = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    if isinstance(sources[0], DescriptorSource) and not writes:
        sources = (replace(sources[0], window=draw(st.none() | windows)),)
    both = reads and writes and not isinstance(sources[0], NetworkSource)
    kind = draw(st.sampled_from([1, 3]) if both else st.integers(0, 3))
    limits = [draw(numbers) if reads else 0 for _ in range(2)] + [
        draw(numbers) if writes and (both or not reads) else 0 for _ in range(2)
    ]
    return ChannelLine(sources, alias or draw(names.map("/dev/extra/{}".format)), kind, draw(st.booleans()), *limits)


words = st.none() | st.text("abcdef-/0123", min_size=1, max_size=20)


@st.composite
def whole_manifests(draw: st.DrawFn) -> Manifest:
    standard = [draw(channel_lines(alias)) for alias in manifests.STANDARD]
    others = draw(st.lists(channel_lines(), max_size=3, unique_by=lambda channel: channel.alias))
    server = draw(st.none() | st.tuples(st.ip_addresses(v=4).map(str), st.integers(1, 65535)))
    return Manifest(
        program=draw(paths | st.builds(DescriptorSource, st.integers(0, 99))),
        timeout=draw(numbers),
        memory=draw(st.integers(manifests.MINIMUM_MEMORY, manifests.MAXIMUM_MEMORY)),
        memory_etag=draw(st.booleans()),
        channels=tuple(draw(st.permutations(standard + others))),
        name_server=server,
        node=draw(st.integers(1, 9)) if server else None,
        job=draw(words),
        etag=draw(words),
        fuel=draw(st.none() | numbers),
        pool=draw(words),
        job_id=draw(words),
        token=draw(st.binary(max_size=64)),
    )


@given(channel_lines())
def test_channel_lines_come_back_as_they_were(line: ChannelLine) -> None:
    assert ChannelLine.parse(line.render()) == line


@given(whole_manifests())
def test_manifests_come_back_as_they_were(manifest: Manifest) -> None:
    assert parse(render(manifest)) == manifest


@given(st.binary())
def test_random_bytes_are_refused_cleanly(text: bytes) -> None:
    failure(text)


@given(st.binary(max_size=40), st.integers(0, 300))
def test_a_damaged_manifest_is_read_or_refused_cleanly(noise: bytes, position: int) -> None:
    whole = GOOD.encode()
    try:
        parse(whole[:position] + noise + whole[position:])
    except ManifestError:
        pass
