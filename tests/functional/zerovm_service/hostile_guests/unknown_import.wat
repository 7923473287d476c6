;; Asks for a function of the host that there is not.
;; end: refused by the validator
;; says: env.system
(module
  (import "env" "system" (func (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
