;; Fails before it begins, in its start function.
;; end: trapped
;; says: unreachable
;; says: begin
(module
  (memory (export "memory") 1)
  (func $begin unreachable)
  (start $begin)
  (func (export "_start")))
