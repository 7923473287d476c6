"""``zerocloud cc`` compiles programs that run here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ZVSH = "from zerocloud.zvsh.command import main; main()"

pytest.importorskip("ziglang", reason="the compiler is the package ziglang")


def cc(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "zerocloud.cli", "cc", *words], cwd=place, capture_output=True, text=True)


def run(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ZVSH, str(program), *words], capture_output=True, text=True)


def test_a_c_program_finds_our_header_and_runs(tmp_path):
    (tmp_path / "hello.c").write_text('#include <stdio.h>\n#include <zvm.h>\nint main(void) { puts("hello"); return X; }\n')
    done = cc(tmp_path, "hello.c", "-DX=3")
    assert done.returncode == 0, done.stderr
    ran = run(tmp_path / "hello.wasm")
    assert (ran.stdout, ran.returncode) == ("hello\n", 3)


def test_the_output_may_be_named(tmp_path):
    (tmp_path / "p.c").write_text("int main(void) { return 0; }\n")
    assert cc(tmp_path, "p.c", "-o", "other.wasm").returncode == 0
    assert [entry.name for entry in tmp_path.glob("*.wasm")] == ["other.wasm"]


def test_a_mistake_is_the_compilers_to_tell(tmp_path):
    (tmp_path / "bad.c").write_text("int main(void) { return }\n")
    done = cc(tmp_path, "bad.c")
    assert done.returncode != 0
    assert "bad.c:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cplusplus_program_has_no_exceptions(tmp_path):
    """Or what is only able to throw could not be linked."""
    (tmp_path / "p.cpp").write_text("#if __has_feature(cxx_exceptions)\n#error exceptions\n#endif\n")
    done = cc(tmp_path, "p.cpp", "-c")
    assert done.returncode == 0, done.stderr
