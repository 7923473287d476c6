"""Sessions in this process or a child forked for them: descriptors, freezing, and what failing leaves behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import wasmtime

from tests.guests import compiled
from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.manifest import Manifest, parse
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.report import parse as parse_report
from zerocloud.zerovm.session import Session, SessionOptions, run_session
from zerocloud.zrt.engine import make_engine

from .support import open_descriptors

ENGINE = make_engine()
WASI = "wasi_snapshot_preview1"
# Copies stdin's first bytes to stdout before it asks to be frozen, and what is there afterwards; exits with the answer.
FREEZE = f"""(module
  (import "{WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (import "zerovm" "fork" (func $fork (result i32)))
  (memory (export "memory") 1)
  (global $answer (mut i32) (i32.const 0))
  (func $pass
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 64))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (call $pass)
    (global.set $answer (call $fork))
    (call $pass)
    (call $exit (i32.and (global.get $answer) (i32.const 255)))))"""


def module(program: str) -> wasmtime.Module:
    text = wasmtime.wat2wasm(program) if program.startswith("(") else compiled(program)
    return wasmtime.Module(ENGINE, text)


def manifest(directory: Path, name: str, *extra: str, etag: int = 0) -> Manifest:
    lines = [
        "Version=20130611",
        "Program=/program",
        "Timeout=10",
        "Memory=67108864,0",
        f"Channel={directory}/{name}.in,/dev/stdin,0,{etag},100,1000,0,0",
        f"Channel={directory}/{name}.out,/dev/stdout,0,{etag},0,0,100,1000",
        "Channel=/dev/null,/dev/stderr,0,0,0,0,100,1000",
        *extra,
    ]
    return parse("\n".join(lines).encode())


def in_child(work: Callable[[], Report]) -> Report:
    """Do the work in a forked process; its report."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, work().render())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as reports:
        text = reports.read()
    os.waitpid(pid, 0)
    return parse_report(text)


def test_channels_are_descriptors(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"hello")
    text = [
        "Version=20130611",
        "Program=fd:9",
        "Timeout=10",
        "Memory=67108864,0",
        "Channel=fd:0,/dev/stdin,0,1,100,1000,0,0",
        "Channel=fd:1,/dev/stdout,0,1,0,0,100,1000",
        "Channel=fd:1,/dev/stderr,0,0,0,0,100,1000",
    ]
    before = open_descriptors()
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
        counters = Counters()
        descriptors = [source.fileno(), target.fileno()]
        report = run_session(parse("\n".join(text).encode()), descriptors, ENGINE, lambda: module("copy"), counters)
        os.fstat(source.fileno())
    assert (report.state, report.exit_code) == ("ok", 0)
    assert (tmp_path / "out").read_bytes() == b"hello"
    assert report.cdr[2:6] == counters.accounting()[2:6] == (2, 5, 1, 5)
    assert open_descriptors() == before


def test_a_channel_that_can_not_be_opened_leaves_none_open(tmp_path: Path) -> None:
    (tmp_path / "x.in").write_bytes(b"")
    before = open_descriptors()
    bad = manifest(tmp_path, "x", "Channel=/no/such/file,/dev/z,0,0,1,1,0,0")
    report = run_session(bad, [], ENGINE, lambda: module("copy"), Counters(), SessionOptions(preallocate=True))
    assert (report.state, report.exit_code) == ("MANIFEST 8: Channel /dev/z: /no/such/file: No such file or directory", 2)
    assert os.stat(tmp_path / "x.out").st_blocks == 0
    assert open_descriptors() == before


def test_the_walls_go_up_before_the_guests_first_instruction(tmp_path: Path) -> None:
    (tmp_path / "x.in").write_bytes(b"")
    eager = '(module (memory (export "memory") 1) (func $start unreachable) (start $start) (func (export "_start")))'
    seen: list[str] = []
    options = SessionOptions(opened=lambda: seen.append("walls"), event=seen.append)
    report = run_session(manifest(tmp_path, "x"), [], ENGINE, lambda: module(eager), Counters(), options)
    assert report.state.startswith("trapped: ")
    assert seen[2] == "walls"
    assert seen[3].startswith("program ended: trapped")


# Freezing.


def test_a_session_that_can_not_be_frozen_goes_on(tmp_path: Path) -> None:
    (tmp_path / "x.in").write_bytes(b"hello")
    report = run_session(manifest(tmp_path, "x"), [], ENGINE, lambda: module(FREEZE), Counters())
    assert (report.daemon, report.retcode) == (0, 255)


def test_a_frozen_session_ends_and_others_go_on_from_there(tmp_path: Path) -> None:
    """The first session's fork makes two children; each goes on as a session of its own."""
    for name, text in (("first", b"first"), ("one", b"one"), ("two", b"two")):
        (tmp_path / f"{name}.in").write_bytes(text)
    pipes = [os.pipe(), os.pipe()]
    adopted: list[int] = []

    def freeze(session: Session) -> int:
        for name, (_, writing) in zip(("one", "two"), pipes, strict=True):
            if os.fork() == 0:
                adopted.append(writing)
                session.adopt(manifest(tmp_path, name, etag=1), [], Counters())
                return 0
        return 1

    def first() -> Report:
        options = SessionOptions(fork=freeze)
        report = run_session(manifest(tmp_path, "first"), [], ENGINE, lambda: module(FREEZE), Counters(), options)
        if adopted:
            os.write(adopted[0], report.render())
            os._exit(0)
        return report

    report = in_child(first)
    assert (report.daemon, report.retcode, report.state) == (1, 1, "ok")
    for reading, writing in pipes:
        os.close(writing)
        with open(reading, "rb") as reports:
            later = parse_report(reports.read())
        assert (later.daemon, later.retcode, later.state, later.etags) == (0, 0, "ok", None)
        assert later.cdr[2:6] in ((1, 3, 1, 3),)
    assert (tmp_path / "first.out").read_bytes() == b"first"
    assert (tmp_path / "one.out").read_bytes() == b"one"
    assert (tmp_path / "two.out").read_bytes() == b"two"


def test_frozen_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "x.in").write_bytes(b"hello")
    (tmp_path / "nvram").write_bytes(b"[precache]\nprecache=yes\n")
    whole = manifest(tmp_path, "x", f"Channel={tmp_path}/nvram,/dev/nvram,3,0,9,99999,0,0")
    for answer, output, daemon in ((1, b"", 1), (0, b"hello", 0), (-1, b"hello", 0)):
        options = SessionOptions(fork=lambda session, answer=answer: answer)
        report = run_session(whole, [], ENGINE, lambda: module("copy"), Counters(), options)
        assert (report.state, report.daemon) == ("ok", daemon)
        assert (tmp_path / "x.out").read_bytes() == output


def test_a_manifest_that_does_not_fit_the_frozen_session(tmp_path: Path) -> None:
    (tmp_path / "x.in").write_bytes(b"hello")
    problems: list[str] = []

    def freeze(session: Session) -> int:
        other = manifest(tmp_path, "x", "Channel=/dev/null,/dev/more,0,0,1,1,0,0")
        changed = replace(
            session.manifest, channels=(replace(session.manifest.channels[0], type=1), *session.manifest.channels[1:])
        )
        for bad in (other, changed):
            with pytest.raises(ManifestError) as caught:
                session.adopt(bad, [], Counters())
            problems.append(str(caught.value))
        return -1

    options = SessionOptions(fork=freeze)
    report = run_session(manifest(tmp_path, "x"), [], ENGINE, lambda: module(FREEZE), Counters(), options)
    assert report.state == "ok"
    assert problems == ["difference in channels", "difference in channel /dev/stdin"]
    assert (tmp_path / "x.out").read_bytes() == b"hello"
