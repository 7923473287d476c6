;; What makes Ruby's module for JavaScript hosts a program: `run` starts the interpreter, asks to be frozen, and evaluates
;; a text that has the session's arguments and environment in hexadecimal, followed by start.rb.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "zerovm" "fork" (func $fork (result i32)))
  (import "ruby" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (import "ruby" "ruby-init: func(args: list<string>) -> ()" (func $init (param i32 i32)))
  (import "ruby" "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>"
    (func $eval (param i32 i32) (result i32)))
  (import "ruby" "memory" (memory 1))

  (data $options "ruby\00-EUTF-8\00-e_=0\00")
  (data $digits "0123456789abcdef")
  (data $arguments "arguments = '")
  (data $variables "'\nvariables = '")
  (data $end "'\n")
  (data $start "START")

  (func $new (param $size i32) (result i32)
    (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $size)))

  ;; The interpreter's own arguments: three texts, each with a NUL at its end.
  (func $begin (local $text i32) (local $list i32)
    (local.set $text (call $new (i32.const 19)))
    (memory.init $options (local.get $text) (i32.const 0) (i32.const 19))
    (local.set $list (call $new (i32.const 24)))
    (i32.store (local.get $list) (local.get $text))
    (i32.store offset=4 (local.get $list) (i32.const 4))
    (i32.store offset=8 (local.get $list) (i32.add (local.get $text) (i32.const 5)))
    (i32.store offset=12 (local.get $list) (i32.const 7))
    (i32.store offset=16 (local.get $list) (i32.add (local.get $text) (i32.const 13)))
    (i32.store offset=20 (local.get $list) (i32.const 5))
    (call $init (local.get $list) (i32.const 3)))

  ;; The bytes from $from to $end in hexadecimal; where they end.
  (func $encoded (param $to i32) (param $from i32) (param $end i32) (param $digits i32) (result i32)
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (i32.store8 (local.get $to)
        (i32.load8_u (i32.add (local.get $digits) (i32.shr_u (i32.load8_u (local.get $from)) (i32.const 4)))))
      (i32.store8 offset=1 (local.get $to)
        (i32.load8_u (i32.add (local.get $digits) (i32.and (i32.load8_u (local.get $from)) (i32.const 15)))))
      (local.set $to (i32.add (local.get $to) (i32.const 2)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $next)))
    (local.get $to))

  (func (export "run") (result i32)
    (local $sizes i32) (local $words i32) (local $values i32) (local $digits i32) (local $text i32) (local $at i32)
    (call $begin)
    (if (i32.gt_s (call $fork) (i32.const 0)) (then (return (i32.const 0))))
    (local.set $sizes (call $new (i32.const 16)))
    (drop (call $args_sizes (local.get $sizes) (i32.add (local.get $sizes) (i32.const 4))))
    (drop (call $environ_sizes (i32.add (local.get $sizes) (i32.const 8)) (i32.add (local.get $sizes) (i32.const 12))))
    (local.set $words (call $new (i32.add (i32.load offset=4 (local.get $sizes)) (i32.const 1))))
    (drop (call $args (call $new (i32.shl (i32.add (i32.load (local.get $sizes)) (i32.const 1)) (i32.const 2))) (local.get $words)))
    (local.set $values (call $new (i32.add (i32.load offset=12 (local.get $sizes)) (i32.const 1))))
    (drop (call $environ
      (call $new (i32.shl (i32.add (i32.load offset=8 (local.get $sizes)) (i32.const 1)) (i32.const 2))) (local.get $values)))
    (local.set $digits (call $new (i32.const 16)))
    (memory.init $digits (local.get $digits) (i32.const 0) (i32.const 16))
    (local.set $text (call $new (i32.add (i32.const STARTSIZE) (i32.add (i32.const 64) (i32.shl
      (i32.add (i32.load offset=4 (local.get $sizes)) (i32.load offset=12 (local.get $sizes))) (i32.const 1))))))
    (local.set $at (local.get $text))
    (memory.init $arguments (local.get $at) (i32.const 0) (i32.const 13))
    (local.set $at (call $encoded (i32.add (local.get $at) (i32.const 13)) (local.get $words)
      (i32.add (local.get $words) (i32.load offset=4 (local.get $sizes))) (local.get $digits)))
    (memory.init $variables (local.get $at) (i32.const 0) (i32.const 15))
    (local.set $at (call $encoded (i32.add (local.get $at) (i32.const 15)) (local.get $values)
      (i32.add (local.get $values) (i32.load offset=12 (local.get $sizes))) (local.get $digits)))
    (memory.init $end (local.get $at) (i32.const 0) (i32.const 2))
    (local.set $at (i32.add (local.get $at) (i32.const 2)))
    (memory.init $start (local.get $at) (i32.const 0) (i32.const STARTSIZE))
    (local.set $at (i32.add (local.get $at) (i32.const STARTSIZE)))
    (drop (call $eval (local.get $text) (i32.sub (local.get $at) (local.get $text))))
    (i32.const 70)))  ;; start.rb ends the process itself
