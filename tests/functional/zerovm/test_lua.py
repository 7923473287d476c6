"""A program that no one here wrote: Lua, unchanged, and the tests of its authors.

Its source and its tests come with the source package of ``lupa``, which pip downloads, once for a machine.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from zerocloud.zerovm.states import EndState

PACKAGE = "lupa==2.8"
LUA = "third-party/lua54"
GAPS = Path(__file__).parent / "wild" / "gaps.c"
FLAGS = [
    *("-target", "wasm32-wasi", "-O2", "-w", "-DL_tmpnam=32"),
    *("-D_WASI_EMULATED_SIGNAL", "-lwasi-emulated-signal"),
    *("-D_WASI_EMULATED_PROCESS_CLOCKS", "-lwasi-emulated-process-clocks"),
    *("-mexception-handling", "-mllvm", "-wasm-enable-sjlj", "-mllvm", "-wasm-use-legacy-eh=false"),
]
TESTS = [
    *("api", "big", "bitwise", "bwcoercion", "calls", "closure", "code", "constructs", "coroutine", "cstack", "db", "errors"),
    *(
        "events",
        "files",
        "gc",
        "gengc",
        "goto",
        "locals",
        "math",
        "nextvar",
        "pm",
        "sort",
        "strings",
        "tpack",
        "tracegc",
        "utf8",
    ),
    *("vararg", "verybig"),
]
"""All but: all, which runs the others; heavy, which wants gigabytes; main, which wants a shell; attrib, for wasi-libc takes the
empty name for a directory's; literals, for its locale pt_BR has no comma."""
PORTABLE = "_port=true _soft=true _nomsg=true"
NVRAM = """[args]
args=lua {}
[env]
name=PATH, value=/
[fstab]
channel=/dev/tests, mountpoint=/, access=ro
"""
MUCH = "1000000,100000000"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The directory of Lua's source, below it its tests; skips where there is no way to get it."""
    kept = Path(tempfile.gettempdir()) / f"zerocloud-test-sources-{os.geteuid()}"
    kept.mkdir(mode=0o700, exist_ok=True)
    if not list(kept.glob("lupa-*.tar.gz")):
        # Without this its setup would compile one of the Luas, to be asked for its name.
        environment = {**os.environ, "LUPA_NO_LUAJIT": "true"}
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "lupa", PACKAGE, "-d", str(kept)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"the source of {PACKAGE} can't be downloaded: {done.stderr.strip().splitlines()[-1:]}")
    target = tmp_path_factory.mktemp("lua")
    with tarfile.open(next(kept.glob("lupa-*.tar.gz"))) as archive:
        archive.extractall(target, filter="data")
    return next(target.glob("lupa-*")) / LUA


@pytest.fixture(scope="module")
def lua(sources):
    """Lua as a module."""
    target = sources / "lua.wasm"
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, str(sources / "onelua.c"), str(GAPS), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "ZIG_LOCAL_CACHE_DIR": str(sources)})
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def image(sources):
    path = sources / "tests.tar"
    with tarfile.open(path, "w") as archive:
        for file in (sources / "testes").glob("*.lua"):
            archive.add(file, file.name)
    return path


def run(workspace, lua, image, *arguments):
    """A session of Lua: its report, and what it wrote."""
    escaped = (("".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in argument)) for argument in arguments)
    nvram = workspace.path / "nvram"
    nvram.write_text(NVRAM.format(" ".join(escaped)))
    manifest = workspace.manifest(
        lua,
        f"Channel={image},/dev/tests,3,0,{MUCH},0,0",
        f"Channel={nvram},/dev/nvram,3,0,{MUCH},0,0",
        Timeout="120",
        Memory=f"{1 << 30},0",
        stdout=f"{workspace.path}/stdout,/dev/stdout,0,0,0,0,{MUCH}",
        stderr=f"{workspace.path}/stderr,/dev/stderr,0,0,0,0,{MUCH}",
    )
    report = workspace.run(manifest).report
    return report, workspace.output().decode(errors="replace"), workspace.output("stderr").decode(errors="replace")


@pytest.mark.parametrize("name", TESTS)
def test_luas_own_tests(workspace, lua, image, name):
    report, _, errors = run(workspace, lua, image, "-e", PORTABLE, f"{name}.lua")
    assert (report.end, report.retcode) == (EndState.EXITED, 0), errors


def test_an_error_of_a_program_is_told_by_lua_itself(workspace, lua, image):
    report, _, errors = run(workspace, lua, image, "-e", "local t = nil; print(t.x)")
    assert (report.end, report.retcode) == (EndState.EXITED, 1)
    assert "attempt to index a nil value (local 't')" in errors


def test_memory_has_its_limit_and_lua_outlives_it(workspace, lua, image):
    script = "print(pcall(string.rep, 'x', 1 << 31)); print(pcall(string.rep, 'x', 1100 << 20))"
    report, output, _ = run(workspace, lua, image, "-e", script)
    assert (report.end, report.retcode) == (EndState.EXITED, 0)
    assert output.count("not enough memory") + output.count("too large") == 2
