;; Opens the same file until it may not any more (EMFILE).
;; end: ok
;; code: 33
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "file")
  (func (export "_start") (local $errno i32)
    (loop $on
      (local.set $errno (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1)
        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
      (br_if $on (i32.eqz (local.get $errno))))
    (call $proc_exit (local.get $errno))))
