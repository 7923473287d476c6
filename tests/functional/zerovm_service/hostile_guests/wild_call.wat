;; Calls through an empty table.
;; end: trapped
;; says: uninitialized element
(module
  (memory (export "memory") 1)
  (table 4 funcref)
  (type $nothing (func))
  (func (export "_start") (call_indirect (type $nothing) (i32.const 2))))
