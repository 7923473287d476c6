"""Small guests in WebAssembly text, for tests of every layer. ``compiled(name)`` gives a module's bytes."""

from functools import cache

import wasmtime

WASI = "wasi_snapshot_preview1"

COPY = f"""(module
  (import "{WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (loop $next
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 10))))
      (if (i32.eqz (i32.load (i32.const 8))) (then (return)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)) (then (call $exit (i32.const 11))))
      (br $next))))"""

ARGUMENTS = f"""(module
  (import "{WASI}" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "{WASI}" "args_get" (func $args (param i32 i32) (result i32)))
  (import "{WASI}" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
  (import "{WASI}" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 20)))
    (drop (call $args (i32.const 1024) (i32.const 65536)))
    (i32.store (i32.const 16) (i32.const 65536))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
    (drop (call $environ_sizes (i32.const 0) (i32.const 20)))
    (drop (call $environ (i32.const 1024) (i32.const 65536)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))))"""

LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop $on (br $on))))'

GROW = f"""(module
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $at i32)
    (loop $on
      (local.set $at (memory.grow (i32.const 256)))
      (if (i32.eq (local.get $at) (i32.const -1)) (then (call $exit (i32.const 12))))
      (i32.store (i32.mul (local.get $at) (i32.const 65536)) (i32.const 1))
      (br $on))))"""

FLOOD = f"""(module
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 17)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const 1048576))
    (loop $on
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 13))))
      (br $on))))"""

TRAP = '(module (memory (export "memory") 1) (func $broken unreachable) (func (export "_start") (call $broken)))'

EXIT_3 = f"""(module
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "what went wrong\\n")
  (data (i32.const 64) "half an answer\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 15))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 32))
    (i32.store (i32.const 4) (i32.const 16))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 3))))"""

# Copies /dev/input/1, /dev/input/2 … to its standard output, up to the first that is not there.
GATHER = f"""(module
  (import "{WASI}" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "{WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_close" (func $close (param i32) (result i32)))
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 32) "dev/input/")
  (func $copy (param $from i32)
    (loop $on
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $read (local.get $from) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 10))))
      (if (i32.eqz (i32.load (i32.const 8))) (then (return)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)) (then (call $exit (i32.const 11))))
      (br $on)))
  (func (export "_start") (local $number i32) (local $end i32)
    (loop $next
      (local.set $number (i32.add (local.get $number) (i32.const 1)))
      (local.set $end (i32.const 42))
      (if (i32.ge_u (local.get $number) (i32.const 10)) (then
        (i32.store8 (local.get $end) (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 10))))
        (local.set $end (i32.const 43))))
      (i32.store8 (local.get $end) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (if (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.sub (local.get $end) (i32.const 31)) (i32.const 0)
                      (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 16))
        (then (return)))
      (call $copy (i32.load (i32.const 16)))
      (drop (call $close (i32.load (i32.const 16))))
      (br $next))))"""

# Writes sixteen random bytes to its standard output.
DICE = f"""(module
  (import "{WASI}" "random_get" (func $random (param i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $random (i32.const 64) (i32.const 16)))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 16))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""

# Lets a second go by on the monotonic clock, then copies its standard input to its standard output.
LINGER = COPY.replace(
    f"""(import "{WASI}" "proc_exit\"""",
    f"""(import "{WASI}" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "{WASI}" "proc_exit\"""",
).replace(
    """(func (export "_start")
""",
    """(func (export "_start") (local $until i64)
    (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 64)))
    (local.set $until (i64.add (i64.load (i32.const 64)) (i64.const 1000000000)))
    (loop $wait
      (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 64)))
      (br_if $wait (i64.lt_u (i64.load (i32.const 64)) (local.get $until))))
""",
)

# Asks to be frozen. Where that is not wanted, it writes "cold"; where it goes on from there, the last argument it had before.
WARMED = f"""(module
  (import "{WASI}" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "{WASI}" "args_get" (func $args (param i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "zerovm" "fork" (func $fork (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "cold")
  (func (export "_start") (local $answer i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 1024) (i32.const 2048)))
    (local.set $answer (call $fork))
    (if (i32.gt_s (local.get $answer) (i32.const 0)) (then (return)))
    (i32.store (i32.const 16) (i32.const 32))
    (i32.store (i32.const 20) (i32.const 4))
    (if (i32.eqz (local.get $answer)) (then
      (i32.store (i32.const 16) (i32.load offset=1020 (i32.shl (i32.load (i32.const 0)) (i32.const 2))))
      (i32.store (i32.const 20) (i32.sub (i32.add (i32.const 2047) (i32.load (i32.const 4))) (i32.load (i32.const 16))))))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))"""

SOURCES = {
    "linger": LINGER,
    "copy": COPY,
    "arguments": ARGUMENTS,
    "loop": LOOP,
    "grow": GROW,
    "flood": FLOOD,
    "trap": TRAP,
    "exit-3": EXIT_3,
    "gather": GATHER,
    "dice": DICE,
    "warmed": WARMED,
}


@cache
def compiled(name: str) -> bytes:
    """The module of that name in SOURCES."""
    return bytes(wasmtime.wat2wasm(SOURCES[name]))
