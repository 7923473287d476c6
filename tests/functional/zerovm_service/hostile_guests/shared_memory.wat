;; Asks for memory that threads share.
;; end: refused by the validator
(module
  (memory (export "memory") 1 1 shared)
  (func (export "_start")))
