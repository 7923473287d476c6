import pytest
from hypothesis import given
from hypothesis import strategies as some

from zerocloud.zrt import nvram
from zerocloud.zrt.nvram import Filesystem, Nvram, NvramError, parse, render

WHOLE = b"""\
# made by hand
[fstab]
channel=/dev/image, mountpoint=/, access=ro, removable=no
  mountpoint = /out ,access=wo,channel=/dev/out # behind
[args]
args=python "/my script.py" a\\x2cb ""
[env]
name=HOME, value=/
name=LIST, value=a\\x2c\\x20b=c
[mapping]
channel=/dev/stdin, mode=char
channel=/dev/stdout, mode=block
[time]
seconds=1700000000.25, seed=7
[debug]
verbosity=3
[precache]
precache=yes
"""


def test_every_section():
    assert parse(WHOLE) == Nvram(
        mounts=(Filesystem("/dev/image", "/"), Filesystem("/dev/out", "/out", "wo")),
        args=(b"python", b"/my script.py", b"a,b", b""),
        env={b"HOME": b"/", b"LIST": b"a, b=c"},
        mapping={"/dev/stdin": "char"},
        time=1700000000.25,
        seed=7,
        debug=3,
        precache=True,
    )


def test_nothing_is_something():
    assert parse(b"") == Nvram()
    assert render(Nvram()) == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[args]\nargs=a  b\tc", (b"a", b"b", b"c")),
        (b'[args]\nargs=a "b c" d', (b"a", b"b c", b"d")),
        (b'[args]\nargs=say"what "x', (b'say"what', b"x")),
        (b'[args]\nargs="never closed', (b"never closed",)),
        (b"[args]\nargs=\\x22q\\x22 \\x41\\xff", (b'"q"', b"A\xff")),
        (b"[args]\nargs=\\xZZ \\x4", (b"\\xZZ", b"\\x4")),
        (b"[args]\nargs=a # b", (b"a",)),
        (b"[args]\nargs=a, b", (b"a",)),
        (b"[args]\nargs=a\nargs=b", (b"a",)),
        (b"[args]\nargs=a\r\n", (b"a",)),
        (b"[args]\nargs=", ()),
    ],
)
def test_arguments(text, expected):
    assert parse(text).args == expected


@pytest.mark.parametrize(
    "text",
    [
        b"[env]\nname=A",
        b"[env]\nvalue=A",
        b"[env]\nname=,value=1",
        b"[fstab]\nchannel=/dev/a, mountpoint=/",
        b"[mapping]\nchannel=/dev/a, mode=block",
        b"[other]\na=b",
        b"[time]\nminutes=3",
    ],
)
def test_what_lacks_a_key_or_is_unknown_is_passed_over(text):
    assert parse(text) == Nvram()


def test_the_first_of_a_key_counts():
    assert parse(b"[env]\nname=A, name=B, value=1, value=2").env == {b"A": b"1"}


def test_a_seed_may_stand_alone():
    assert parse(b"[time]\nseed=18446744073709551615") == Nvram(seed=(1 << 64) - 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a=b", "NVRAM 1: a record outside of any section"),
        (b"\n[env", "NVRAM 2: the section's name lacks its closing bracket"),
        (b"[a]\n[b]\n[c]\n[d]\n[e]\n[f]\n[g]\n[h]", "NVRAM 8: more than 7 sections"),
        (b"[env]\n" + b"a=b\n" * 16385, "NVRAM 16386: more than 16384 records"),
        (b"[env]\na=1,b=2,c=3,d=4,e=5,f=6", "NVRAM 2: more than 5 keys"),
        (b"#" * 1048577, "NVRAM has 1048577 bytes, at most 1048576"),
        (b"[args]\nargs=a\\x00", "NVRAM 2: a NUL byte"),
        (b"[env]\nname=a=b,value=c", "NVRAM 2: a variable's name can't hold"),
        (b"[fstab]\nchannel=c,mountpoint=/,access=rw", "NVRAM 2: access=rw is unknown"),
        (b"[fstab]\nchannel=c,mountpoint=tmp,access=ro", "NVRAM 2: mountpoint=tmp is not an absolute path"),
        (b"[fstab]\nchannel=c,mountpoint=/a/../..,access=ro", "holds '..'"),
        (b"[fstab]\nchannel=c,mountpoint=//dev/x,access=ro", "lies in /dev"),
        (b"[fstab]\nchannel=c,mountpoint=/./,access=wo", "can't be mounted wo"),
        (b"[fstab]\nchannel=c,mountpoint=/,access=ro,removable=maybe", "removable=maybe is unknown"),
        (b"[fstab]\nchannel=c,mountpoint=/,access=ro,fsname=zip", "fsname=zip is unknown"),
        (b"[time]\nseconds=noon", "seconds=noon is not a time"),
        (b"[time]\nseconds=-1", "seconds=-1 is not a time"),
        (b"[time]\nseconds=nan", "seconds=nan is not a time"),
        (b"[time]\nseconds=1e300", "seconds=1e300 is not a time"),
        (b"[time]\nseed=18446744073709551616", "is not a whole number"),
        (b"[time]\nseed=" + b"9" * 5000, "is not a whole number"),
        (b"[debug]\nverbosity=5", "verbosity=5 is not a whole number from 0 to 4"),
        (b"[precache]\nprecache=1", "precache=1 is unknown"),
    ],
)
def test_what_can_not_be_meant_is_refused(text, message):
    with pytest.raises(NvramError) as caught:
        parse(text)
    assert message in str(caught.value)


@given(some.binary(max_size=400) | some.text("[]=,#\\x \tabchannelvaluename\n", max_size=200).map(str.encode))
def test_random_bytes_are_read_or_refused(text):
    try:
        parse(b"[env]\n" + text)
        parse(text)
    except NvramError:
        pass


@given(some.sampled_from(sorted(nvram._READERS)), some.binary(max_size=200))
def test_random_records_are_read_or_refused(section, text):
    try:
        parse(b"[" + section + b"]\n" + text)
    except NvramError:
        pass


plain = some.text(some.characters(exclude_characters=",#\n\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: text.encode().strip(b" \t\r") == text.encode()
)
mountpoint = some.lists(
    plain.map(lambda text: text.replace("/", "_")).filter(lambda part: part not in (".", "..", "dev")), min_size=1
)
no_nul = some.binary(max_size=20).map(lambda data: data.replace(b"\0", b"0"))
nvrams = some.builds(
    Nvram,
    mounts=some.lists(
        some.builds(
            Filesystem,
            plain,
            mountpoint.map(lambda parts: "/" + "/".join(parts)),
            some.sampled_from(["ro", "wo"]),
            some.booleans(),
        ),
        max_size=4,
    ).map(tuple),
    args=some.lists(no_nul, max_size=8).map(tuple),
    env=some.dictionaries(plain.filter(lambda name: "=" not in name).map(str.encode), no_nul, max_size=8),
    mapping=some.dictionaries(plain, some.sampled_from(["pipe", "char", "file"]), max_size=4),
    time=some.none() | some.floats(0, nvram.MAX_SECONDS),
    seed=some.none() | some.integers(0, nvram.MAX_SEED),
    debug=some.none() | some.integers(0, 4),
    precache=some.booleans(),
)


def test_a_node_with_as_many_channels_as_there_can_be():
    value = Nvram(mapping={f"/dev/in/map-{number}": "file" for number in range(10914)})
    assert parse(render(value)) == value


@given(nvrams)
def test_what_is_written_is_read_back(value):
    assert parse(render(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        Nvram(args=(b"a\0",)),
        Nvram(args=(b"a" * 1048576,)),
        Nvram(env={b"a=b": b""}),
        Nvram(env={b"a,": b""}),
        Nvram(env={b"": b""}),
        Nvram(env={b"%d" % number: b"" for number in range(16385)}),
        Nvram(mounts=(Filesystem("a#b", "/"),)),
        Nvram(mounts=(Filesystem("/dev/a", "/", "rw"),)),
        Nvram(mounts=(Filesystem("/dev/a", " /"),)),
        Nvram(mapping={"/dev/a": "block"}),
        Nvram(mapping={" /dev/a": "char"}),
        Nvram(mapping={"\ud800": "char"}),
        Nvram(time=float("inf")),
        Nvram(time=-1),
        Nvram(seed=-1),
        Nvram(debug=5),
    ],
)
def test_what_can_not_be_written_is_refused(value):
    with pytest.raises(NvramError):
        render(value)
