"""Names: what wasi-libc, CPython and the public WASI tests expect of them, and what no guest may get by them."""

import errno
import os

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from zerocloud.zrt.abi import FileType, OpenFlag, Right, TimeFlag
from zerocloud.zrt.tree import MAX_DEPTH

from .fakes import BUFFER, OUT, READ, TEXT, TEXT_2, WRITE, Guest, reader, refused, writer
from .test_images import check_links

CREAT, DIRECTORY, EXCL, TRUNC = OpenFlag.CREAT, OpenFlag.DIRECTORY, OpenFlag.EXCL, OpenFlag.TRUNC


@pytest.fixture
def guest():
    guest = Guest(memory_limit=8 << 20, channels={"/dev/stdin": reader(b"in"), "/dev/in/a": reader(b"a"), "/dev/out": writer()})
    yield guest
    check_budget(guest)


def check_budget(guest):
    for fd in list(guest.wasi.table.files):
        guest.wasi.fd_close(fd)
    check_links(guest)


# ------------------------------------------------------------------------------------------------------------ opening


def test_open_and_create(guest):
    with refused("NOENT"):
        guest.open(b"a")
    guest.create(b"a", b"text")
    assert guest.contents(b"a") == b"text"
    with refused("EXIST"):
        guest.open(b"a", CREAT | EXCL)
    assert guest.open(b"a", CREAT) == 4
    assert guest.open(b"a") == 5
    guest.wasi.fd_close(4)
    assert guest.open(b"a") == 4


def test_open_refuses(guest):
    guest.mkdir(b"d")
    guest.create(b"f")
    guest.symlink(b"f", b"l")
    guest.symlink(b"gone", b"dangling")
    with refused("ISDIR"):
        guest.open(b"d", 0, WRITE)
    with refused("ISDIR"):
        guest.open(b"d", CREAT)
    with refused("ISDIR"):
        guest.open(b"d", TRUNC)
    with refused("NOTDIR"):
        guest.open(b"f", DIRECTORY)
    with refused("NOTDIR"):
        guest.open(b"f/")
    with refused("NOTDIR"):
        guest.open(b"f/x", CREAT)
    with refused("ISDIR"):
        guest.open(b"new/", CREAT)
    with refused("INVAL"):
        guest.open(b"d", CREAT | DIRECTORY)
    with refused("INVAL"):
        guest.open(b"f", flags=32)
    with refused("LOOP"):
        guest.open(b"l", follow=0)
    with refused("LOOP"):
        guest.open(b"l", DIRECTORY, follow=0)
    with refused("NOTDIR"):
        guest.open(b"l", DIRECTORY)
    with refused("NOENT"):
        guest.open(b"dangling")
    with refused("EXIST"):
        guest.open(b"dangling", CREAT | EXCL)
    with refused("NOENT"):
        guest.open(b"")
    with refused("INVAL"):
        guest.open(b"f\0")
    with refused("BADF"):
        guest.open(b"f", fd=99)
    file = guest.open(b"f")
    with refused("NOTDIR"):
        guest.open(b"f", fd=file)


def test_creating_through_a_dangling_link_makes_its_target(guest):
    guest.symlink(b"target", b"l")
    guest.create(b"l", b"x")
    assert guest.contents(b"target") == b"x"


def test_truncating_at_open(guest):
    guest.create(b"f", b"text")
    guest.wasi.fd_close(guest.open(b"f", TRUNC, 0))
    assert guest.contents(b"f") == b""


def test_too_many_open_files(guest):
    guest.create(b"f")
    for _ in range(1024 - len(guest.wasi.table.files)):
        guest.open(b"f")
    with refused("MFILE"):
        guest.open(b"f")
    with refused("MFILE"):
        guest.open(b"new", CREAT)
    with refused("NOENT"):
        guest.stat(b"new")
    guest.wasi.fd_close(500)
    assert guest.open(b"f") == 500


def test_a_removed_file_lives_while_it_is_open(guest):
    guest.create(b"f", b"text")
    used = guest.tree.budget.used
    fd = guest.open(b"f")
    guest.unlink(b"f")
    assert guest.read(fd, 10) == b"text"
    assert guest.fstat(fd).links == 0
    guest.wasi.fd_close(fd)
    assert guest.tree.budget.used < used - 512


def test_a_removed_directory_takes_no_new_names(guest):
    guest.mkdir(b"d")
    fd = guest.directory(b"d")
    guest.create(b"f")
    guest.rmdir(b"d")
    with refused("NOENT"):
        guest.open(b"x", CREAT, fd=fd)
    with refused("NOENT"):
        guest.mkdir(b"x", fd=fd)
    with refused("NOENT"):
        guest.symlink(b"t", b"x", fd=fd)
    with refused("NOENT"):
        guest.rename(b"f", b"f", to_fd=fd)
    guest.wasi.fd_readdir(fd, BUFFER, 4096, 0, OUT)
    assert guest.u32() == 2 * 24 + 3


# ------------------------------------------------------------------------------------------------------------ walking


def test_the_root_has_no_way_out(guest):
    guest.create(b"f", b"x")
    assert guest.contents(b"/f") == guest.contents(b"../../f") == guest.contents(b"/../f") == b"x"
    assert guest.stat(b"..").inode == guest.stat(b"/").inode == guest.stat(b".").inode


def test_other_directories_are_not_left(guest):
    guest.mkdir(b"d")
    guest.mkdir(b"d/e")
    guest.create(b"f")
    guest.create(b"d/g")
    guest.symlink(b"/f", b"d/absolute")
    guest.symlink(b"../f", b"d/up")
    guest.symlink(b"e/../g", b"d/inside")
    fd = guest.directory(b"d")
    for path in (b"../f", b"e/../../f", b"/f", b"absolute", b"up", b".."):
        with refused("PERM"):
            guest.open(path, fd=fd)
    guest.open(b"inside", fd=fd)
    assert guest.contents(b"d/absolute") == guest.contents(b"d/up") == b""


def test_dots_and_slashes(guest):
    guest.mkdir(b"d")
    guest.mkdir(b"d/n")
    guest.create(b"d/n/f", b"x")
    assert guest.contents(b"d/.//n/../../d/n/../n///./f") == b"x"
    for path in (b"d/n/f/", b"d/n/f///", b"d/n/f/.", b"d/n/f/.."):
        with refused("NOTDIR"):
            guest.stat(path)
    with refused("NOENT"):
        guest.stat(b"x/..")
    with refused("NOENT"):
        guest.stat(b"x/")
    guest.wasi.fd_close(guest.directory(b"d/n///"))


def test_links_that_lead_in_circles(guest):
    guest.symlink(b"b", b"a")
    guest.symlink(b"a", b"b")
    guest.symlink(b"self/x", b"self")
    for path in (b"a", b"self", b"a/x"):
        with refused("LOOP"):
            guest.open(path)
    for number in range(41):
        guest.symlink(b"l%d" % (number + 1), b"l%d" % number)
    guest.create(b"l41", b"end")
    assert guest.contents(b"l1") == b"end"
    with refused("LOOP"):
        guest.open(b"l0")


def test_a_link_in_the_middle_is_followed_always(guest):
    guest.mkdir(b"d")
    guest.create(b"d/f")
    guest.symlink(b"d", b"l")
    assert guest.stat(b"l/f", follow=0).kind == FileType.REGULAR_FILE
    assert guest.stat(b"l/", follow=0).kind == FileType.DIRECTORY
    assert guest.stat(b"l", follow=0).kind == FileType.SYMBOLIC_LINK
    assert guest.stat(b"l", follow=0).size == 1


def test_names_have_limits(guest):
    guest.create(b"n" * 255)
    for path in (b"n" * 256, b"a/" + b"n" * 256, b"a/" * 2049):
        with refused("NAMETOOLONG"):
            guest.open(path, CREAT)
    with refused("NAMETOOLONG"):
        guest.wasi.path_unlink_file(3, TEXT, 1 << 31)
    with refused("NAMETOOLONG"):
        guest.wasi.path_symlink(TEXT, 4097, 3, TEXT_2, 1)
    guest.symlink(b"n" * 256, b"l")
    with refused("NAMETOOLONG"):
        guest.stat(b"l")


def test_directories_have_a_depth(guest):
    fd = 3
    for _ in range(MAX_DEPTH):
        guest.mkdir(b"d", fd=fd)
        fd, old = guest.directory(b"d", fd=fd), fd
        if old != 3:
            guest.wasi.fd_close(old)
    with refused("NAMETOOLONG"):
        guest.mkdir(b"d", fd=fd)
    guest.mkdir(b"two")
    guest.mkdir(b"two/three")
    above = guest.directory(b"/".join([b"d"] * (MAX_DEPTH - 2)))
    with refused("NAMETOOLONG"):
        guest.rename(b"two", b"x", to_fd=fd)
    guest.rmdir(b"two/three")
    guest.rename(b"two", b"x", to_fd=above)
    with refused("INVAL"):
        guest.rename(b"d", b"x", to_fd=fd)


LINKS = {b"l": b"a/b", b"a/up": b"..", b"a/b/self": b".", b"a/b/gone": b"x", b"dots": b"a/../a/./b//"}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A tree of the host."""
    root = os.path.realpath(tmp_path_factory.mktemp("tree")).encode()
    os.makedirs(root + b"/a/b")
    with open(root + b"/a/b/f", "w"):
        pass
    for name, target in LINKS.items():
        os.symlink(target, root + b"/" + name)
    return root


PARTS = [b"..", b".", b"", b"a", b"b", b"l", b"up", b"f", b"x", b"self", b"gone", b"dots"]


@given(
    some.lists(some.sampled_from(PARTS), min_size=1, max_size=10)
    .map(b"/".join)
    .filter(lambda path: path[:1] not in (b"", b"/"))
)
def test_a_walk_agrees_with_the_host(real, path):
    for end in range(len(path) + 1):
        assume((os.path.realpath(real + b"/" + path[:end]) + b"/").startswith(real + b"/"))
    guest = Guest()
    guest.mkdir(b"a")
    guest.mkdir(b"a/b")
    guest.create(b"a/b/f")
    for name, target in LINKS.items():
        guest.symlink(target, name)
    try:
        os.stat(real + b"/" + path)
        expected = os.path.relpath(os.path.realpath(real + b"/" + path), real)
    except OSError as error:
        with refused(errno.errorcode[error.errno][1:]):
            guest.stat(path)
    else:
        assert guest.stat(path).inode == guest.stat(expected).inode


# ------------------------------------------------------------------------------------------- making, removing, moving


def test_directories(guest):
    guest.mkdir(b"d")
    guest.mkdir(b"d/e/")
    with refused("EXIST"):
        guest.mkdir(b"d")
    with refused("EXIST"):
        guest.mkdir(b".")
    with refused("NOENT"):
        guest.mkdir(b"x/y")
    with refused("NOTEMPTY"):
        guest.rmdir(b"d")
    with refused("INVAL"):
        guest.rmdir(b"d/e/.")
    guest.rmdir(b"d/e/")
    guest.create(b"f")
    for path in (b"f", b"f/"):
        with refused("NOTDIR"):
            guest.rmdir(path)
    with refused("NOENT"):
        guest.rmdir(b"gone")
    with refused("INVAL"):
        guest.rmdir(b"/")


def test_unlink(guest):
    guest.mkdir(b"d")
    guest.create(b"f")
    guest.symlink(b"d", b"l")
    with refused("ISDIR"):
        guest.unlink(b"d")
    with refused("ISDIR"):
        guest.unlink(b"d/")
    with refused("NOTDIR"):
        guest.unlink(b"f/")
    with refused("ISDIR"):
        guest.unlink(b"l/")
    with refused("NOENT"):
        guest.unlink(b"gone")
    guest.unlink(b"l")
    guest.unlink(b"f")
    assert guest.names() == [b".", b"..", b"dev", b"d"]


def test_rename(guest):
    guest.create(b"f", b"1")
    guest.create(b"g", b"2")
    guest.rename(b"f", b"g")
    assert guest.contents(b"g") == b"1"
    guest.mkdir(b"d")
    guest.mkdir(b"e")
    guest.create(b"e/x")
    with refused("ISDIR"):
        guest.rename(b"g", b"d")
    with refused("NOTDIR"):
        guest.rename(b"d", b"g")
    with refused("NOTEMPTY"):
        guest.rename(b"d", b"e")
    guest.rename(b"e", b"d")
    assert guest.names(b"d") == [b".", b"..", b"x"]
    guest.rename(b"d", b"new/")
    with refused("INVAL"):
        guest.rename(b"new", b"new/sub")
    with refused("NOTDIR"):
        guest.rename(b"g", b"other/")
    with refused("NOTDIR"):
        guest.rename(b"g/", b"other")
    with refused("INVAL"):
        guest.rename(b".", b"x")
    with refused("NOENT"):
        guest.rename(b"gone", b"x")
    guest.rename(b"new/x", b"x")
    guest.link(b"x", b"y")
    guest.rename(b"x", b"y")
    assert guest.stat(b"x").links == 2
    guest.rename(b"new", b"new")
    assert guest.stat(b"new/..").inode == guest.stat(b"/").inode


def test_a_directory_that_moves_knows_its_new_parent(guest):
    guest.mkdir(b"a")
    guest.mkdir(b"a/b")
    guest.mkdir(b"c")
    guest.rename(b"a/b", b"c/b")
    assert guest.stat(b"c/b/..").inode == guest.stat(b"c").inode


def test_hard_links(guest):
    guest.create(b"f", b"x")
    guest.mkdir(b"d")
    guest.symlink(b"gone", b"s")
    guest.link(b"f", b"d/g")
    assert guest.stat(b"f").links == guest.stat(b"d/g").links == 2
    guest.link(b"s", b"t")
    assert guest.readlink(b"t") == b"gone"
    with refused("EXIST"):
        guest.link(b"f", b"d")
    with refused("EXIST"):
        guest.link(b"f", b"s")
    with refused("PERM"):
        guest.link(b"d", b"e")
    with refused("NOENT"):
        guest.link(b"f", b"e/")
    with refused("NOENT"):
        guest.link(b"gone", b"e")
    with refused("INVAL", "NOENT"):
        guest.link(b"s", b"e", follow=1)
    guest.unlink(b"f")
    assert guest.contents(b"d/g") == b"x"


def test_symbolic_links(guest):
    guest.symlink(b"target", b"l")
    assert guest.readlink(b"l") == b"target"
    assert guest.readlink(b"l", room=4) == b"targ"
    guest.mkdir(b"d")
    guest.create(b"f")
    with refused("EXIST"):
        guest.symlink(b"x", b"d/")
    with refused("NOTDIR"):
        guest.symlink(b"x", b"f/")
    with refused("EXIST"):
        guest.symlink(b"x", b"l")
    with refused("NOENT"):
        guest.symlink(b"x", b"n/")
    with refused("NOENT"):
        guest.symlink(b"", b"n")
    with refused("INVAL"):
        guest.symlink(b"a\0b", b"n")
    with refused("INVAL"):
        guest.readlink(b"f")
    with refused("NOENT"):
        guest.readlink(b"gone")


def test_times(guest):
    guest.create(b"f")
    times = guest.wasi.path_filestat_set_times
    times(3, 1, *guest.put(TEXT, b"f"), 5, 6, TimeFlag.ATIM | TimeFlag.MTIM)
    stat = guest.stat(b"f")
    assert (stat.accessed, stat.modified) == (5, 6)
    times(3, 1, TEXT, 1, 5, 6, TimeFlag.ATIM_NOW | TimeFlag.MTIM_NOW)
    assert guest.stat(b"f").modified > 10**18
    times(3, 1, TEXT, 1, 0, 7, TimeFlag.MTIM)
    assert guest.stat(b"f").modified == 7
    for flags in (3, 12, 15, 16, 0xFFFF):
        with refused("INVAL"):
            times(3, 1, TEXT, 1, 0, 0, flags)
    with refused("NOENT"):
        times(3, 1, *guest.put(TEXT, b"x"), 0, 0, 1)


# ---------------------------------------------------------------------------------------------------------------- dev


def test_dev_is_fixed(guest):
    assert guest.names(b"dev") == [b".", b"..", b"in", b"out", b"stdin"]
    assert guest.names(b"dev/in") == [b".", b"..", b"a"]
    guest.create(b"f")
    guest.mkdir(b"d")
    actions = [
        lambda: guest.open(b"dev/new", CREAT),
        lambda: guest.open(b"dev/in/new", CREAT),
        lambda: guest.mkdir(b"dev/d"),
        lambda: guest.rmdir(b"dev/in"),
        lambda: guest.rmdir(b"dev"),
        lambda: guest.unlink(b"dev/stdin"),
        lambda: guest.unlink(b"dev/in/a"),
        lambda: guest.symlink(b"/f", b"dev/l"),
        lambda: guest.link(b"f", b"dev/l"),
        lambda: guest.rename(b"f", b"dev/f"),
        lambda: guest.rename(b"f", b"dev/stdin"),
        lambda: guest.rename(b"dev/stdin", b"x"),
        lambda: guest.rename(b"dev", b"x"),
        lambda: guest.rename(b"d", b"dev"),
        lambda: guest.rename(b"dev/in", b"d"),
    ]
    for action in actions:
        with refused("ROFS"):
            action()
    with refused("XDEV"):
        guest.link(b"dev/stdin", b"l")
    assert guest.contents(b"dev/in/a") == b"a"


# ------------------------------------------------------------------------------------------------------------- rights


def test_rights_of_a_directory_hold_below_it(guest):
    guest.mkdir(b"d")
    guest.create(b"d/f", b"x")
    fd = guest.directory(b"d")
    _, _, rights, inheriting = guest.fdstat(fd)
    guest.wasi.fd_fdstat_set_rights(fd, rights & ~Right.PATH_FILESTAT_SET_SIZE, inheriting & ~WRITE)
    with refused("NOTCAPABLE"):
        guest.open(b"f", TRUNC, fd=fd)
    file = guest.open(b"f", 0, READ | WRITE, fd=fd)
    assert guest.read(file, 5) == b"x"
    with refused("BADF"):
        guest.write(file, b"y")
    with refused("NOTCAPABLE"):
        guest.wasi.fd_fdstat_set_rights(fd, rights, inheriting)
    guest.wasi.fd_fdstat_set_rights(fd, 0, 0)
    for action in (
        lambda: guest.open(b"f", fd=fd),
        lambda: guest.stat(b"f", fd=fd),
        lambda: guest.mkdir(b"x", fd=fd),
        lambda: guest.unlink(b"f", fd=fd),
        lambda: guest.wasi.fd_readdir(fd, BUFFER, 100, 0, OUT),
    ):
        with refused("NOTCAPABLE"):
            action()


# ------------------------------------------------------------------------------------------------------------ limits


def test_a_guest_can_not_make_files_without_end():
    guest = Guest(memory_limit=1 << 20)
    with refused("NOSPC"):
        for number in range(10_000):
            guest.create(b"%d" % number)
    with refused("NOSPC"):
        guest.mkdir(b"d")
    with refused("NOSPC"):
        guest.symlink(b"x", b"l")
    with refused("NOSPC"):
        guest.link(b"0", b"l" * 255)
    with refused("NOSPC"):
        guest.rename(b"0", b"l" * 255)
    assert guest.stat(b"0").links == 1
    guest.unlink(b"1")
    guest.unlink(b"2")
    guest.mkdir(b"d")
    check_budget(guest)


def test_nodes_are_counted():
    guest = Guest()
    guest.tree.budget.max_nodes = 10
    with refused("NOSPC"):
        for number in range(20):
            guest.mkdir(b"%d" % number)
    assert guest.tree.budget.nodes == 10
    check_budget(guest)


def test_listings_that_are_kept_open_are_charged():
    guest = Guest(memory_limit=1 << 20)
    guest.mkdir(b"d")
    for number in range(1000):
        guest.create(b"d/%d" % number)
    with refused("NOSPC"):
        for _ in range(100):
            guest.wasi.fd_readdir(guest.directory(b"d"), BUFFER, 100, 0, OUT)
    check_budget(guest)
