"""A small session that is run ahead of need, in a spare process, so that the real one finds everything in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

import wasmtime

# It imports what a C program imports, looks at its arguments, reads to the end and writes a line.
PROGRAM = """(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "\\00\\01\\00\\00\\10\\00\\00\\00")
  (data (i32.const 256) "dev/stdout")
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 32) (i32.const 36)))
    (drop (call $args_get (i32.const 512) (i32.const 1024)))
    (drop (call $environ_sizes_get (i32.const 32) (i32.const 36)))
    (drop (call $environ_get (i32.const 512) (i32.const 1024)))
    (drop (call $fd_prestat_get (i32.const 3) (i32.const 32)))
    (drop (call $fd_prestat_dir_name (i32.const 3) (i32.const 512) (i32.const 1)))
    (drop (call $fd_fdstat_get (i32.const 1) (i32.const 64)))
    (drop (call $fd_seek (i32.const 1) (i64.const 0) (i32.const 1) (i32.const 64)))
    (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 64)))
    (drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 64)))
    (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 256) (i32.const 10) (i32.const 0)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 128)))
    (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 16) (i32.const 1) (i32.const 64)))
    (drop (call $fd_close (i32.load (i32.const 128))))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 64)))
    (call $proc_exit (i32.const 0))))"""
MANIFEST = b"""Version=20130611
Program=fd:0
Timeout=10
Memory=33554432,0
Node=1
Channel=/dev/null,/dev/stdin,0,0,10,1000,0,0
Channel=/dev/null,/dev/stdout,0,1,0,0,10,1000
Channel=/dev/null,/dev/stderr,0,0,0,0,10,1000
Channel=fd:1,/dev/input,3,0,10,1000,0,0
Channel=fd:1,/dev/nvram,3,0,10,100000,0,0
"""
NVRAM = b"""[args]
args = rehearsal of a session
[env]
name=PATH, value=/bin
[mapping]
channel=/dev/stdin, mode=file
channel=/dev/stdout, mode=file
"""


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal takes: its descriptors, and its compiled module, by name and open."""

    descriptors: tuple[int, ...]
    file_name: str
    module: int

    @classmethod
    def make(cls, program: int, module: int, file_name: str) -> Rehearsal:
        """Of the compiled ``program``; it lasts as long as the service."""
        nvram = os.memfd_create("rehearsal", os.MFD_CLOEXEC)
        os.write(nvram, NVRAM)
        return cls((program, nvram), file_name, module)

    @property
    def kept(self) -> tuple[int, ...]:
        """The descriptors that it needs."""
        return (*self.descriptors, self.module)


def program_file() -> int:
    """A descriptor of the program, to be compiled."""
    descriptor = os.memfd_create("rehearsal", os.MFD_CLOEXEC)
    os.write(descriptor, wasmtime.wat2wasm(PROGRAM))
    return descriptor
