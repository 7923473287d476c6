;; Asks to be frozen again and again where nobody wants it.
;; end: ok
(module
  (import "zerovm" "fork" (func $fork (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $count i32)
    (loop $on
      (if (i32.ne (call $fork) (i32.const -1)) (then unreachable))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (br_if $on (i32.lt_u (local.get $count) (i32.const 10000))))))
