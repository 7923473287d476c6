"""The table of exit codes: one test per row (executor contract, section 2), and the report that goes with each."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest
import wasmtime

from .conftest import Workspace

OUT = "/dev/null,/dev/x,0,0,0,0,1,1"


def test_a_good_manifest(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("copy"))
    assert done.code == 0
    assert done.lines[0] in ("0", "2")
    assert done.lines[1:4] == ["0", "0", "disabled"]
    assert len(done.lines[4].split()) == 10
    assert done.lines[5:] == ["ok", "", ""]
    assert done.errors == ""


def test_numbers_of_all_bases(workspace: Workspace) -> None:
    stdin = "/dev/null,/dev/stdin,00,0x0,010,0xff,0,0x0"
    assert workspace.run(workspace.manifest("copy", stdin=stdin, Timeout="0x20", Memory="0x4000000,0")).code == 0


def test_a_missing_program(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest(Path("/no/such/program")))
    assert (done.code, done.report.state) == (errno.ENOENT, "MANIFEST 2: Program: /no/such/program: No such file or directory")


def test_an_oversized_program(workspace: Workspace) -> None:
    path = workspace.path / "large"
    with path.open("wb") as file:
        file.truncate((256 << 20) + 1)
    done = workspace.run(workspace.manifest(path))
    assert done.code == errno.EIO
    assert done.report.state.endswith("has 268435457 bytes, the limit is 268435456")


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/"])
def test_a_special_program(workspace: Workspace, path: str) -> None:
    done = workspace.run(workspace.manifest(Path(path)))
    assert (done.code, done.report.state) == (errno.EIO, f"MANIFEST 2: Program: {path} is not a regular file")


def test_an_empty_manifest(workspace: Workspace) -> None:
    path = workspace.path / "manifest"
    path.write_bytes(b"")
    done = workspace.run(path)
    assert (done.code, done.report.state) == (errno.EIO, "the manifest is empty")


@pytest.mark.parametrize("text", [b"", b"\0asm", b"\0asm\1\0\0\0broken", b"\x7fELF" + bytes(100), b"#!/bin/sh\n"])
def test_a_malformed_program(workspace: Workspace, text: bytes) -> None:
    path = workspace.path / "program"
    path.write_bytes(text)
    done = workspace.run(workspace.manifest(path))
    assert (done.code, done.report.validator) == (errno.ENOEXEC, 1)
    assert done.report.state.startswith("refused by the validator: not a valid WebAssembly module")


def test_a_program_that_wants_more_than_there_is(workspace: Workspace) -> None:
    path = workspace.path / "program"
    path.write_bytes(wasmtime.wat2wasm('(module (import "env" "system" (func)) (func (export "_start")))'))
    done = workspace.run(workspace.manifest(path))
    assert (done.code, done.report.validator) == (errno.ENOEXEC, 1)
    assert "env.system" in done.report.state


@pytest.mark.parametrize("value", ["0,0", "1048576,0", "4294967297,0", "-1,0"])
def test_a_bad_memory_size(workspace: Workspace, value: str) -> None:
    done = workspace.run(workspace.manifest("copy", Memory=value))
    assert done.code == errno.ENOMEM
    assert done.report.state.startswith("MANIFEST 4: Memory: ")


@pytest.mark.parametrize(
    ("replaced", "extra"),
    [
        ({}, [f"Channel={OUT}", f"Channel={OUT}"]),
        ({"stdin": "/dev/null,/dev/stdin,4,0,1,1,0,0"}, []),
        ({"stdin": "/dev/null,/dev/stdin,-1,0,1,1,0,0"}, []),
        ({"stdin": "dev/null,/dev/stdin,0,0,1,1,0,0"}, []),
        ({"stdin": "gopher:x,/dev/stdin,0,0,1,1,0,0"}, []),
        ({"stdin": "/dev/null,/dev/stdin,0,0,-1,1,0,0"}, []),
        ({"stdin": "/dev/null,/dev/stdin,0,0,many,1,0,0"}, []),
        ({"stdin": "/dev/null,/dev/stdin,0,0,1,1,0"}, []),
        ({"stdin": "/dev/null,/dev/stdin,0,0,1,1,0,0,0"}, []),
        ({"Memory": "67108864"}, []),
        ({"Memory": "67108864,x"}, []),
        ({"Version": "20130612"}, []),
        ({"Timeout": "0"}, []),
        ({"Timeout": "-1"}, []),
        ({"Timeout": "soon"}, []),
        ({}, ["NameServer=udp:nowhere:5", "Node=1"]),
        ({}, ["NameServer=tcp:127.0.0.1:5", "Node=1"]),
        ({}, ["NameServer=udp:127.0.0.1:x", "Node=1"]),
        ({}, ["NameServer=udp:127.0.0.1", "Node=1"]),
        ({}, ["NameServer=udp:127.0.0.1:5"]),
        ({}, ["NameServer=udp:127.0.0.1:5", "Node=0"]),
        ({}, ["Node=x"]),
        ({}, ["Node=-1"]),
        ({}, ["Timeout=5"]),
    ],
)
def test_most_mistakes_are_14(workspace: Workspace, replaced: dict[str, str], extra: list[str]) -> None:
    done = workspace.run(workspace.manifest("copy", *extra, **replaced))
    assert done.code == errno.EFAULT
    assert done.report.validator == 2
    assert done.report.state.startswith("MANIFEST ")


@pytest.mark.parametrize(
    ("without", "state"),
    [
        ("Program", "Program not specified"),
        ("Version", "Version not specified"),
        ("Timeout", "Timeout not specified"),
        ("Memory", "Memory not specified"),
        ("stdin", "channel /dev/stdin not specified"),
        ("stdout", "channel /dev/stdout not specified"),
        ("stderr", "channel /dev/stderr not specified"),
    ],
)
def test_what_is_missing_is_14(workspace: Workspace, without: str, state: str) -> None:
    done = workspace.run(workspace.manifest("copy", without=without))
    assert (done.code, done.report.state) == (errno.EFAULT, state)


def test_no_channels(workspace: Workspace) -> None:
    path = workspace.manifest("copy")
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines() if not line.startswith("Channel")))
    assert workspace.run(path).code == errno.EFAULT


def test_a_file_without_usable_lines(workspace: Workspace) -> None:
    path = workspace.path / "manifest"
    path.write_bytes(b"nothing\nof=any=use\n\xff\xfe\n")
    assert workspace.run(path).code == errno.EFAULT


def test_a_channel_whose_limits_are_all_0(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("copy", "Channel=/dev/null,/dev/x,0,0,0,0,0,0"))
    assert done.code == errno.EINVAL
    assert done.report.state == "MANIFEST 8: Channel /dev/x: can neither be read nor written, its limits are 0"


def test_a_source_of_no_supported_kind(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace.path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        done = workspace.run(workspace.manifest("copy", f"Channel={workspace.path}/socket,/dev/x,0,0,1,1,0,0"))
    assert done.code == errno.EPROTONOSUPPORT
    assert done.report.state.startswith("MANIFEST 8: Channel /dev/x: ")


def test_a_missing_manifest(workspace: Workspace) -> None:
    done = workspace.run("/no/such/manifest")
    assert (done.code, done.report.state) == (errno.ENOENT, "MANIFEST /no/such/manifest: No such file or directory")


@pytest.mark.parametrize(
    "words",
    [[], ["a", "b"], ["-M", "a", "b"], ["-x", "a"], ["-t"], ["-t", "4", "a"], ["-v", "x", "a"], ["-T", "relative", "a"]],
)
def test_a_bad_command_line(workspace: Workspace, words: list[str]) -> None:
    done = workspace.run(*words)
    assert (done.code, done.out) == (errno.EINVAL, b"")
    assert "Usage: zerovm" in done.errors


def test_a_nvram_that_can_not_be_read(workspace: Workspace) -> None:
    (workspace.path / "nvram").write_text("[fstab]\nchannel=/dev/x,mountpoint=relative,access=ro\n")
    done = workspace.run(workspace.manifest("copy", f"Channel={workspace.path}/nvram,/dev/nvram,3,0,9,99999,0,0"))
    assert done.code == errno.EFAULT
    assert done.report.state.startswith("NVRAM 2: mountpoint=relative")
