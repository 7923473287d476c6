"""Guests that mean ill. Whatever they try, their own end is all that comes of it."""

import os

import pytest

from tests.unit.zrt.test_hostile_calls import WHERE
from zerocloud.zrt.abi import SIGNATURES
from zerocloud.zrt.channel import PlainChannel

from .test_engine import program, start, wasi

ROOT, OUT = 3, 64
NAMES = '(memory (export "memory") 2)'


def data(at, text):
    return f'(data (i32.const {at}) "{text}")'


def constants(name, values):
    kinds = {"i": "i32", "I": "i64"}
    return " ".join(f"({kinds[letter]}.const {value})" for letter, value in zip(SIGNATURES[name], values, strict=True))


def exit_with(*calls):
    """A guest that makes calls, and exits with the errno of the last."""
    names = dict.fromkeys(name for name, *_ in calls)
    *before, last = [f"(call ${name} {constants(name, values)})" for name, *values in calls]
    body = "".join(f"(drop {call})" for call in before) + f"(call $proc_exit {last})"
    imports = "".join(wasi(name, SIGNATURES[name]) for name in names)
    return program(imports, wasi("proc_exit", "i", False), NAMES, data(1024, "secret/../../../../etc/passwd"), start(body))


@pytest.mark.parametrize("pointer", [131_072, 0x7FFFFFFF, -1])
@pytest.mark.parametrize("name", sorted(WHERE))
def test_bad_pointers_to_every_call(host, name, pointer):
    """All pointers bad at once. FAULT, or what the call says before it looks; never a success, a trap, or more."""
    values = [1] * len(SIGNATURES[name])
    for position in WHERE[name]:
        values[position] = pointer
    if name.startswith(("path_", "fd_prestat", "fd_readdir", "fd_f")):
        values[2 if name == "path_symlink" else 0] = ROOT
    code = host.text(exit_with((name, *values))).code
    assert code in (21, 70, 28) or (name, code) in (("args_get", 0), ("environ_get", 0)), code


@pytest.mark.parametrize("count", [1025, 0x7FFFFFFF, -1])
def test_huge_vector_counts(host, count):
    for name in ("fd_read", "fd_write"):
        assert host.text(exit_with((name, 1, 0, count, OUT))).code == 28
    for name in ("fd_pread", "fd_pwrite"):
        assert host.text(exit_with((name, 1, 0, count, 0, OUT))).code == 28


def test_vectors_that_wrap_around(host):
    text = program(
        wasi("fd_write", "iiii"),
        wasi("proc_exit", "i", False),
        NAMES,
        data(0, "\\f0\\ff\\ff\\ff\\20\\00\\00\\00"),
        start("(call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))"),
    )
    outcome = host.text(text)
    assert (outcome.code, outcome.out) == (21, b"")


def test_a_size_of_everything(host):
    assert host.text(exit_with(("random_get", 0, -1))).code == 21
    assert host.text(exit_with(("fd_readdir", ROOT, 0, -1, 0, OUT))).code == 21
    assert host.text(exit_with(("poll_oneoff", 0, 0, 0x7FFFFFFF, OUT))).code == 28


def test_paths_lead_nowhere(host):
    path_open = ("path_open", ROOT, 1, 1024, 29, 0, -1, -1, 0, OUT)
    assert host.text(exit_with(path_open)).code == 44
    assert host.text(exit_with(("path_open", ROOT, 1, 1030, 23, 0, -1, -1, 0, OUT))).code == 44


def test_standard_handles_can_be_closed(host):
    calls = [("fd_close", 0), ("fd_close", 1), ("fd_close", 2), ("fd_close", ROOT), ("fd_write", 1, 0, 0, OUT)]
    assert host.text(exit_with(*calls)).code == 8


def test_descriptors_moved_over_standard_handles(host):
    assert host.text(exit_with(("fd_renumber", ROOT, 1), ("fd_write", 1, 0, 0, OUT))).code == 8


def test_a_million_files(host):
    """Names of four letters made of a counter, until there is no room."""
    text = program(
        wasi("path_open", SIGNATURES["path_open"]),
        wasi("fd_close", "i"),
        wasi("proc_exit", "i", False),
        NAMES,
        start(
            """(loop $on
            (i32.store (i32.const 0) (i32.or (i32.const 0x41414141) (i32.and (local.get $n) (i32.const 0x0f0f0f0f))))
            (i32.store (i32.const 4) (i32.or (i32.const 0x41414141) (i32.and (i32.shr_u (local.get $n) (i32.const 4))
                                                                            (i32.const 0x0f0f0f0f))))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (if (local.tee $e (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 1)
                (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64))) (then (call $proc_exit (local.get $e))))
            (drop (call $fd_close (i32.load (i32.const 64))))
            (br_if $on (i32.lt_u (local.get $n) (i32.const 1000000))))""",
            "(local $n i32) (local $e i32)",
        ),
    )
    assert host.text(text, memory_limit=8 << 20).code == 51


def test_files_open_without_end(host):
    text = program(
        wasi("path_open", SIGNATURES["path_open"]),
        wasi("proc_exit", "i", False),
        NAMES,
        data(0, "f"),
        start(
            """(loop $on
            (if (local.tee $e (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1)
                (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64))) (then (call $proc_exit (local.get $e))))
            (br $on))""",
            "(local $e i32)",
        ),
    )
    assert host.text(text).code == 33


def test_memory_and_files_together_stay_within_the_limit(host):
    """Fill a file, grow the memory, and again, until neither goes on; exit with the megabytes reached."""
    text = program(
        wasi("path_open", SIGNATURES["path_open"]),
        wasi("fd_write", "iiii"),
        wasi("proc_exit", "i", False),
        NAMES,
        data(0, "f"),
        data(8, "\\00\\00\\00\\00\\00\\00\\01\\00"),
        start(
            """(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1)
                (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
            (loop $on
              (local.set $some (i32.const 0))
              (if (i32.eqz (call $fd_write (i32.load (i32.const 64)) (i32.const 8) (i32.const 1) (i32.const 68))) (then
                (local.set $some (i32.const 1)) (local.set $written (i32.add (local.get $written) (i32.const 1)))))
              (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then (local.set $some (i32.const 1))))
              (br_if $on (local.get $some)))
            (call $proc_exit (i32.add (memory.size) (local.get $written)))""",
            "(local $some i32) (local $written i32)",
        ),
    )
    assert host.text(text, memory_limit=16 << 20).code in range(250, 257)


def test_a_peer_that_died(host):
    source, sink = os.pipe()
    os.close(source)
    text = program(
        wasi("fd_write", "iiii"),
        wasi("proc_exit", "i", False),
        NAMES,
        data(0, "\\40\\00\\00\\00\\04\\00\\00\\00"),
        start("(call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))"),
    )
    assert host.text(text, channels={"/dev/stdout": PlainChannel(sink, writable=True)}).code == 64
    os.close(sink)


def test_reading_where_only_writing_is_allowed(host):
    assert host.text(exit_with(("fd_read", 1, 0, 0, OUT))).code == 8
    assert host.text(exit_with(("fd_write", 0, 0, 0, OUT))).code == 8
