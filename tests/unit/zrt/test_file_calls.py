"""Open files: of the tree, and channels of all four types."""

import errno
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from zerocloud.zrt.abi import FdFlag, FileType, OpenFlag, Right, TimeFlag
from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.errors import WorldError

from .fakes import BUFFER, OUT, READ, WRITE, FakeChannel, Guest, host_error, reader, refused, writer
from .test_path_calls import check_budget

CREAT, TRUNC = OpenFlag.CREAT, OpenFlag.TRUNC
BOTH = READ | WRITE


@pytest.fixture
def guest():
    guest = Guest(memory_limit=1 << 20)
    yield guest
    check_budget(guest)


# -------------------------------------------------------------------------------------------------------------- files


def test_read_write_seek(guest):
    fd = guest.open(b"f", CREAT, BOTH)
    assert guest.write(fd, b"hello world") == 11
    assert guest.seek(fd, 0, 1) == 11
    assert guest.seek(fd, -5, 2) == 6
    assert guest.read(fd, 2, 0, 100) == b"world"
    assert guest.read(fd, 10) == b""
    assert guest.seek(fd, 0) == 0
    assert guest.read(fd) == b""
    assert guest.pread(fd, 5, 6) == b"world"
    assert guest.pread(fd, 5, 100) == b""
    assert guest.pwrite(fd, b"W", 6) == 1
    guest.wasi.fd_tell(fd, OUT)
    assert guest.u64() == 0
    assert guest.contents(b"f") == b"hello World"
    for offset, whence in ((-1, 0), (-12, 2), (0, 3), (-1 << 63, 0), ((1 << 63) - 1, 2)):
        with refused("INVAL"):
            guest.seek(fd, offset, whence)
    with refused("INVAL"):
        guest.pread(fd, 1, 1 << 63)


def test_a_hole_is_filled_with_zeros(guest):
    fd = guest.open(b"f", CREAT, BOTH)
    guest.seek(fd, 10)
    guest.write(fd, b"")
    assert guest.fstat(fd).size == 0
    guest.write(fd, b"x")
    assert guest.contents(b"f") == bytes(10) + b"x"


def test_append(guest):
    fd = guest.open(b"f", CREAT, BOTH, FdFlag.APPEND)
    guest.write(fd, b"one")
    guest.seek(fd, 0)
    guest.write(fd, b"two")
    assert guest.contents(b"f") == b"onetwo"
    guest.wasi.fd_fdstat_set_flags(fd, 0)
    guest.seek(fd, 0)
    guest.write(fd, b"ONE")
    assert guest.contents(b"f") == b"ONEtwo"
    with refused("INVAL"):
        guest.wasi.fd_fdstat_set_flags(fd, 32)
    with refused("NOTSUP"):
        guest.wasi.fd_fdstat_set_flags(fd, FdFlag.SYNC)


def test_directions(guest):
    guest.create(b"f", b"x")
    fd = guest.open(b"f", 0, READ)
    with refused("BADF"):
        guest.write(fd, b"y")
    with refused("BADF"):
        guest.pwrite(fd, b"y", 0)
    with refused("INVAL"):
        guest.wasi.fd_filestat_set_size(fd, 0)
    with refused("BADF"):
        guest.wasi.fd_allocate(fd, 0, 10)
    fd = guest.open(b"f", 0, WRITE)
    with refused("BADF"):
        guest.read(fd, 1)
    with refused("BADF"):
        guest.pread(fd, 1, 0)
    with refused("BADF"):
        guest.read(99, 1)


def test_resize_and_allocate(guest):
    fd = guest.open(b"f", CREAT, BOTH)
    guest.wasi.fd_filestat_set_size(fd, 100)
    guest.wasi.fd_allocate(fd, 90, 20)
    guest.wasi.fd_allocate(fd, 0, 1)
    assert guest.fstat(fd).size == 110
    guest.wasi.fd_filestat_set_size(fd, 3)
    assert guest.contents(b"f") == bytes(3)
    with refused("INVAL"):
        guest.wasi.fd_allocate(fd, 0, 0)
    with refused("FBIG"):
        guest.wasi.fd_filestat_set_size(fd, (1 << 32) + 1)
    with refused("INVAL"):
        guest.wasi.fd_allocate(fd, (1 << 64) - 1, (1 << 64) - 1)


def test_a_full_memory_leaves_a_file_as_it_was(guest):
    fd = guest.open(b"f", CREAT, BOTH)
    guest.write(fd, b"text")
    for size in (1 << 20, 1 << 32):
        with refused("NOSPC"):
            guest.wasi.fd_filestat_set_size(fd, size)
    guest.seek(fd, 1 << 30)
    with refused("NOSPC"):
        guest.write(fd, b"x")
    guest.seek(fd, 1 << 40)
    with refused("FBIG"):
        guest.write(fd, b"x")
    assert guest.contents(b"f") == b"text"
    guest.wasi.fd_filestat_set_size(fd, 900_000)
    guest.wasi.fd_filestat_set_size(fd, 0)
    guest.wasi.fd_filestat_set_size(fd, 900_000)


@given(some.lists(some.tuples(some.integers(0, 40), some.binary(max_size=20)), max_size=12))
def test_writes_anywhere_give_what_a_file_gives(writes):
    guest, expected = Guest(), bytearray()
    fd = guest.open(b"f", CREAT, BOTH)
    for offset, data in writes:
        guest.pwrite(fd, data, offset)
        if data:
            expected.extend(bytes(max(0, offset - len(expected))))
            expected[offset : offset + len(data)] = data
    assert guest.contents(b"f") == bytes(expected)
    check_budget(guest)


def test_a_host_without_memory_is_not_a_crash(guest, monkeypatch):
    fd = guest.open(b"f", CREAT, BOTH)

    class Full(bytearray):
        def __iadd__(self, other):
            raise MemoryError

    guest.wasi.table.files[fd].file._data = Full()
    with pytest.raises(MemoryError):
        guest.write(fd, b"x" * 100)
    assert guest.tree.budget.used > 100


def test_descriptors_move(guest):
    guest.create(b"f", b"f")
    guest.create(b"g", b"g")
    one, two = guest.open(b"f"), guest.open(b"g")
    guest.wasi.fd_renumber(one, two)
    assert guest.read(two, 9) == b"f"
    with refused("BADF"):
        guest.read(one, 9)
    for pair in ((two, one), (one, two), (two, 7)):
        with refused("BADF"):
            guest.wasi.fd_renumber(*pair)
    guest.wasi.fd_renumber(two, two)
    guest.wasi.fd_renumber(two, 3)
    assert guest.fstat(3).kind == FileType.REGULAR_FILE
    assert guest.tree.root.opens == 0


def test_stat(guest):
    guest.create(b"f", b"12345")
    stat, root = guest.stat(b"f"), guest.stat(b"/")
    assert (stat.kind, stat.size, stat.links) == (FileType.REGULAR_FILE, 5, 1)
    assert root.kind == FileType.DIRECTORY
    assert root.inode != stat.inode
    assert root.device == stat.device
    fd = guest.open(b"f", 0, BOTH)
    guest.wasi.fd_filestat_set_times(fd, 1, 2, TimeFlag.ATIM | TimeFlag.MTIM)
    assert guest.fstat(fd).modified == 2
    guest.write(fd, b"x")
    assert guest.fstat(fd).modified > 2


def test_advice_and_sync(guest):
    guest.create(b"f")
    fd, directory = guest.open(b"f"), guest.directory(b".")
    guest.wasi.fd_advise(fd, 0, 0, 5)
    guest.wasi.fd_sync(fd)
    guest.wasi.fd_datasync(fd)
    with refused("INVAL"):
        guest.wasi.fd_advise(fd, 0, 0, 6)
    with refused("BADF"):
        guest.wasi.fd_advise(directory, 0, 0, 0)
    with refused("BADF"):
        guest.wasi.fd_sync(50)


def test_rights_are_given_up_for_good(guest):
    fd = guest.open(b"f", CREAT, BOTH)
    _, _, rights, inheriting = guest.fdstat(fd)
    assert rights & BOTH == BOTH
    guest.wasi.fd_fdstat_set_rights(fd, rights & ~BOTH, 0)
    assert guest.fdstat(fd)[2] & (BOTH | Right.FD_SEEK) == Right.FD_SEEK
    with refused("BADF"):
        guest.read(fd, 1)
    with refused("BADF"):
        guest.write(fd, b"x")
    with refused("NOTCAPABLE"):
        guest.wasi.fd_fdstat_set_rights(fd, rights, inheriting)


# -------------------------------------------------------------------------------------------------------- directories


def test_a_directory_is_not_a_file(guest):
    fd = guest.directory(b".")
    for action in (
        lambda: guest.read(fd, 1),
        lambda: guest.write(fd, b"x"),
        lambda: guest.pread(fd, 1, 0),
        lambda: guest.pwrite(fd, b"x", 0),
        lambda: guest.seek(fd, 0),
        lambda: guest.wasi.fd_tell(fd, OUT),
        lambda: guest.wasi.fd_allocate(fd, 0, 1),
        lambda: guest.wasi.fd_filestat_set_size(fd, 0),
    ):
        with refused("BADF", "ISDIR"):
            action()


def test_a_listing_in_small_pieces(guest):
    guest.mkdir(b"d")
    for number in range(300):
        guest.create(b"d/file.%d" % number)
    expected = [b".", b"..", *(b"file.%d" % number for number in range(300))]
    for room in (40, 100, 4096, 100_000):
        assert guest.names(b"d", room) == expected


def test_a_listing_stays_while_names_go(guest):
    for name in (b"a", b"b", b"c"):
        guest.create(name)
    fd = guest.directory(b".")
    guest.wasi.fd_readdir(fd, BUFFER, 200, 0, OUT)
    guest.unlink(b"b")
    guest.create(b"d")
    guest.wasi.fd_readdir(fd, BUFFER, 200, 3, OUT)
    assert guest.u32() == 2 * 25
    assert guest.bytes[BUFFER + 24 : BUFFER + 25] == b"a"
    assert guest.bytes[BUFFER + 49 : BUFFER + 50] == b"c"
    assert guest.names() == [b".", b"..", b"dev", b"a", b"c", b"d"]
    guest.wasi.fd_readdir(fd, BUFFER, 200, (1 << 64) - 1, OUT)
    assert guest.u32() == 0
    guest.create(b"f")
    with refused("NOTDIR"):
        guest.wasi.fd_readdir(guest.open(b"f"), BUFFER, 200, 0, OUT)


def test_the_root_is_preopened(guest):
    guest.wasi.fd_prestat_get(3, OUT)
    assert struct.unpack_from("<BxxxI", guest.bytes, OUT) == (0, 1)
    guest.wasi.fd_prestat_dir_name(3, BUFFER, 5)
    assert guest.bytes[BUFFER : BUFFER + 2] == b"/\0"
    with refused("NAMETOOLONG"):
        guest.wasi.fd_prestat_dir_name(3, BUFFER, 0)
    with refused("BADF"):
        guest.wasi.fd_prestat_get(4, OUT)
    with refused("BADF"):
        guest.wasi.fd_prestat_get(guest.directory(b"."), OUT)
    guest.wasi.fd_close(3)
    with refused("BADF"):
        guest.wasi.fd_prestat_get(3, OUT)


# ----------------------------------------------------------------------------------------------------------- channels


def test_standard_streams():
    out, err = writer(), writer()
    guest = Guest(channels={"/dev/stdin": reader(b"input"), "/dev/stdout": out, "/dev/stderr": err})
    assert guest.read(0, 3) == b"inp"
    assert guest.read(0, 3) == b"ut"
    assert guest.read(0, 3) == b""
    assert guest.write(1, b"to out") == 6
    assert guest.write(2, b"to err") == 6
    assert (bytes(out.data), bytes(err.data)) == (b"to out", b"to err")
    with refused("BADF"):
        guest.write(0, b"x")
    with refused("BADF"):
        guest.read(1, 1)
    guest.wasi.fd_close(1)
    with refused("BADF"):
        guest.write(1, b"x")
    fd = guest.open(b"dev/stdout", 0, WRITE)
    assert fd == 4
    assert guest.write(fd, b"!") == 1


def test_standard_streams_that_there_are_not():
    guest = Guest()
    for number in range(3):
        with refused("BADF"):
            guest.read(number, 1)


def sequential(**more):
    return Guest(channels={"/dev/x": FakeChannel(**{"readable": True, "data": bytearray(b"0123456789"), **more})})


def test_a_stream_has_no_offsets():
    guest = sequential()
    fd = guest.open(b"dev/x")
    for action in (
        lambda: guest.seek(fd, 0),
        lambda: guest.wasi.fd_tell(fd, OUT),
        lambda: guest.pread(fd, 1, 0),
        lambda: guest.pwrite(fd, b"x", 0),
    ):
        with refused("SPIPE"):
            action()
    with refused("NOTSUP"):
        guest.wasi.fd_allocate(fd, 0, 1)
    assert guest.fdstat(fd)[2] & (Right.FD_SEEK | Right.FD_TELL) == 0
    assert guest.stat(b"dev/x").size == 0
    assert guest.read(fd, 0) == b""
    assert guest.assembly.world.channels["/dev/x"].at == 0


@pytest.mark.parametrize(
    ("mode", "random", "kind"),
    [
        ("", False, FileType.UNKNOWN),
        ("pipe", False, FileType.UNKNOWN),
        ("char", False, FileType.CHARACTER_DEVICE),
        ("file", False, FileType.REGULAR_FILE),
        ("", True, FileType.REGULAR_FILE),
        ("pipe", True, FileType.UNKNOWN),
        ("char", True, FileType.CHARACTER_DEVICE),
        ("file", True, FileType.REGULAR_FILE),
    ],
)
def test_what_stat_says_of_a_channel(mode, random, kind):
    guest = Guest(channels={"/dev/x": reader(b"abc", random_read=random)}, modes={"/dev/x": mode} if mode else {})
    assert guest.stat(b"dev/x").kind == kind
    assert guest.stat(b"dev/x").size == (3 if random else 0)
    assert guest.fdstat(guest.open(b"dev/x"))[0] == kind


def test_a_wrong_direction_is_refused_at_open():
    guest = Guest(channels={"/dev/in": reader(), "/dev/out": writer()})
    for path, rights in ((b"dev/in", WRITE), (b"dev/in", BOTH), (b"dev/out", READ)):
        with refused("ACCES"):
            guest.open(path, 0, rights)
    guest.wasi.fd_close(guest.open(b"dev/in", 0, 0))


def test_a_channel_to_be_written_can_be_opened_both_ways():
    guest = Guest(channels={"/dev/out": writer()})
    fd = guest.open(b"dev/out", 0, BOTH)
    assert guest.fdstat(fd)[2] & Right.FD_WRITE
    assert not guest.fdstat(fd)[2] & Right.FD_READ
    assert guest.write(fd, b"abc") == 3
    with refused("BADF"):
        guest.read(fd, 1)
    assert bytes(guest.assembly.world.channels["/dev/out"].data) == b"abc"


def test_random_reads():
    guest = sequential(random_read=True)
    fd = guest.open(b"dev/x")
    assert guest.read(fd, 4) == b"0123"
    assert guest.seek(fd, -2, 2) == 8
    assert guest.read(fd, 4) == b"89"
    assert guest.pread(fd, 2, 3) == b"34"
    assert guest.read(fd, 4) == b""
    other = guest.open(b"dev/x")
    assert guest.read(other, 1) == b"0"


def test_reading_beyond_the_end_is_the_end():
    guest = sequential(random_read=True, failure=OSError(errno.EFAULT, "beyond"))
    fd = guest.open(b"dev/x")
    guest.seek(fd, 100)
    assert guest.read(fd, 4) == b""
    guest.seek(fd, 5)
    with pytest.raises(OSError, match="beyond"):
        guest.read(fd, 4)


def test_type_1_appends():
    channel = FakeChannel(readable=True, writable=True, random_read=True, data=bytearray(b"old"))
    guest = Guest(channels={"/dev/x": channel})
    with refused("PERM"):
        guest.open(b"dev/x", 0, BOTH)
    with refused("PERM"):
        guest.open(b"dev/x", 0, WRITE)
    fd = guest.open(b"dev/x", 0, BOTH, FdFlag.APPEND)
    assert guest.write(fd, b"new") == 3
    assert guest.seek(fd, 0, 1) == 6
    guest.seek(fd, 0)
    assert guest.read(fd, 10) == b"oldnew"
    with refused("SPIPE"):
        guest.pwrite(fd, b"x", 0)
    with refused("PERM"):
        guest.wasi.fd_fdstat_set_flags(fd, 0)
    guest.wasi.fd_fdstat_set_flags(fd, FdFlag.APPEND | FdFlag.NONBLOCK)
    fd = guest.open(b"dev/x", 0, READ)
    assert guest.read(fd, 3) == b"old"


def test_type_1_as_a_standard_stream_appends_by_itself():
    channel = FakeChannel(writable=True, random_read=True)
    guest = Guest(channels={"/dev/stdout": channel})
    guest.write(1, b"a")
    guest.write(1, b"b")
    assert channel.data == b"ab"
    assert guest.fdstat(1)[1] == FdFlag.APPEND


def test_type_2_writes_anywhere():
    channel = writer(random_write=True)
    guest = Guest(channels={"/dev/x": channel})
    fd = guest.open(b"dev/x", CREAT | TRUNC, WRITE)
    guest.write(fd, b"abc")
    guest.seek(fd, 1)
    guest.write(fd, b"B")
    guest.pwrite(fd, b"C", 2)
    assert channel.data == b"aBC"
    assert guest.seek(fd, 0, 1) == 2
    append = guest.open(b"dev/x", 0, WRITE, FdFlag.APPEND)
    guest.write(append, b"d")
    assert channel.data == b"aBCd"


def test_type_3_does_everything():
    channel = FakeChannel(readable=True, writable=True, random_read=True, random_write=True)
    guest = Guest(channels={"/dev/x": channel})
    fd = guest.open(b"dev/x", TRUNC, BOTH)
    guest.write(fd, b"abc")
    guest.seek(fd, 0)
    assert guest.read(fd, 9) == b"abc"
    with refused("PERM"):
        guest.open(b"dev/x", TRUNC, BOTH)


def test_channels_are_not_truncated():
    guest = Guest(
        channels={
            "/dev/pipe": writer(),
            "/dev/tty": writer(),
            "/dev/file": writer(),
            "/dev/random": writer(random_write=True),
            "/dev/in": reader(),
        },
        modes={"/dev/tty": "char", "/dev/file": "file"},
    )
    for path in (b"dev/pipe", b"dev/tty"):
        guest.wasi.fd_filestat_set_size(guest.open(path, TRUNC, WRITE), 0)
    for path in (b"dev/file", b"dev/random"):
        fd = guest.open(path, TRUNC, WRITE)
        with refused("PERM"):
            guest.wasi.fd_filestat_set_size(fd, 0)
    with refused("INVAL"):
        guest.wasi.fd_filestat_set_size(guest.open(b"dev/in"), 0)


def test_a_channel_without_blocking():
    source, sink = os.pipe()
    try:
        channel = PlainChannel(source, readable=True)
        guest = Guest(channels={"/dev/x": channel, "/dev/always": reader(b"x")})
        fd = guest.open(b"dev/x", 0, READ, FdFlag.NONBLOCK)
        with refused("AGAIN"):
            guest.read(fd, 10)
        os.write(sink, b"data")
        assert guest.read(fd, 10) == b"data"
        fd = guest.open(b"dev/always", 0, READ, FdFlag.NONBLOCK)
        assert guest.read(fd, 1) == b"x"
    finally:
        os.close(source)
        os.close(sink)


def test_failures_of_a_channel_pass_through():
    for failure in (host_error(errno.EDQUOT), RuntimeError("the session is over"), KeyboardInterrupt()):
        guest = sequential(failure=failure)
        with pytest.raises(type(failure)):
            guest.read(guest.open(b"dev/x"), 1)


@pytest.mark.parametrize("alias", ["/dev/a/..", "/dev//a", "/dev/./a", "/dev/" + "n" * 256, "/dev/a\0b", "/dev/a/"])
def test_aliases_that_can_not_be_names(alias):
    with pytest.raises(WorldError, match="not a name that a directory can hold"):
        Guest(channels={alias: reader()})


def test_aliases_that_can_not_be():
    with pytest.raises(WorldError, match="not a name that can be encoded"):
        Guest(channels={"/dev/\ud800": reader()})
    with pytest.raises(WorldError, match="file tree can't be made: NAMETOOLONG"):
        Guest(channels={"/dev" + "/a" * 3000: reader()})
    guest = Guest(channels={"/dev" + "/a" * 500: reader()})
    with refused("ROFS"):
        guest.mkdir(b"dev" + b"/a" * 499 + b"/b")


def test_an_alias_below_another():
    with pytest.raises(WorldError, match="channel /dev/in/a: in is a channel itself"):
        Guest(channels={"/dev/in": reader(), "/dev/in/a": reader()})


def test_aliases_elsewhere_are_invisible():
    guest = Guest(channels={"/data": reader(), "/dev": reader(), "/devil/x": reader(), "dev/x": reader(), "/dev/a": reader()})
    assert guest.names(b"/") == [b".", b"..", b"dev"]
    assert guest.names(b"dev") == [b".", b"..", b"a"]


def test_a_plain_channel(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    fd = os.open(path, os.O_RDWR)
    try:
        channel = PlainChannel(fd, readable=True, writable=True, random_read=True, random_write=True)
        guest = Guest(channels={"/dev/x": channel, "/dev/stream": PlainChannel(fd, readable=True, writable=True)})
        file = guest.open(b"dev/x", 0, BOTH)
        assert guest.read(file, 9) == b"hello"
        assert guest.pwrite(file, b"J", 0) == 1
        stream = guest.open(b"dev/stream", 0, BOTH)
        assert guest.read(stream, 9) == b"Jello"
        assert guest.write(stream, b"!") == 1
        assert guest.stat(b"dev/x").size == 6
    finally:
        os.close(fd)
