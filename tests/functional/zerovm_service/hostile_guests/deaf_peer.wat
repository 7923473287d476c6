;; Writes to a peer that never reads.
;; end: session timeout
;; stdout: deaf
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\80\00\00")
  (func (export "_start") (local $errno i32)
    (loop $on
      (local.set $errno (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
      (br_if $on (i32.eqz (local.get $errno))))
    (call $proc_exit (local.get $errno))))
