;; Spins for ever.
;; end: session timeout
(module
  (memory (export "memory") 1)
  (func (export "_start") (loop $on (br $on))))
