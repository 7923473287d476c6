;; Reads from a peer that never writes and never leaves.
;; end: session timeout
;; stdin: silent
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\01\00\00\00")
  (func (export "_start") (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))))
