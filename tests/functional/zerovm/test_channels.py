"""Channels on files and devices: sources, directions, limits in their order, digests (executor contract, section 3)."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import threading
from pathlib import Path

import pytest

from zerocloud.zerovm.channels import open_channel
from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.manifest import ChannelLine, Manifest
from zerocloud.zerovm.sources import PathSource
from zerocloud.zerovm.states import EndState
from zerocloud.zerovm.worlds import make_world, read_configuration
from zerocloud.zrt.errors import WorldError

from .support import open_descriptors, opened, pread, read, read_all, views


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    return path


def fails(number: int):
    return pytest.raises(OSError, match=os.strerror(number).replace("(", r"\("))


def refused(text: str, *descriptors: int, **options: bool) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        opened(text, descriptors, **options)
    return caught.value


# Sequential reads.


def test_a_sequential_reader_reads_to_the_end(data: Path) -> None:
    channel = opened(f"{data},/dev/x,0,0,10,100,0,0")
    assert (channel.readable, channel.writable, channel.random_read, channel.random_write) == (True, False, False, False)
    assert [read(channel, 4) for _ in range(4)] == [b"0123", b"4567", b"89", b""]
    assert channel.size() == 0
    with fails(errno.ESPIPE):
        pread(channel, 1, 0)
    with fails(errno.EBADF):
        channel.write(views(b"x"))


def test_the_end_costs_one_operation_once(data: Path) -> None:
    counters = Counters()
    channel = open_channel(ChannelLine.parse(f"{data},/dev/x,0,0,2,100,0,0"), [], counters)
    assert [read(channel, 100) for _ in range(5)] == [b"0123456789", b"", b"", b"", b""]
    assert counters.accounting()[2:] == (2, 10, 0, 0, 0, 0, 0, 0)


def test_no_operation_is_left_to_see_the_end(data: Path) -> None:
    channel = opened(f"{data},/dev/x,0,0,1,100,0,0")
    assert read(channel, 100) == b"0123456789"
    with fails(errno.EDQUOT):
        read(channel, 100)
    assert channel.limit_hit is EndState.READ_LIMIT


def test_no_byte_is_left_to_see_the_end(data: Path) -> None:
    channel = opened(f"{data},/dev/x,0,0,100,10,0,0")
    assert read(channel, 100) == b"0123456789"
    with fails(errno.EDQUOT):
        read(channel, 100)


def test_a_read_is_cut_to_what_is_left(data: Path) -> None:
    channel = opened(f"{data},/dev/x,0,0,100,7,0,0")
    windows = views(5, 5)
    assert channel.read(windows) == 7
    assert [bytes(window) for window in windows] == [b"01234", b"56\0\0\0"]


# Random reads.


@pytest.mark.parametrize("kind", [1, 3])
def test_a_random_reader(data: Path, kind: int) -> None:
    channel = opened(f"{data},/dev/x,{kind},0,10,100,0,0")
    assert (channel.random_read, channel.random_write, channel.size()) == (True, False, 10)
    assert pread(channel, 3, 5) == b"567"
    assert pread(channel, 9, 8) == b"89"
    assert channel.poll_descriptor(False) is None


def test_the_end_of_a_random_channel_is_free_and_beyond_is_an_error(data: Path) -> None:
    counters = Counters()
    channel = open_channel(ChannelLine.parse(f"{data},/dev/x,3,0,1,100,0,0"), [], counters)
    assert [pread(channel, 3, 10) for _ in range(5)] == [b""] * 5
    with fails(errno.EFAULT):
        pread(channel, 3, 11)
    with fails(errno.EINVAL):
        pread(channel, 3, -1)
    assert pread(channel, 3, 0) == b"012"
    with fails(errno.EDQUOT):
        pread(channel, 3, 10)
    assert counters.accounting().reads == 1


# Writes.


def test_a_sequential_writer_at_its_limits(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"what was there before, and longer")
    channel = opened(f"{path},/dev/x,0,0,0,0,10,5")
    assert channel.write(views(b"abc")) == 3
    assert channel.write(views(b"def", b"ghi")) == 2
    with fails(errno.EINVAL):
        channel.write(views(b"x"))
    assert channel.limit_hit is EndState.OUTPUT_LIMIT
    channel.close(True)
    assert path.read_bytes() == b"abcde"


def test_a_writer_without_operations_left(tmp_path: Path) -> None:
    channel = opened(f"{tmp_path}/out,/dev/x,0,0,0,0,1,5")
    assert channel.write(views(b"a")) == 1
    with fails(errno.EDQUOT):
        channel.write(views(b"b"))


def test_a_random_writer(tmp_path: Path) -> None:
    path = tmp_path / "out"
    channel = opened(f"{path},/dev/x,2,0,0,0,100,8")
    assert (channel.random_read, channel.random_write) == (False, True)
    assert channel.pwrite(views(b"cd"), 2) == 2
    assert channel.size() == 4
    assert channel.pwrite(views(b"ab"), 0) == 2
    for offset in (8, 9, 1 << 62):
        with fails(errno.EINVAL):
            channel.pwrite(views(b"x"), offset)
    assert channel.pwrite(views(b"1234567"), 0) == 4
    with fails(errno.EDQUOT):
        channel.pwrite(views(b"x"), 0)
    with fails(errno.EINVAL):
        channel.pwrite(views(b"x"), 4)
    channel.close(True)
    assert path.read_bytes() == b"1234"


def test_a_write_can_not_leave_a_hole_beyond_size_and_quota(data: Path) -> None:
    channel = opened(f"{data},/dev/x,3,0,9,9,100,5")
    with fails(errno.EINVAL):
        channel.pwrite(views(b"x"), 15)
    assert channel.pwrite(views(b"xyz"), 14) == 3
    assert channel.size() == 17


def test_read_and_write_of_one_file(data: Path) -> None:
    channel = opened(f"{data},/dev/x,3,0,10,100,10,100")
    assert channel.pwrite(views(b"AB"), 9) == 2
    assert pread(channel, 100, 0) == b"012345678AB"
    channel.close(True)
    assert data.read_bytes() == b"012345678AB"


def test_type_1_appends_and_reads_anywhere(data: Path) -> None:
    channel = opened(f"{data},/dev/x,1,0,10,100,10,100")
    assert (channel.random_read, channel.random_write) == (True, False)
    assert channel.write(views(b"ab")) == 2
    assert channel.write(views(b"cd")) == 2
    assert pread(channel, 100, 8) == b"89abcd"
    with fails(errno.ESPIPE):
        channel.pwrite(views(b"x"), 0)
    channel.close(True)
    assert data.read_bytes() == b"0123456789abcd"


def test_a_read_write_file_is_created(tmp_path: Path) -> None:
    opened(f"{tmp_path}/new,/dev/x,3,0,1,1,1,1").close(True)
    assert (tmp_path / "new").read_bytes() == b""


# Sources.


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("{}/missing,/dev/x,0,0,1,1,0,0", errno.ENOENT),
        ("{}/no/directory,/dev/x,0,0,0,0,1,1", errno.ENOENT),
        ("{}/data/below,/dev/x,0,0,0,0,1,1", errno.ENOTDIR),
        ("{},/dev/x,0,0,1,1,0,0", errno.EPROTONOSUPPORT),
        ("{},/dev/x,0,0,0,0,1,1", errno.EPROTONOSUPPORT),
        ("{}/socket,/dev/x,0,0,1,1,0,0", errno.EPROTONOSUPPORT),
        ("opaque:local|x-1-2,/dev/x,0,0,1,1,0,0", errno.EPROTONOSUPPORT),
        ("tcp:2:0,/dev/x,0,0,1,1,0,0", errno.EPROTONOSUPPORT),
        ("/dev/null,/dev/x,3,0,1,1,1,1", errno.EFAULT),
        ("{}/fifo,/dev/x,3,0,1,1,1,1", errno.EFAULT),
        ("fd:0,/dev/x,0,0,1,1,0,0", errno.EBADF),
    ],
)
def test_what_can_not_be_opened_is_named(
    line: str, number: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    before = open_descriptors()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        error = refused(line.format(tmp_path))
    assert str(error).startswith("MANIFEST 7: Channel /dev/x: ")
    assert error.errno == number
    assert open_descriptors() == before


def test_a_file_without_permission(data: Path) -> None:
    data.chmod(0)
    if os.access(data, os.R_OK):
        pytest.skip("this user may read everything")
    assert refused(f"{data},/dev/x,0,0,1,1,0,0").errno == errno.EACCES


def test_devices_are_streams_whatever_their_type() -> None:
    channel = opened("/dev/null,/dev/x,3,0,1,1,0,0")
    assert (channel.random_read, channel.size()) == (False, 0)
    assert read(channel, 1) == b""
    channel.close(True)
    zero = opened("/dev/zero,/dev/x,0,0,1,5,0,0")
    assert read(zero, 10) == bytes(5)
    assert zero.poll_descriptor(False) is not None
    zero.close(True)


def test_fifos(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"through the pipe",))
    writer.start()
    channel = opened(f"{path},/dev/x,0,0,100,100,0,0")
    assert read_all(channel) == b"through the pipe"
    writer.join()
    channel.close(True)


def test_descriptors_are_used_without_their_position_and_stay_open(data: Path) -> None:
    descriptor = os.open(data, os.O_RDONLY)
    os.lseek(descriptor, 5, os.SEEK_SET)
    channel = opened("fd:0,/dev/x,0,0,10,100,0,0", [descriptor])
    other = opened("fd:0,/dev/y,0,0,10,100,0,0", [descriptor])
    assert read(channel, 4) == b"0123"
    assert read(other, 4) == b"0123"
    channel.close(True)
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == 5
    os.close(descriptor)


def test_a_descriptor_to_be_written_is_emptied(data: Path) -> None:
    with data.open("r+b") as file:
        channel = opened("fd:0,/dev/x,0,0,0,0,10,100", [file.fileno()])
        channel.write(views(b"new"))
        channel.close(True)
    assert data.read_bytes() == b"new"


@pytest.mark.parametrize(("flags", "limits"), [(os.O_RDONLY, "0,0,1,1"), (os.O_WRONLY, "1,1,0,0")])
def test_a_descriptor_of_the_wrong_direction(data: Path, flags: int, limits: str) -> None:
    descriptor = os.open(data, flags)
    assert refused(f"fd:0,/dev/x,0,0,{limits}", descriptor).errno == errno.EBADF
    assert data.read_bytes() == b"0123456789"
    os.close(descriptor)


def test_a_pipe_left_non_blocking_by_its_caller_is_made_to_wait() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    channel = opened("fd:0,/dev/x,0,0,10,100,0,0", [reading])
    timer = threading.Timer(0.05, os.write, (writing, b"late"))
    timer.start()
    assert read(channel, 10) == b"late"
    timer.join()
    os.close(reading)
    os.close(writing)


# Digests and counters.


def test_the_digest_covers_all_bytes_both_ways(data: Path) -> None:
    channel = opened(f"{data},/dev/x,3,1,10,100,10,100")
    pread(channel, 4, 2)
    channel.pwrite(views(b"ab", b"cd"), 0)
    assert channel.etag == hashlib.md5(b"2345abcd").hexdigest()
    assert opened(f"{data},/dev/x,3,0,10,100,10,100").etag is None


def test_the_digest_covers_only_what_was_taken(tmp_path: Path) -> None:
    channel = opened(f"{tmp_path}/out,/dev/x,0,1,0,0,10,3")
    assert channel.write(views(b"abcdef")) == 3
    assert channel.etag == hashlib.md5(b"abc").hexdigest()


def test_counters_are_shared_and_live(data: Path, tmp_path: Path) -> None:
    page = bytearray(64)
    counters = Counters(memoryview(page))
    reader = open_channel(ChannelLine.parse(f"{data},/dev/x,0,0,10,100,0,0"), [], counters)
    writer = open_channel(ChannelLine.parse(f"{tmp_path}/out,/dev/y,0,0,0,0,10,100"), [], counters)
    read(reader, 4)
    writer.write(views(b"abc"))
    assert Counters(bytes(page)).accounting(1.5, 2.5) == (1.5, 2.5, 1, 4, 1, 3, 0, 0, 0, 0)


# Allocation.


def test_room_is_reserved_and_given_back(tmp_path: Path) -> None:
    path = tmp_path / "out"
    size = 1 << 20
    channel = opened(f"{path},/dev/x,0,0,0,0,10,{size}", preallocate=True)
    if os.stat(path).st_blocks * 512 < size:
        pytest.skip("this file system can't reserve")
    assert os.stat(path).st_size == 0
    channel.write(views(b"abc"))
    channel.close(True)
    assert path.read_bytes() == b"abc"
    assert os.stat(path).st_blocks * 512 < size


def test_no_room_is_told_before_the_guest_runs(tmp_path: Path) -> None:
    before = open_descriptors()
    error = refused(f"{tmp_path}/out,/dev/x,0,0,0,0,10,{1 << 61}", preallocate=True)
    assert error.errno in (errno.ENOSPC, errno.EFBIG)
    assert open_descriptors() == before


def test_nothing_is_reserved_unless_asked_for(tmp_path: Path) -> None:
    opened(f"{tmp_path}/out,/dev/x,0,0,0,0,10,{1 << 61}").close(True)


# A part of a file.


@pytest.fixture
def handed_over(data: Path):
    with data.open("rb") as file:
        yield [file.fileno()]


def test_a_part_of_a_file_looks_like_a_file_of_its_own(handed_over: list[int]) -> None:
    channel = opened("fd:0@2-7,/dev/x,3,1,10,100,0,0", handed_over)
    assert (channel.readable, channel.writable, channel.size()) == (True, False, 5)
    assert read_all(channel, 4) == b"23456"
    assert channel.etag == hashlib.md5(b"23456").hexdigest()
    assert [pread(channel, 100, offset) for offset in (0, 3, 5)] == [b"23456", b"56", b""]
    with fails(errno.EFAULT):
        pread(channel, 1, 6)
    with fails(errno.EINVAL):
        pread(channel, 1, -1)
    with fails(errno.EBADF):
        channel.write(views(b"x"))
    channel.close(True)
    assert os.fstat(handed_over[0]).st_size == 10


def test_a_read_over_several_views_ends_with_the_part(handed_over: list[int]) -> None:
    channel = opened("fd:0@2-7,/dev/x,0,0,10,100,0,0", handed_over)
    windows = views(3, 3)
    assert channel.read(windows) == 5
    assert [bytes(window) for window in windows] == [b"234", b"56\0"]
    assert channel.read(windows) == 0


@pytest.mark.parametrize("part", ["0-0", "4-4", "10-10"])
def test_an_empty_part_is_at_its_end(part: str, handed_over: list[int]) -> None:
    channel = opened(f"fd:0@{part},/dev/x,3,0,10,100,0,0", handed_over)
    assert (channel.size(), read(channel, 10), pread(channel, 10, 0)) == (0, b"", b"")


def test_the_limits_of_a_part_are_those_of_any_channel(handed_over: list[int]) -> None:
    channel = opened("fd:0@2-7,/dev/x,0,0,10,3,0,0", handed_over)
    assert read(channel, 100) == b"234"
    with fails(errno.EDQUOT):
        read(channel, 100)


def test_what_is_not_there_is_no_part(handed_over: list[int]) -> None:
    assert "bytes 2 to 11 of a file of 10 bytes" in str(refused("fd:0@2-11,/dev/x,0,0,1,1,0,0", *handed_over))
    with open("/dev/null", "rb") as device:
        assert "only a regular file" in str(refused("fd:0@0-0,/dev/x,0,0,1,1,0,0", device.fileno()))


def test_a_part_of_a_file_is_a_configuration_but_no_image(data: Path) -> None:
    text = b"[args]\nargs=a b\n"
    data.write_bytes(b"[args]\nargs=x\n" + text + b"[fstab]\nchannel=/dev/image,mountpoint=/,access=ro,removable=no\n")
    nvram = f"14-{14 + len(text)}"
    with data.open("rb") as file:
        lines = [f"fd:0@{nvram},/dev/nvram,3,0,1,1,0,0", "fd:0@0-14,/dev/image,3,0,1,1,0,0"]
        channels = {line.split(",")[1]: opened(line, [file.fileno()]) for line in lines}
        manifest = Manifest(PathSource("/p"), 1, 1 << 30, ())
        assert read_configuration(channels).args == (b"a", b"b")
        channels["/dev/nvram"] = opened(f"{data},/dev/nvram,3,0,1,1,0,0")
        with pytest.raises(WorldError, match="/dev/image is a part of a file"):
            make_world(manifest, read_configuration(channels), channels)
        channels["/dev/nvram"].close(True)
