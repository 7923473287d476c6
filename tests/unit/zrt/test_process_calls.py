import hashlib
import struct
import time

import pytest

from zerocloud.zrt.calls import GuestExit

from .fakes import BUFFER, OUT, SIZE, TEXT, Guest, reader, refused


def strings(guest, sizes, get):
    getattr(guest.wasi, sizes)(OUT, OUT + 4)
    count, size = struct.unpack_from("<II", guest.bytes, OUT)
    getattr(guest.wasi, get)(TEXT, BUFFER)
    pointers = struct.unpack_from(f"<{count}I", guest.bytes, TEXT)
    assert all(BUFFER <= pointer < BUFFER + size for pointer in pointers)
    return [bytes(guest.bytes[pointer : guest.bytes.index(0, pointer)]) for pointer in pointers]


def test_arguments_and_environment():
    guest = Guest(args=(b"prog", b"", b"two words"), env={b"A": b"1=2", b"B": b""})
    assert strings(guest, "args_sizes_get", "args_get") == [b"prog", b"", b"two words"]
    assert strings(guest, "environ_sizes_get", "environ_get") == [b"A=1=2", b"B="]
    with refused("FAULT"):
        guest.wasi.args_get(TEXT, SIZE - 3)
    with refused("FAULT"):
        guest.wasi.args_get(SIZE - 4, TEXT)
    assert strings(Guest(), "args_sizes_get", "args_get") == []


def clock(guest, number):
    guest.wasi.clock_time_get(number, 0, OUT)
    return guest.u64()


def test_real_clocks():
    guest = Guest()
    assert abs(clock(guest, 0) - time.time_ns()) < 10**9
    assert clock(guest, 1) <= clock(guest, 1)
    assert clock(guest, 2) > 0
    assert clock(guest, 3) > 0
    guest.wasi.clock_res_get(0, OUT)
    assert 0 < guest.u64() < 10**9
    for call in (guest.wasi.clock_res_get, lambda number, out: guest.wasi.clock_time_get(number, 0, out)):
        with refused("INVAL"):
            call(4, OUT)


def test_a_clock_of_its_own_steps_a_microsecond_a_query():
    guest = Guest(clock=1_700_000_000.5)
    assert [clock(guest, number) for number in (0, 1, 2, 3)] == [1_700_000_000_500_000_000 + 1000 * n for n in range(4)]
    guest.create(b"f")
    assert guest.stat(b"f").modified == 1_700_000_000_500_004_000
    guest.wasi.clock_res_get(1, OUT)
    assert guest.u64() == 1000
    with refused("INVAL"):
        clock(guest, 4)


def random(guest, size):
    guest.wasi.random_get(BUFFER, size)
    return bytes(guest.bytes[BUFFER : BUFFER + size])


def test_random_bytes():
    assert random(Guest(), 32) != random(Guest(), 32)
    assert random(Guest(), 0) == b""
    with refused("FAULT"):
        Guest().wasi.random_get(1, SIZE)


def test_random_bytes_from_a_seed_are_the_same_in_any_portions():
    whole = random(Guest(seed=7), 1000)
    guest = Guest(seed=7)
    assert b"".join(random(guest, size) for size in (1, 63, 64, 65, 807)) == whole
    assert random(Guest(seed=8), 1000) != whole
    assert whole[:64] == hashlib.sha512((7).to_bytes(8, "little") + bytes(8)).digest()


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 3), (256, 256), (0x7FFFFFFF, 0x7FFFFFFF), (0xFFFFFFFF, -1)])
def test_exit(code, expected):
    with pytest.raises(GuestExit) as caught:
        Guest().wasi.proc_exit(code)
    assert caught.value.code == expected


def test_raise_is_an_exit_too():
    with pytest.raises(GuestExit) as caught:
        Guest().wasi.proc_raise(6)
    assert caught.value.code == 134


def test_there_are_no_sockets():
    wasi = Guest(channels={"/dev/stdin": reader()}).wasi
    for fd, name in ((0, "NOTSOCK"), (3, "NOTSOCK"), (9, "BADF")):
        for call in (
            lambda fd=fd: wasi.sock_accept(fd, 0, OUT),
            lambda fd=fd: wasi.sock_recv(fd, 0, 0, 0, OUT, OUT),
            lambda fd=fd: wasi.sock_send(fd, 0, 0, 0, OUT),
            lambda fd=fd: wasi.sock_shutdown(fd, 0),
        ):
            with refused(name):
                call()


def test_yield_is_nothing():
    assert Guest().wasi.sched_yield() is None
