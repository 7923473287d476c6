"""Programs as files, manifests made from parts, and the command that runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.guests import SOURCES, compiled
from zerocloud.zerovm.command import main
from zerocloud.zerovm.report import Report, parse


@dataclass
class Workspace:
    """A directory for one session, all of whose files may be used by an unprivileged process as well."""

    path: Path
    programs: Path
    cache: Path | str
    capture: pytest.CaptureFixture[bytes]

    def program(self, name: str) -> Path:
        """A guest's module as a file."""
        path = self.programs / f"{name}.wasm"
        if not path.exists():
            draft = self.programs / f"{name}.{os.getpid()}"
            draft.write_bytes(compiled(name) if name in SOURCES else name.encode())
            draft.rename(path)
        return path

    def manifest(self, program: str | Path, *extra: str, without: str = "", **replaced: str) -> Path:
        """Write a manifest, with other values by key or by standard channel, or ``without`` one of them."""
        path = program if isinstance(program, Path) else self.program(program)
        values = {"Version": "20130611", "Program": str(path), "Timeout": "20", "Memory": "67108864,0"}
        values |= {
            "stdin": "/dev/null,/dev/stdin,0,0,1000,100000,0,0",
            "stdout": f"{self.path}/stdout,/dev/stdout,0,0,0,0,1000,100000",
            "stderr": f"{self.path}/stderr,/dev/stderr,0,0,0,0,1000,100000",
        }
        values |= replaced
        values.pop(without, None)
        lines = [f"{'Channel' if key.startswith('std') else key}={value}" for key, value in values.items()]
        written = self.path / "manifest"
        written.write_text("\n".join([*lines, *extra]) + "\n")
        return written

    def output(self, name: str = "stdout") -> bytes:
        """What the guest wrote."""
        return (self.path / name).read_bytes()

    def run(self, *words: str | Path) -> Done:
        """Call the command in this process, which it forks."""
        self.capture.readouterr()
        code = main(["--cache", str(self.cache), *map(str, words)])
        out, errors = self.capture.readouterr()
        return Done(code, out, errors.decode())

    def start(self, *words: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Start the command as a process of its own."""
        command = [sys.executable, "-m", "zerocloud.zerovm.command", "--cache", str(self.cache), *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: bytes
    errors: str

    @property
    def report(self) -> Report:
        """The report it printed."""
        return parse(self.out)

    @property
    def lines(self) -> list[str]:
        """What it printed, by line."""
        return self.out.decode().split("\n")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Directories that all tests share: programs, and the cache of their native code."""
    base = tmp_path_factory.mktemp("zerovm")
    (base / "programs").mkdir()
    return {"programs": base / "programs", "cache": base / "cache"}


@pytest.fixture
def workspace(tmp_path: Path, shared: Mapping[str, Path], capfdbinary: pytest.CaptureFixture[bytes]) -> Workspace:
    """A fresh workspace."""
    return Workspace(tmp_path, **shared, capture=capfdbinary)
