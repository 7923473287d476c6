"""How guests begin and end, in WebAssembly text."""

import os

import pytest
import wasmtime

from zerocloud.zrt import engine as module
from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.engine import Guest, Program, make_engine
from zerocloud.zrt.errors import GuestRefused, GuestTrap, OutOfFuel, OutOfMemory, WorldError
from zerocloud.zrt.world import World

WASI = "wasi_snapshot_preview1"
MEMORY = '(memory (export "memory") 1)'


def wasi(name, parameters, result=True):
    kinds = {"i": "i32", "I": "i64"}
    return (
        f'(import "{WASI}" "{name}" (func ${name} (param {" ".join(kinds[letter] for letter in parameters)})'
        f"{' (result i32)' if result else ''}))"
    )


def program(*parts):
    return f"(module {' '.join(parts)})"


def start(body, more=""):
    return f'(func (export "_start") {more} {body})'


def run(engine, text, **world):
    with Guest(engine, wasmtime.Module(engine, text), World(**world)) as guest:
        return guest.run()


# ---------------------------------------------------------------------------------------------------------- beginning


def test_a_guest_that_just_returns(engine):
    assert run(engine, program(MEMORY, start("nop"))) == 0
    assert run(engine, program(start("nop"))) == 0


def test_one_program_many_guests(engine):
    ready = Program(
        engine,
        wasmtime.Module(engine, program(wasi("proc_exit", "i", False), MEMORY, start("(call $proc_exit (i32.const 3))"))),
    )
    for _ in range(50):
        with Guest(engine, ready, World()) as guest:
            assert guest.run() == 3
            assert guest.run() == 3


def test_a_program_of_another_engine(engine):
    other = make_engine()
    module = wasmtime.Module(other, program(wasi("sched_yield", ""), MEMORY, start("(drop (call $sched_yield))")))
    with pytest.raises(GuestRefused, match="made ready for another engine"):
        Guest(engine, Program(other, module), World())
    with pytest.raises(GuestRefused, match="cross-`Engine` instantiation"):
        Guest(engine, module, World())
    assert Guest(other, module, World()).run() == 0


def test_a_reactor_is_initialized_and_run(engine):
    text = program(
        MEMORY,
        "(global $g (mut i32) (i32.const 0))",
        '(func (export "_initialize") (global.set $g (i32.const 7)))',
        '(func (export "run") (result i32) (global.get $g))',
    )
    assert run(engine, text) == 7


def test_exports_can_be_called(engine):
    text = program(MEMORY, '(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))')
    with Guest(engine, wasmtime.Module(engine, text), World()) as guest:
        assert guest.call("add", 2, 3) == 5


def test_calls_from_the_start_function_find_their_memory(engine):
    text = program(
        wasi("random_get", "ii"),
        wasi("proc_exit", "i", False),
        MEMORY,
        "(func $begin (call $proc_exit (call $random_get (i32.const 8) (i32.const 8))))",
        "(start $begin)",
        start("unreachable"),
    )
    assert run(engine, text) == 0


def test_a_start_function_may_trap(engine):
    with pytest.raises(GuestTrap):
        run(engine, program(MEMORY, "(func $begin unreachable)", "(start $begin)", start("nop")))


def test_an_import_may_be_named_twice(engine):
    twice = wasi("sched_yield", "") + wasi("sched_yield", "").replace("$sched_yield", "$again")
    assert run(engine, program(twice, MEMORY, start("(drop (call $again))"))) == 0


def test_tools_are_answered_with_none(engine):
    text = program(
        '(import "host" "call" (func $tools (param i32 i32 i32 i32) (result i32)))',
        MEMORY,
        '(func (export "run") (result i32) (call $tools (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))',
    )
    assert run(engine, text) == -1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (program('(import "env" "f" (func))', MEMORY, start("nop")), "imports env.f, which is not offered"),
        (program('(import "env" "memory" (memory 1))', start("nop")), "imports env.memory"),
        (program(f'(import "{WASI}" "path_chmod" (func))', start("nop")), "imports wasi_snapshot_preview1.path_chmod"),
        (program('(import "a\\0ab" "f" (func))', MEMORY, start("nop")), r"imports a\?b\.f"),
        (program(wasi("random_get", "iI"), MEMORY, start("nop")), "incompatible import type"),
        (program(f'(import "{WASI}" "fd_read" (memory 1))', start("nop")), "expected memory, but found function"),
        (program(MEMORY), "exports neither _start nor run"),
        (program('(memory (export "_start") 1)'), "exports no function _start"),
        (program(MEMORY, '(func (export "_start") (param i32))'), "too few parameters"),
        (program(MEMORY, "(memory 1)", start("nop")), "memory count too high"),
        (program(MEMORY, "(table 100000000 funcref)", start("nop")), "exceeds table limits"),
        (
            program(wasi("random_get", "ii"), start("(drop (call $random_get (i32.const 0) (i32.const 1)))")),
            "needs its memory, and exports none",
        ),
        (
            program(wasi("random_get", "ii"), '(global (export "memory") i32 (i32.const 0))')[:-1]
            + start("(drop (call $random_get (i32.const 0) (i32.const 1)))")
            + ")",
            "needs its memory, and exports none",
        ),
    ],
)
def test_what_can_not_be_a_guest(engine, text, message):
    with pytest.raises(GuestRefused, match=message):
        run(engine, text)


@pytest.mark.parametrize(
    "text",
    [
        '(module (memory (export "memory") i64 1))',
        "(module (type (struct (field i32))))",
        "(module (memory 1 1 shared) (func (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))) (func $f (type $none)))",
    ],
)
def test_proposals_that_are_off(engine, text):
    with pytest.raises(wasmtime.WasmtimeError):
        wasmtime.Module(engine, text)


# ------------------------------------------------------------------------------------------------------------- ending


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("unreachable", "unreachable"),
        ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "integer_division_by_zero"),
        ("(drop (i32.load (i32.const 65536)))", "memory_out_of_bounds"),
        ("(call_indirect (i32.const 0))", "indirect_call_to_null"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "bad_conversion_to_integer"),
        ("(call $deep)", "stack_overflow"),
        ("(throw $thrown)", "uncaught_exception"),
    ],
)
def test_traps(engine, body, code):
    text = program(MEMORY, "(table 1 funcref)", "(tag $thrown)", "(func $deep (call $deep))", start(body))
    for _ in range(2):
        with pytest.raises(GuestTrap) as caught:
            run(engine, text)
        assert caught.value.code == code
        assert caught.value.backtrace
        assert "\n" not in str(caught.value)
    assert run(engine, program(MEMORY, start("nop"))) == 0


def test_names_in_a_backtrace_are_made_printable(engine):
    binary = bytearray(
        wasmtime.wat2wasm(program(MEMORY, "(func $evil_name_here unreachable)", start("(call $evil_name_here)")))
    )
    at = binary.index(b"evil_name_here")
    binary[at : at + 4] = b"\n\x1b[m"
    with pytest.raises(GuestTrap) as caught:
        run(engine, bytes(binary))
    assert caught.value.backtrace[0].startswith("??[m_name_here ")


def test_a_name_can_not_forge_a_cause(engine):
    forged = "x Caused by: GC heap out of memory"
    binary = wasmtime.wat2wasm(program(MEMORY, f'(func $"{forged}" unreachable)', start(f'(call $"{forged}")')))
    with pytest.raises(GuestTrap) as caught:
        run(engine, bytes(binary))
    assert caught.value.code == "unreachable"
    assert "GC" not in str(caught.value)


def test_fuel_ends_a_guest_at_the_same_place_every_time():
    counting = make_engine(fuel=True)
    text = program(
        wasi("fd_write", "iiii"),
        MEMORY,
        '(data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")',
        start("(loop $on (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $on))"),
    )
    lengths = set()
    for _ in range(3):
        source, sink = os.pipe()
        with pytest.raises(OutOfFuel) as caught:
            run(counting, text, fuel=5000, channels={"/dev/stdout": PlainChannel(sink, writable=True)})
        assert caught.value.code == "out_of_fuel"
        lengths.add(len(os.read(source, 100_000)))
        os.close(source)
        os.close(sink)
    assert len(lengths) == 1
    assert lengths.pop() > 100
    assert run(counting, program(MEMORY, start("nop"))) == 0


def test_the_fuel_used_is_known():
    counting = make_engine(fuel=True)
    busy = (
        "(local $i i32) (loop $on (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {}))))"
    )
    used = []
    for rounds in (10, 1000, 1000):
        text = program(MEMORY, f'(func (export "_start") {busy.format(rounds)})')
        with Guest(counting, wasmtime.Module(counting, text), World(fuel=1_000_000)) as guest:
            guest.run()
            used.append(guest.fuel_used)
            guest.rebind(World(fuel=50))
            assert guest.fuel_used == 0
    assert 10 < used[0] < used[1] == used[2] < 10_000


def test_a_frozen_guest_that_was_not_metered_can_not_be(engine):
    with Guest(engine, wasmtime.Module(engine, program(MEMORY, start("nop"))), World()) as guest:
        with pytest.raises(WorldError, match="does not count instructions"):
            guest.rebind(World(fuel=5))
        assert guest.fuel_used == 0


def test_fuel_needs_its_engine(engine):
    with pytest.raises(WorldError, match="Fuel=5: this engine does not count"):
        run(engine, program(MEMORY, start("nop")), fuel=5)


def test_memory_that_does_not_fit(engine):
    text = program('(memory (export "memory") 100)', start("nop"))
    with pytest.raises(OutOfMemory, match="starts with 6553600 bytes of memory, the session's limit leaves it"):
        run(engine, text, memory_limit=6_553_600)
    assert run(engine, text, memory_limit=6_553_600 + 65_536) == 0
    with pytest.raises(OutOfMemory, match="a memory limit of 100 bytes does not hold the guest's files"):
        run(engine, text, memory_limit=100)


def test_growing_to_the_limit(engine):
    text = program(
        wasi("proc_exit", "i", False),
        MEMORY,
        start(
            "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"
            "(i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 1))"
            "(call $proc_exit (memory.size))"
        ),
    )
    assert run(engine, text, memory_limit=4 << 20) == 63
    assert run(engine, text, memory_limit=64 << 20) == 1023


def test_thrown_exceptions_are_kept_within_the_limit(engine):
    text = program(
        MEMORY,
        "(tag $thrown (param i64 i64 i64 i64))",
        "(table $kept 500000 exnref)",
        start(
            "(loop $on (table.set $kept (local.get $i) (block $caught (result exnref)"
            " (try_table (catch_all_ref $caught) (throw $thrown (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))"
            " (unreachable))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $on))",
            "(local $i i32)",
        ),
    )
    with pytest.raises(OutOfMemory, match="exceptions take more"):
        run(engine, text, memory_limit=8 << 20)


class Failing(PlainChannel):
    """A channel whose reads raise ``failure``."""

    failure: BaseException

    def read(self, views):
        raise self.failure


@pytest.mark.parametrize(
    "failure", [ZeroDivisionError("x"), KeyboardInterrupt(), SystemExit(3), RecursionError(), TimeoutError("x")]
)
def test_what_a_channel_raises_comes_out_as_it_is(engine, failure):
    text = program(
        wasi("fd_read", "iiii"),
        wasi("proc_exit", "i", False),
        MEMORY,
        '(data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00")',
        start("(call $proc_exit (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"),
    )
    channel = Failing(0, readable=True)
    object.__setattr__(channel, "failure", failure)
    with pytest.raises(type(failure)) as caught:
        run(engine, text, channels={"/dev/stdin": channel})
    assert caught.value is failure
    for error, expected in (
        (OSError(122, "quota"), 19),
        (OSError(32, "pipe"), 64),
        (OSError(9999, "?"), 29),
        (MemoryError(), 48),
    ):
        object.__setattr__(channel, "failure", error)
        assert run(engine, text, channels={"/dev/stdin": channel}) == expected


def test_a_guest_that_is_closed_hands_out_nothing(engine):
    text = program(wasi("random_get", "ii"), MEMORY, start("nop"))
    guest = Guest(engine, wasmtime.Module(engine, text), World())
    assert guest.memory_used > 65536
    view = guest.memory.view
    guest.close()
    guest.close()
    assert guest.memory.size == 0
    assert len(guest.memory.view) == 0
    del view


def test_an_engine_without_what_is_needed_is_told_at_import():
    with pytest.raises(ImportError, match=r"wasmtime \d+\.\d+\.\d+ has no wasmtime_fly, .*tested with wasmtime 49"):
        module._private(module._quick, "wasmtime_fly")


# ------------------------------------------------------------------------------------------------------ stack, host.call


def test_a_deep_guest_has_room(engine):
    deep = (
        "(func $deep (param $n i64) (result i64) (if (result i64) (i64.eqz (local.get $n)) (then (i64.const 0))"
        " (else (i64.add (i64.const 1) (call $deep (i64.sub (local.get $n) (i64.const 1)))))))"
    )
    text = program(
        wasi("proc_exit", "i", False),
        MEMORY,
        deep,
        start("(call $proc_exit (i64.eq (call $deep (i64.const 100000)) (i64.const 100000)))"),
    )
    assert run(engine, text) == 1


ASKING = (
    '(import "host" "call" (func $ask (param i32 i32 i32 i32) (result i32)))',
    wasi("proc_exit", "i", False),
    MEMORY,
    '(data (i32.const 0) "zerovm.fork")',
)


def test_host_call_forks_and_answers_in_room_that_the_guest_makes(engine):
    text = program(
        *ASKING,
        '(func (export "host_alloc") (param i32) (result i32) (i32.store (i32.const 40) (local.get 0)) (i32.const 5000))',
        start(
            "(if (call $ask (i32.const 0) (i32.const 11) (i32.const 32) (i32.const 36)) (then unreachable))"
            "(if (i32.ne (i32.load (i32.const 36)) (i32.load (i32.const 40))) (then unreachable))"
            # {"answer": 7
            "(call $proc_exit (i32.sub (i32.load8_u (i32.add (i32.load (i32.const 32)) (i32.const 11))) (i32.const 48)))"
        ),
    )
    assert run(engine, text, fork=lambda: 7) == 7


def test_host_call_without_room_for_the_answer(engine):
    for allocator in (
        "",
        '(func (export "host_alloc") (param i32) (result i32) (i32.const -1))',
        '(global (export "host_alloc") i32 (i32.const 0))',
    ):
        text = program(
            *ASKING,
            allocator,
            start("(call $proc_exit (call $ask (i32.const 0) (i32.const 11) (i32.const 32) (i32.const 36)))"),
        )
        assert run(engine, text) == -2


def test_an_allocator_that_fails_is_the_guests_own_failure(engine):
    text = program(
        *ASKING,
        '(func (export "host_alloc") (param i32) (result i32) unreachable)',
        start("(drop (call $ask (i32.const 0) (i32.const 11) (i32.const 32) (i32.const 36)))"),
    )
    with pytest.raises(GuestTrap) as caught:
        run(engine, text)
    assert caught.value.code == "unreachable"


def test_an_allocator_may_exit(engine):
    text = program(
        *ASKING,
        '(func (export "host_alloc") (param i32) (result i32) (call $proc_exit (i32.const 9)) unreachable)',
        start("(drop (call $ask (i32.const 0) (i32.const 11) (i32.const 32) (i32.const 36)))"),
    )
    assert run(engine, text) == 9
