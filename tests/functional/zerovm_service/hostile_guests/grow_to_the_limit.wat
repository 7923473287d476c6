;; Takes all memory there is, and touches every page of it; more is not to be had.
;; end: ok
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $page i32)
    (loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (loop $touch
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 7))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (br_if $touch (i32.lt_u (local.get $page) (memory.size))))
    ;; 64 MiB are 1,024 pages; files take some
    (call $proc_exit (i32.or (i32.gt_u (memory.size) (i32.const 1024)) (i32.lt_u (memory.size) (i32.const 1000))))))
