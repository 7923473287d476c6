;; Brings a second memory.
;; end: refused by the validator
(module
  (memory (export "memory") 1)
  (memory 1)
  (func (export "_start")))
