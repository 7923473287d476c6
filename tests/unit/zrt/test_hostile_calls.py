"""Every function of WASI with arguments from a hostile guest: a WasiError, an OSError or an exit, and nothing else."""

import random

import pytest

from zerocloud.zrt.abi import SIGNATURES, WasiError
from zerocloud.zrt.calls import GuestExit

from .fakes import BUFFER, OUT, SIZE, TEXT, FakeChannel, Guest, reader, refused, writer

EDGES_32 = [0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 40, 255, 1023, 1024, 1025, 4096, OUT, TEXT, BUFFER, SIZE - 8, SIZE - 4, SIZE - 1]
EDGES_32 += [SIZE, SIZE + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF]
EDGES_64 = [*EDGES_32, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def hostile_guest():
    guest = Guest(
        memory_limit=4 << 20,
        clock=0,
        seed=1,
        args=(b"a", b"b"),
        env={b"x": b"y"},
        channels={
            "/dev/stdin": reader(b"input"),
            "/dev/stdout": writer(),
            "/dev/stderr": writer(),
            "/dev/random": FakeChannel(readable=True, writable=True, random_read=True, random_write=True),
            "/dev/append": FakeChannel(readable=True, writable=True, random_read=True),
        },
    )
    guest.mkdir(b"a")
    guest.create(b"a/b", b"file")
    guest.symlink(b"a", b"l")
    guest.open(b"a/b", 0, 0xFFFFFFFF)
    guest.directory(b"a")
    guest.open(b"dev/random", 0, 0xFFFFFFFF)
    guest.open(b"dev/append", 0, 0xFFFFFFFF, flags=1)
    return guest


def call(guest, name, arguments):
    before = guest.wasi.memory.size
    try:
        getattr(guest.wasi, name)(*arguments)
    except (WasiError, OSError, GuestExit):
        pass
    assert guest.wasi.memory.size == before


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_no_argument_does_more_than_fail(name):
    dice = random.Random(name)
    letters = SIGNATURES[name]
    guest = hostile_guest()
    for turn in range(1500):
        arguments = [dice.choice(EDGES_32 if letter == "i" else EDGES_64) for letter in letters]
        if turn % 50 == 0:
            guest = hostile_guest()
        guest.put(TEXT, dice.choice([b"a", b"a/b", b"l", b"../..", b"/", b"dev/x", b"\0", b"", b"a//./b/", b"new"]))
        guest.put(BUFFER, bytes(dice.choice([0, 1, 255]) for _ in range(128)))
        call(guest, name, arguments)


POINTERS = {
    "args_get": (0, 0),
    "args_sizes_get": (0, 0),
    "environ_get": (0, 0),
    "environ_sizes_get": (0, 0),
    "clock_res_get": (0, 0),
    "clock_time_get": (0, 0, 0),
    "fd_fdstat_get": (0, 0),
    "fd_filestat_get": (0, 0),
    "fd_prestat_get": (3, 0),
    "fd_prestat_dir_name": (3, 0, 1),
    "fd_readdir": (3, 0, 64, 0, 0),
    "fd_seek": (4, 0, 0, 0),
    "fd_tell": (4, 0),
    "fd_pread": (4, 0, 1, 0, 0),
    "fd_pwrite": (4, 0, 1, 0, 0),
    "fd_read": (0, 0, 1, 0),
    "fd_write": (1, 0, 1, 0),
    "path_create_directory": (3, 0, 1),
    "path_filestat_get": (3, 0, 0, 1, 0),
    "path_filestat_set_times": (3, 0, 0, 1, 0, 0, 0),
    "path_link": (3, 0, 0, 1, 3, 0, 1),
    "path_open": (3, 0, 0, 1, 1, 0, 0, 0, 0),
    "path_readlink": (3, 0, 1, 0, 1, 0),
    "path_remove_directory": (3, 0, 1),
    "path_rename": (3, 0, 1, 3, 0, 1),
    "path_symlink": (0, 1, 3, 0, 1),
    "path_unlink_file": (3, 0, 1),
    "poll_oneoff": (0, 0, 1, 0),
    "random_get": (0, 1),
}
WHERE = {
    "args_get": (0, 1),
    "args_sizes_get": (0, 1),
    "environ_get": (0, 1),
    "environ_sizes_get": (0, 1),
    "clock_res_get": (1,),
    "clock_time_get": (2,),
    "fd_fdstat_get": (1,),
    "fd_filestat_get": (1,),
    "fd_prestat_get": (1,),
    "fd_prestat_dir_name": (1,),
    "fd_readdir": (1, 4),
    "fd_seek": (3,),
    "fd_tell": (1,),
    "fd_pread": (1, 4),
    "fd_pwrite": (1, 4),
    "fd_read": (1, 3),
    "fd_write": (1, 3),
    "path_create_directory": (1,),
    "path_filestat_get": (2, 4),
    "path_filestat_set_times": (2,),
    "path_link": (2, 5),
    "path_open": (2, 8),
    "path_readlink": (1, 3, 5),
    "path_remove_directory": (1,),
    "path_rename": (1, 4),
    "path_symlink": (0, 3),
    "path_unlink_file": (1,),
    "poll_oneoff": (0, 1, 3),
    "random_get": (0,),
}


@pytest.mark.parametrize("pointer", [SIZE, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize(("name", "position"), [(name, position) for name in WHERE for position in WHERE[name]])
def test_each_pointer_is_checked_before_anything_happens(name, position, pointer):
    guest = hostile_guest()
    guest.put(TEXT, b"a")
    good = list(POINTERS[name])
    for other in WHERE[name]:
        good[other] = {"path_readlink": TEXT}.get(name, OUT if other in (3, 4, 8) else TEXT)
    if name in ("fd_read", "fd_write", "fd_pread", "fd_pwrite"):
        good[1], good[2] = guest.vectors(4)
    if name == "path_readlink":
        guest.put(TEXT, b"l")
    channels = guest.assembly.world.channels

    def state():
        return list(guest.tree.root.names), channels["/dev/stdin"].at, bytes(channels["/dev/stdout"].data)

    before = state()
    good[position] = pointer
    with refused("FAULT"):
        getattr(guest.wasi, name)(*good)
    assert state() == before


def test_a_thousand_and_one_vectors_are_too_many():
    guest = hostile_guest()
    with refused("INVAL"):
        guest.wasi.fd_read(0, 1024, 1025, OUT)


def test_overlapping_vectors_of_more_than_a_call_may_move_are_cut_short():
    guest = hostile_guest()
    for number in range(1024):
        guest.put(BUFFER + 8 * number, (0).to_bytes(4, "little") + SIZE.to_bytes(4, "little"))
    fd = guest.open(b"big", 1, 0xFFFFFFFF)
    with refused("NOSPC"):
        guest.wasi.fd_write(fd, BUFFER, 1024, OUT)
    assert guest.fstat(fd).size == 0
