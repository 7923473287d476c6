"""Programs run through zvsh, as from a shell (command-line tools, section 2)."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.guests import compiled

COMMAND = [sys.executable, "-m", "zerocloud.zvsh.command"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the compiled guests of this run are kept."""
    return tmp_path_factory.mktemp("home")


class Shell:
    """A directory to work in, with programs."""

    def __init__(self, path: Path, cache: Path) -> None:
        self.path = path
        self.environment = {**os.environ, "HOME": str(path), "XDG_CACHE_HOME": str(cache)}
        for name in ("copy", "arguments", "exit-3", "trap", "loop"):
            (path / f"{name}.wasm").write_bytes(compiled(name))

    def run(self, *words: str, input: bytes = b"", code: int = 0) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [*COMMAND, *words], cwd=self.path, env=self.environment, input=input, capture_output=True, timeout=100, check=False
        )
        assert done.returncode == code, done
        return done

    def start(self, *words: str, **options: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*COMMAND, *words], cwd=self.path, env=self.environment, **options)


@pytest.fixture
def shell(tmp_path: Path, cache: Path) -> Shell:
    return Shell(tmp_path, cache)


def test_data_goes_through(shell: Shell) -> None:
    data = os.urandom(300_000)
    done = shell.run("copy.wasm", input=data)
    assert done.stdout == data
    assert done.stderr == b""
    assert sorted(os.listdir(shell.path)) == ["arguments.wasm", "copy.wasm", "exit-3.wasm", "loop.wasm", "trap.wasm"]


def test_redirection_from_and_to_files(shell: Shell) -> None:
    (shell.path / "in").write_bytes(b"from a file")
    with (
        (shell.path / "in").open("rb") as stdin,
        (shell.path / "out").open("wb") as stdout,
        shell.start("copy.wasm", stdin=stdin.fileno(), stdout=stdout.fileno()) as process,
    ):
        assert process.wait(100) == 0
    assert (shell.path / "out").read_bytes() == b"from a file"


def test_output_comes_while_the_program_runs(shell: Shell) -> None:
    with shell.start("copy.wasm", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for word in (b"one", b"two"):
            process.stdin.write(word)
            process.stdin.flush()
            assert os.read(process.stdout.fileno(), 100) == word
        process.stdin.close()
        assert process.wait(100) == 0


def test_the_exit_code_is_the_programs(shell: Shell) -> None:
    done = shell.run("exit-3.wasm", code=3)
    assert (done.stdout, done.stderr) == (b"half an answer\n", b"what went wrong\n")
    shell.run("--zvm-getrc", "exit-3.wasm", code=0)


def test_a_trap_is_told(shell: Shell) -> None:
    done = shell.run("trap.wasm", code=4 << 4)
    assert b"trapped: wasm `unreachable` instruction executed at broken" in done.stderr
    assert b"---------- manifest.1\nVersion=20130611\n" in done.stderr
    assert done.stderr.endswith(b"ERROR: ZeroVM return code is 4\n")
    shell.run("--zvm-getrc", "trap.wasm", code=4)


def test_arguments_files_and_variables(shell: Shell) -> None:
    (shell.path / "file, with = odd name").write_bytes(b"x")
    done = shell.run("arguments.wasm", "a b", "@COLOUR=red, white", "--flag", "@file, with = odd name", "@new")
    words = [word for word in done.stdout.split(b"\0") if word]
    expected = [b"arguments.wasm", b"a b", b"--flag", b"/dev/1.file__with___odd_name", b"/dev/2.new", b"COLOUR=red, white"]
    assert words == expected
    assert (shell.path / "new").read_bytes() == b""


def test_a_program_in_an_image(shell: Shell) -> None:
    with tarfile.open(shell.path / "image.tar.gz", "w:gz") as archive:
        archive.add(shell.path / "copy.wasm", "bin/mine")
    assert shell.run("--zvm-image", "image.tar.gz", "bin/mine", input=b"hello").stdout == b"hello"
    done = shell.run("--zvm-image", "image.tar.gz", "bin/other", code=1)
    assert done.stderr == b"zvsh: bin/other: no such program here, nor in image.tar.gz\n"


def test_an_image_of_the_configuration(shell: Shell) -> None:
    with tarfile.open(shell.path / "python.tar", "w") as archive:
        archive.add(shell.path / "arguments.wasm", "python")
    (shell.path / "zvsh.cfg").write_text(f"[fstab]\n{shell.path}/python.tar = / ro\n[env]\nHOME = /\n")
    done = shell.run("python", "script.py")
    assert done.stdout.split(b"\0")[:2] == [b"python", b"script.py"]
    assert b"HOME=/\0" in done.stdout


def test_saved_sessions_can_be_run_again(shell: Shell) -> None:
    shell.run("--zvm-save-dir", "saved", "arguments.wasm", "x")
    saved = shell.path / "saved"
    assert sorted(os.listdir(saved)) == ["manifest.1", "nvram.1"]
    command = [sys.executable, "-m", "zerocloud.zerovm.command", "-P", str(saved / "manifest.1")]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=shell.environment, check=True)
    assert (saved / "stdout.1").read_bytes().startswith(b"arguments.wasm\0x\0")


def test_a_trace(shell: Shell) -> None:
    for _ in range(2):
        shell.run("--zvm-trace", "copy.wasm", input=b"hello")
    log = (shell.path / "zvsh.trace.log").read_text()
    assert log.count("program started") == 1
    assert "fd_read(0, " in log
    names = [event["name"] for event in json.loads((shell.path / "zvsh.trace.json").read_text())["traceEvents"]]
    assert names == ["fd_read", "fd_write", "fd_read"]


def test_a_debug_channel(shell: Shell) -> None:
    shell.run("--zvm-debug", "--zvm-verbosity", "3", "--zvm-save-dir", "saved", "copy.wasm")
    assert (shell.path / "zvsh.log").exists()
    assert "verbosity=3" in (shell.path / "saved" / "nvram.1").read_text()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing.wasm"], 1, b"zvsh: missing.wasm: no such program here\n"),
        (["gdb", "--args", "copy.wasm"], 1, b"zvsh: there is no gdb"),
        (["--zvm-image", "missing.tar", "x"], 1, b"zvsh: image missing.tar: "),
        (["--zvm-image", "copy.wasm,/,rw", "x"], 1, b"zvsh: image copy.wasm: access 'rw' is neither ro nor wo\n"),
        (["copy.wasm", "@no/such/directory/file"], 1, b"zvsh: no/such/directory/file: "),
        ([], 2, b"Usage: "),
        (["--zvm-verbosity", "9", "copy.wasm"], 2, b"Usage: "),
    ],
)
def test_mistakes(shell: Shell, words: list[str], code: int, message: bytes) -> None:
    done = shell.run(*words, code=code)
    assert done.stderr.startswith(message)
    assert b"Traceback" not in done.stderr


def test_the_time_limit_of_the_configuration(shell: Shell) -> None:
    (shell.path / "zvsh.cfg").write_text("[manifest]\nTimeout = 1\n")
    assert b"session timeout: the limit is 1 seconds" in shell.run("loop.wasm", code=64).stderr


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_in_a_terminal(shell: Shell) -> None:
    """Lines typed come back at once; Ctrl-C ends it all, quietly."""
    terminal, theirs = pty.openpty()
    with shell.start("copy.wasm", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        os.write(terminal, b"typed\n")
        seen = b""
        while seen.count(b"typed") < 2:
            seen += os.read(terminal, 1000)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 130
    os.close(terminal)


def test_terminated_from_outside(shell: Shell) -> None:
    with shell.start("--zvm-save-dir", "saved", "loop.wasm", stderr=subprocess.PIPE) as process:
        wait_for(lambda: os.path.exists(f"/proc/{process.pid}/task/{process.pid}/children"))
        own = f"/proc/{process.pid}/task/{process.pid}/children"
        wait_for(lambda: Path(own).read_text().split())
        [child] = Path(own).read_text().split()
        wait_for(lambda: Path(f"/proc/{child}/task/{child}/children").read_text().split())
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert b"cancelled: signal 15" in errors
    assert process.returncode == 64


def test_a_program_that_writes_on_ends_with_its_reader(shell: Shell) -> None:
    (shell.path / "flood.wasm").write_bytes(compiled("flood"))
    with shell.start("flood.wasm", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(1 << 20)) == 1 << 20
        process.stdout.close()
        assert process.wait(30) == 13
