;; Makes files until there is no room for their names (ENOSPC).
;; end: ok
;; code: 51
;; timeout: 60
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "f0000000")
  (func $name (param $number i32) (local $at i32)
    (local.set $at (i32.const 7))
    (loop $digit
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $digit (local.get $at))))
  (func (export "_start") (local $number i32) (local $errno i32)
    (loop $on
      (call $name (local.get $number))
      (local.set $errno (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 1)
        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
      (if (i32.eqz (local.get $errno)) (then
        (drop (call $fd_close (i32.load (i32.const 64))))
        (local.set $number (i32.add (local.get $number) (i32.const 1)))
        (br_if $on (i32.lt_u (local.get $number) (i32.const 1000000))))))
    (call $proc_exit (local.get $errno))))
