;; Lets a table grow until it may not any more.
;; end: ok
(module
  (memory (export "memory") 1)
  (table $t 1 externref)
  (func (export "_start")
    (loop $on (br_if $on (i32.ne (table.grow $t (ref.null extern) (i32.const 65536)) (i32.const -1))))))
