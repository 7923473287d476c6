;; Declares more memory than its session has.
;; end: out of memory
(module
  (memory (export "memory") 2000)
  (func (export "_start")))
