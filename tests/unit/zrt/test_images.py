"""What a guest sees of archives, honest and hostile."""

import gzip
import io
import os
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from zerocloud.zrt.errors import ExportError, ImageError, OutOfMemory, WorldError
from zerocloud.zrt.tar import read_index
from zerocloud.zrt.world import Mount, World

from .archives import archive, directory, hardlink, header, image, member, symlink
from .fakes import TEXT, Guest, host_error, reader, refused, writer


@pytest.fixture
def mounted(tmp_path):
    """Makes a guest of archives; their descriptors are closed at the end."""
    opened = []

    def make(*archives, **fields):
        mounts = [image(tmp_path, data, f"{number}.tar", **more) for number, (data, more) in enumerate(archives)]
        opened.extend(mount.fd for mount in mounts)
        return Guest(mounts=mounts, **fields)

    yield make
    for fd in opened:
        os.close(fd)


def plain(*members, **more):
    return archive(*members), more


def everything(guest, path=b""):
    """Every path below the root but /dev, links not followed."""
    found = []
    for name in guest.names(path or b"."):
        full = path + b"/" + name if path else name
        if name not in (b".", b"..") and full != b"dev":
            found.append(full)
            if guest.stat(full, follow=0).kind == 3:
                found.extend(everything(guest, full))
    return found


def test_files_are_read_in_place(mounted):
    guest = mounted(plain(directory("d"), member("d/a", b"in place", when=9), symlink("l", "d/a"), hardlink("h", "d/a")))
    assert everything(guest) == [b"d", b"d/a", b"l", b"h"]
    assert guest.contents(b"l") == guest.contents(b"h") == b"in place"
    assert guest.stat(b"d/a").links == 2
    assert guest.stat(b"d/a").modified == 9 * 10**9
    assert guest.tree.budget.used < 8000


def test_a_file_of_an_image_is_copied_when_written_to(mounted, tmp_path):
    guest = mounted(plain(member("a", b"old text")))
    fd = guest.open(b"a", 0, (1 << 1) | (1 << 6))
    guest.pwrite(fd, b"new", 0)
    assert guest.contents(b"a") == b"new text"
    assert b"old text" in (tmp_path / "0.tar").read_bytes()


def test_a_file_of_an_image_that_is_truncated_is_not_read(mounted):
    guest = mounted(plain(member("a", b"x" * 5000)))
    used = guest.tree.budget.used
    guest.wasi.fd_close(guest.open(b"a", 8, 1 << 6))
    assert guest.contents(b"a") == b""
    assert guest.tree.budget.used == used


def test_later_images_lie_over_earlier_ones(mounted):
    guest = mounted(
        plain(member("a", b"1"), member("d/x", b"1"), directory("e"), member("e/f", b"1"), symlink("to", "d")),
        plain(member("a", b"2"), member("d/y", b"2"), member("e", b"2"), member("to/z", b"2")),
    )
    assert guest.contents(b"a") == b"2"
    assert guest.contents(b"e") == b"2"
    assert sorted(guest.names(b"d")) == [b".", b"..", b"x", b"y", b"z"]


def test_the_order_of_mounts_decides(mounted):
    first, second = plain(member("a", b"1")), plain(member("a", b"2"))
    assert mounted(first, second).contents(b"a") == b"2"
    assert mounted(second, first).contents(b"a") == b"1"


def test_an_image_below_a_mount_point(mounted):
    guest = mounted((archive(member("../../a", b"1"), symlink("up", "../..")), {"mountpoint": "/mnt/deep/"}))
    assert everything(guest) == [b"mnt", b"mnt/deep", b"mnt/deep/a", b"mnt/deep/up"]
    assert guest.stat(b"mnt/deep/up").inode == guest.stat(b".").inode


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([member("../../etc/passwd", b"x")], [b"etc", b"etc/passwd"]),
        ([member("/etc/passwd", b"x")], [b"etc", b"etc/passwd"]),
        ([member("//a//./b/../c", b"x")], [b"a", b"a/c"]),
        ([member("./", kind=tarfile.DIRTYPE), member("./a")], [b"a"]),
        ([member("dev/stdin", b"x"), member("dev/new/x"), symlink("dev/l", "/")], []),
        ([symlink("dev", "/tmp")], []),
        ([member("dev", b"x")], []),
        ([symlink("d", "/dev"), member("d/stdin", b"x"), member("d/x", b"x")], [b"d"]),
        ([symlink("d", "dev"), member("d/sub/x", b"x")], [b"d"]),
        ([hardlink("h", "dev/stdin")], []),
        ([hardlink("h", "nothing")], []),
        ([hardlink("h", "/etc/passwd")], []),
        ([directory("d"), hardlink("h", "d")], [b"d"]),
        ([member("a"), hardlink("a", "a")], [b"a"]),
        ([directory("a"), member("a/b"), hardlink("a", "a/b")], []),
        ([symlink("l", "l"), member("l/x", b"1")], [b"l", b"l/x"]),
        ([symlink("l", "../../../../.."), member("l/x", b"1")], [b"l", b"x"]),
        ([member("p", kind=tarfile.FIFOTYPE), member("c", kind=tarfile.CHRTYPE), member("a")], [b"a"]),
        ([member("a", b"1"), member("a", b"2"), member("a/", kind=tarfile.DIRTYPE)], [b"a"]),
        ([member("n" * 256), member("n" * 255)], [b"n" * 255]),
        ([member("d/" * 600 + "x"), member("a")], None),
    ],
)
def test_hostile_names_stay_in_the_tree(mounted, members, expected):
    guest = mounted(plain(*members), channels={"/dev/stdin": reader(b"in")})
    assert guest.names(b"dev") == [b".", b"..", b"stdin"]
    assert guest.contents(b"dev/stdin") == b"in"
    if expected is not None:
        assert everything(guest) == expected


def test_what_is_left_out_is_noted(mounted):
    guest = mounted(plain(member("p", kind=tarfile.FIFOTYPE), hardlink("h", "gone"), member("n" * 256)))
    assert guest.assembly.notes == [
        "image /dev/image: 'p' is left out: it is neither a file, a directory nor a link",
        "image /dev/image: 'h' is left out: it can't be placed (NOENT)",
        f"image /dev/image: '{'n' * 255}' is left out: its name is too long, or holds a NUL byte",
    ]


@pytest.mark.parametrize("channel", [writer(), writer(random_write=True), writer(random_read=True)])
def test_notes_go_to_the_debug_channel(mounted, channel):
    odd = plain(member("p", kind=tarfile.FIFOTYPE), member("q", kind=tarfile.FIFOTYPE))
    mounted(odd, channels={"/dev/debug": channel})
    assert not channel.data
    mounted(odd, channels={"/dev/debug": channel}, debug=1)
    assert [line.split(b" is ")[0] for line in channel.data.splitlines()] == [
        b"image /dev/image: 'p'",
        b"image /dev/image: 'q'",
    ]


def test_a_debug_channel_that_is_full_or_not_to_be_written_is_no_matter(mounted):
    odd = plain(member("p", kind=tarfile.FIFOTYPE), member("q", kind=tarfile.FIFOTYPE))
    for channel in (writer(failure=host_error()), writer(most=0), reader()):
        assert len(mounted(odd, channels={"/dev/debug": channel}, debug=4).assembly.notes) == 2


def test_notes_come_to_an_end(mounted):
    guest = mounted(plain(*(member("p", kind=tarfile.FIFOTYPE) for _ in range(300))))
    assert len(guest.assembly.notes) == 100


def test_the_same_name_many_times_takes_one_place(mounted):
    guest = mounted((header(b"a", b"0") * 5000 + bytes(1024), {}))
    assert everything(guest) == [b"a"]
    assert guest.tree.budget.nodes == 3


def test_more_members_than_memory(mounted):
    data = b"".join(header(b"%06d" % number) for number in range(3000)) + bytes(1024)
    with pytest.raises(OutOfMemory, match="image /dev/image: a memory limit of 1048576 bytes does not hold it"):
        mounted((data, {}), memory_limit=1 << 20)


def test_a_damaged_image(mounted):
    with pytest.raises(ImageError, match="image /dev/image: the image is not a tar archive"):
        mounted((b"x" * 10_000, {}))


def test_a_descriptor_that_can_not_be_read():
    with pytest.raises(ImageError, match="can't be read: Bad file descriptor"):
        Guest(mounts=[Mount("/", fd=-1, size=10, channel="/dev/image")])


def test_a_compressed_image_lies_in_memory(mounted):
    data = gzip.compress(archive(member("a", b"z" * 300_000)))
    guest = mounted((data, {}))
    assert guest.contents(b"a") == b"z" * 300_000
    assert guest.tree.budget.used > 300_000
    with pytest.raises(OutOfMemory, match="limit of 262144 bytes"):
        mounted((data, {}), memory_limit=1 << 18)


def test_an_index_made_ahead_is_used(tmp_path):
    mount = image(tmp_path, archive(member("a", b"1")))
    index = read_index(mount.fd, mount.size)
    guest = Guest(mounts=[Mount("/", fd=-1, size=0, index=index)])
    assert guest.contents(b"a") == b"1"
    os.close(mount.fd)


def test_a_mount_point_that_can_not_be():
    with pytest.raises(WorldError, match="file tree can't be made"):
        Guest(mounts=[Mount("/dev/x", fd=0, size=0)])
    with pytest.raises(WorldError, match="file tree can't be made"):
        Guest(mounts=[Mount("/" + "n" * 300, "wo", channel="/dev/x")], channels={"/dev/x": writer()})
    with pytest.raises(WorldError, match="access rw is unknown"):
        Guest(mounts=[Mount("/a", "rw", channel="/dev/x")], channels={"/dev/x": writer()})
    for channels in ({}, {"/dev/x": reader()}):
        with pytest.raises(WorldError, match="mount /a: there is no channel /dev/x that can be written"):
            Guest(mounts=[Mount("/a", "wo", channel="/dev/x")], channels=channels)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(some.data())
def test_no_archive_escapes_or_crashes(tmp_path_factory, data):
    part = some.sampled_from(["a", "b", "..", ".", "", "dev", "l"])
    path = some.lists(part, min_size=1, max_size=4).map("/".join)
    kinds = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]
    items = data.draw(some.lists(some.tuples(path, some.sampled_from(kinds), path), max_size=10))
    mount = image(tmp_path_factory.getbasetemp(), archive(*(member(n, b"", k, t) for n, k, t in items)), "random.tar")
    try:
        guest = Guest(mounts=[mount], channels={"/dev/stdin": reader(b"in")})
        assert guest.names(b"dev") == [b".", b"..", b"stdin"]
        everything(guest)
        check_links(guest)
    finally:
        os.close(mount.fd)


def check_links(guest):
    """Names and link counts agree, and the budget with them."""
    counts, todo, names = {guest.tree.root: 1}, [guest.tree.root], 0
    while todo:
        here = todo.pop()
        for name, node in here.names.items():
            counts[node] = counts.get(node, 0) + 1
            names += 128 + len(name)
            if hasattr(node, "names"):
                assert node.parent is here
                todo.append(node)
    assert all(node.links == count for node, count in counts.items())
    assert guest.tree.budget.nodes == len(counts)
    assert guest.tree.budget.used == names + sum(512 + node.charged for node in counts)


# ----------------------------------------------------------------------------------------------------- removable and forks


def test_a_removable_image_waits_for_the_first_look(tmp_path):
    mount = image(tmp_path, b"not an archive" * 100, mountpoint="/mnt/it", removable=True)
    guest = Guest(mounts=[mount])
    assert guest.names(b"mnt") == [b".", b"..", b"it"]
    with pytest.raises(ImageError):
        guest.names(b"mnt/it")
    os.close(mount.fd)


def test_a_removable_image_is_changed_by_a_fork(tmp_path):
    old = image(
        tmp_path, archive(directory("d"), member("d/a", b"1"), member("b", b"1"), member("c", b"1")), "1.tar", removable=True
    )
    new = image(tmp_path, archive(member("d/a", b"2")), "2.tar", removable=True)
    guest = Guest(mounts=[old], env={b"A": b"1", b"B": b"1"}, args=(b"old",), channels={"/dev/stdin": reader(b"1")})
    assert guest.contents(b"d/a") == b"1"
    guest.create(b"own")
    fd = guest.open(b"c", 0, 1 << 6)
    guest.write(fd, b"mine")
    guest.assembly.rebind(
        World(mounts=[new], env={b"B": b"2", b"C": b"2"}, args=(b"new",), channels={"/dev/stdin": reader(b"2")})
    )
    assert guest.contents(b"d/a") == b"2"
    assert sorted(everything(guest)) == [b"c", b"d", b"d/a", b"own"]
    assert guest.wasi.args == (b"new",)
    assert guest.wasi.env == (b"A=1", b"B=2", b"C=2")
    assert guest.read(0, 10) == b"2"
    check = guest.tree.budget.used
    guest.assembly.rebind(World(mounts=[old], channels={"/dev/stdin": reader(b"2")}))
    assert guest.tree.budget.used < check
    os.close(old.fd)
    os.close(new.fd)


def test_directories_that_were_there_stay_when_a_removable_image_goes(tmp_path):
    old = image(tmp_path, archive(directory("keep"), directory("go")), "1.tar", removable=True)
    new = image(tmp_path, archive(member("a")), "2.tar", removable=True)
    guest = Guest(mounts=[Mount("/keep", "wo", channel="/dev/x"), old], channels={"/dev/x": writer()})
    assert everything(guest) == [b"keep", b"go"]
    guest.assembly.rebind(World(mounts=[new], channels={"/dev/x": writer()}))
    assert everything(guest) == [b"keep", b"a"]
    os.close(old.fd)
    os.close(new.fd)


def test_a_removable_image_that_was_not_looked_at_is_just_exchanged(tmp_path):
    old = image(tmp_path, b"bad" * 1000, "1.tar", removable=True)
    new = image(tmp_path, gzip.compress(archive(member("a", b"2"))), "2.tar", removable=True)
    guest = Guest(mounts=[old])
    guest.assembly.rebind(World(mounts=[new]))
    assert guest.contents(b"a") == b"2"
    guest.assembly.rebind(World(mounts=[new]))
    assert guest.contents(b"a") == b"2"
    os.close(old.fd)
    os.close(new.fd)


def test_a_channel_missing_after_a_fork_is_told():
    guest = Guest(channels={"/dev/stdin": reader()})
    with pytest.raises(WorldError, match="difference in channels: /dev/stdin not given"):
        guest.assembly.rebind(World())


def test_channels_and_mounts_that_come_after_a_fork(tmp_path):
    old = image(tmp_path, archive(member("a", b"old"), member("b", b"below")), "1.tar", channel="/dev/base")
    new = image(tmp_path, archive(member("a", b"new"), member("dev/x", b"none")), "2.tar", channel="/dev/image", removable=True)
    guest = Guest(mounts=[old], channels={"/dev/stdin": reader()})
    out = writer()
    channels = {"/dev/stdin": reader(), "/dev/in/peer": reader(b"hello"), "/dev/out": out}
    leaving = Mount("/left", "wo", channel="/dev/out")
    guest.assembly.rebind(World(mounts=[old, new, leaving], channels=channels))
    assert sorted(guest.names(b"dev")) == [b".", b"..", b"in", b"out", b"stdin"]
    assert (guest.contents(b"a"), guest.contents(b"b"), guest.contents(b"dev/in/peer")) == (b"new", b"below", b"hello")
    with refused("ROFS"):
        guest.wasi.path_create_directory(3, *guest.put(TEXT, b"dev/in/mine"))
    guest.wasi.path_create_directory(3, *guest.put(TEXT, b"left/folder"))
    guest.assembly.export()
    with tarfile.open(fileobj=io.BytesIO(bytes(out.data))) as told:
        assert told.getnames() == ["folder"]
    os.close(old.fd)
    os.close(new.fd)


def test_less_memory_after_a_fork():
    guest = Guest(memory_limit=1 << 24)
    guest.assembly.rebind(World(memory_limit=1 << 22))
    with refused("NOSPC"):
        guest.tree.budget.take(5 << 20)
    guest.tree.budget.take(3 << 20)
    with pytest.raises(WorldError, match="difference in memory: more than 1048576 bytes are in use"):
        guest.assembly.rebind(World(memory_limit=1 << 20))


# --------------------------------------------------------------------------------------------------------------- leaving


def leaving(channel, **more):
    return Guest(mounts=[Mount("/out", "wo", channel="/dev/out")], channels={"/dev/out": channel}, **more)


def fill(guest):
    guest.mkdir(b"out/d")
    guest.create(b"out/d/a", b"x" * 100_000)
    guest.create(b"out/" + b"n" * 200, b"y")
    guest.create(b"out/\xff", b"z")
    guest.symlink(b"/d/a", b"out/l")
    guest.link(b"out/d/a", b"out/h")


@pytest.mark.parametrize("channel", [writer(), writer(random_write=True), writer(most=1000)])
def test_what_a_guest_leaves_is_a_tar_archive(channel, tmp_path):
    guest = leaving(channel, clock=5)
    fill(guest)
    guest.assembly.export()
    with tarfile.open(fileobj=io.BytesIO(channel.data)) as tar:
        assert tar.getnames() == ["d", "d/a", "h", "l", "n" * 200, "\udcff"]
        assert tar.extractfile("h").read() == b"x" * 100_000
        assert tar.getmember("h").islnk()
        assert tar.getmember("l").linkname == "/d/a"
        assert tar.getmember("d/a").mtime == 5
    mount = image(tmp_path, bytes(channel.data), mountpoint="/")
    again = Guest(mounts=[mount])
    assert everything(again) == [b"d", b"d/a", b"h", b"l", b"n" * 200, b"\xff"]
    assert again.contents(b"h") == b"x" * 100_000
    os.close(mount.fd)


def test_the_same_tree_gives_the_same_archive():
    first, second = writer(), writer()
    for channel in (first, second):
        guest = leaving(channel, clock=5)
        fill(guest)
        guest.assembly.export()
    assert first.data == second.data


def test_an_archive_that_can_not_be_written_is_an_error():
    for channel in (writer(failure=host_error()), writer(most=0)):
        guest = leaving(channel)
        with pytest.raises(ExportError, match="channel /dev/out: the archive of files could not be written"):
            guest.assembly.export()


def test_a_file_of_an_image_can_be_left(tmp_path):
    mount = image(tmp_path, archive(member("a", b"1" * 70_000)), mountpoint="/out")
    channel = writer()
    guest = Guest(mounts=[mount, Mount("/out", "wo", channel="/dev/out")], channels={"/dev/out": channel})
    with refused("NOENT"):
        guest.contents(b"out/b")
    guest.assembly.export()
    with tarfile.open(fileobj=io.BytesIO(channel.data)) as tar:
        assert tar.extractfile("a").read() == b"1" * 70_000
    os.close(mount.fd)
