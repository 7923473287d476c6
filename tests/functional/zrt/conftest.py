"""Real guests: C, compiled once a run, and WebAssembly text, in worlds of host files and pipes."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import wasmtime

from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.engine import Guest, Program, make_engine
from zerocloud.zrt.world import World

SOURCES = Path(__file__).parent / "guests"


@pytest.fixture(scope="session")
def engine():
    return make_engine()


@pytest.fixture(scope="session")
def c_file(tmp_path_factory):
    """Compile a C file of the guests' folder, with zig's options: the path of a module."""
    made = {}

    def compiled(name, *options):
        if (name, options) not in made:
            target = tmp_path_factory.mktemp("guest") / f"{name}.wasm"
            command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-Os", *options]
            environment = {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(target.parent)}
            if not os.access(Path.home(), os.W_OK):
                environment.setdefault("ZIG_GLOBAL_CACHE_DIR", f"{tempfile.gettempdir()}/zig-{os.getuid()}")
            done = subprocess.run(
                [*command, str(SOURCES / f"{name}.c"), "-o", str(target)], env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            made[name, options] = target
        return made[name, options]

    return compiled


@pytest.fixture(scope="session")
def compile_c(c_file, engine):
    """The same as a Program."""
    made = {}

    def compiled(name, *options):
        if (name, options) not in made:
            made[name, options] = Program(engine, wasmtime.Module(engine, c_file(name, *options).read_bytes()))
        return made[name, options]

    return compiled


@pytest.fixture(scope="session")
def everything(compile_c):
    """The C guest that does a bit of everything."""
    return compile_c("everything")


@dataclass
class Outcome:
    code: int
    out: bytes
    error: bytes


@dataclass
class Host:
    """Host files as channels, and guests that use them."""

    path: Path
    engine: wasmtime.Engine
    opened: list = field(default_factory=list)

    def file(self, name, data=None, flags=None, **kind):
        """A file as a channel: with data for reading, without for writing."""
        path = self.path / name
        if data is not None:
            path.write_bytes(data)
        if flags is None:
            flags = os.O_RDONLY if data is not None else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        descriptor = os.open(path, flags, 0o600)
        self.opened.append(descriptor)
        return PlainChannel(descriptor, **(kind or {"readable": data is not None, "writable": data is None}))

    def contents(self, name):
        return (self.path / name).read_bytes()

    def run(self, program, *args, stdin=b"", channels=(), **world):
        """Run a guest to its end; what it wrote beside its exit code."""
        everything = {
            "/dev/stdin": self.file("stdin", stdin),
            "/dev/stdout": self.file("stdout"),
            "/dev/stderr": self.file("stderr"),
            **dict(channels),
        }
        arguments = [b"guest", *(arg.encode() for arg in args)]
        with Guest(self.engine, program, World(args=arguments, channels=everything, **world)) as guest:
            code = guest.run()
        return Outcome(code, self.contents("stdout"), self.contents("stderr"))

    def text(self, source, **world):
        """Run a guest in WebAssembly text."""
        return self.run(Program(self.engine, wasmtime.Module(self.engine, source)), **world)

    def close(self):
        for descriptor in self.opened:
            os.close(descriptor)


@pytest.fixture
def host(tmp_path, engine):
    host = Host(tmp_path, engine)
    yield host
    host.close()
