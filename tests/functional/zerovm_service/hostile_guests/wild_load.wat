;; Reads beyond its memory.
;; end: trapped
;; says: out of bounds
;; says: peek
(module
  (memory (export "memory") 1)
  (func $peek (drop (i32.load (i32.const -8))))
  (func (export "_start") (call $peek)))
