"""What languages cost as guests: a session that does next to nothing, and a sieve beside the same program, native.

    python benchmarks/languages.py [--go GO] [--rustc RUSTC] [--ruby RUBY]

Each program of ``programs/languages`` is built for WASI and for this machine, where its compiler is there, and run over folders
(``zapp run``). ``start`` is the time of a warm session that sieves nothing; ``speed`` is the native program's time over that of
the session, start-up left out; both are medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zerocloud.client import Connection
from zerocloud.images import shelf
from zerocloud.local.world import LocalSwift

HERE = Path(__file__).parent / "programs" / "languages"
NOTHING = 2
ROUNDS = 9
WARM = 40
"""Sessions that nobody measures: an interpreter is warmed up behind the first of them."""
SCRIPTS = {"python": "primes.py", "ruby": "primes.rb"}
ZIG = (sys.executable, "-m", "ziglang")


@dataclass(frozen=True)
class Language:
    """How a program is built, for WASI and for this machine; ``most`` is how far it sieves."""

    name: str
    wasm: Sequence[str]
    native: Sequence[str]
    most: int = 100_000_000
    environment: tuple[tuple[str, str], ...] = ()


def languages(options: argparse.Namespace, place: Path) -> Iterator[Language]:
    """Those whose compilers are there."""
    cc = (sys.executable, "-m", "zerocloud.cli", "cc", "-O2")
    for name, source, driver in (("C", "primes.c", "cc"), ("C++", "primes.cpp", "c++")):
        path = str(HERE / source)
        yield Language(name, (*cc, path, "-o", "primes.wasm"), (*ZIG, driver, "-O2", path, "-o", "primes"))
    zig = (*ZIG, "build-exe", "-O", "ReleaseFast", "-lc", str(HERE / "primes.zig"))
    yield Language("Zig", (*zig, "-target", "wasm32-wasi", "-femit-bin=primes.wasm"), (*zig, "-femit-bin=primes"))
    if options.rustc:
        rust = (options.rustc, "-O", str(HERE / "primes.rs"), "-o")
        yield Language("Rust", (*rust, "primes.wasm", "--target", options.rust_target), (*rust, "primes"))
    if options.go:
        go = (options.go, "build", "-o")
        wasi = (("GOOS", "wasip1"), ("GOARCH", "wasm"))
        path = str(HERE / "primes.go")
        yield Language("Go", (*go, "primes.wasm", path), (*go, "primes", path), environment=wasi)


def built(language: Language, place: Path) -> tuple[bytes, Path]:
    """The module, and the program for this machine."""
    cache = {"GOCACHE": str(place / "go"), "ZIG_LOCAL_CACHE_DIR": str(place / "zig")}
    environment = {**os.environ, **cache}
    subprocess.run(language.wasm, cwd=place, check=True, env={**environment, **dict(language.environment)}, stdout=sys.stderr)
    subprocess.run(language.native, cwd=place, check=True, env=environment, stdout=sys.stderr)
    return (place / "primes.wasm").read_bytes(), place / "primes"


def session(cloud: Connection, group: dict[str, object], most: int) -> float:
    """Seconds that a session takes."""
    cloud.request("PUT", "/c/most", data=b"%d\n" % most)
    answer = cloud.run([group], timeout=600)
    (node,) = answer.nodes
    assert answer.body.strip().isdigit(), answer.body
    return node.seconds


def native(command: Sequence[str], most: int) -> float:
    """Seconds that a process takes."""
    began = time.perf_counter()
    subprocess.run(command, input=b"%d\n" % most, check=True, capture_output=True)
    return time.perf_counter() - began


def measure(cloud: Connection, name: str, group: dict[str, object], command: Sequence[str], most: int) -> None:
    """Print one language's line."""
    for _ in range(WARM):
        session(cloud, group, NOTHING)
    start = statistics.median(session(cloud, group, NOTHING) for _ in range(ROUNDS))
    ours = statistics.median(session(cloud, group, most) for _ in range(3)) - start
    theirs = statistics.median(native(command, most) for _ in range(3)) - min(native(command, NOTHING) for _ in range(3))
    print(
        f"{name:8} start {start * 1000:6.1f} ms   {ours:6.2f} s over {theirs:6.2f} s native: speed {theirs / ours:5.0%}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", default=shutil.which("go"), help="Go 1.21 or newer")
    parser.add_argument("--rustc", default=shutil.which("rustc"), help="a Rust compiler that has the target")
    parser.add_argument("--rust-target", default="wasm32-wasip1", help="called wasm32-wasi before Rust 1.78")
    parser.add_argument("--ruby", default=shutil.which("ruby"), help="the host's Ruby, beside the image ruby on the shelf")
    options = parser.parse_args()
    interpreters = {"python": sys.executable, "ruby": options.ruby}
    paths = {name: shelf.image_path(name) for name, interpreter in interpreters.items() if interpreter}
    images = {name: str(path) for name, path in paths.items() if path.exists()}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in ("c", "build"):
            (place / name).mkdir()
        with LocalSwift(place, images=images) as local, local.connect() as cloud:
            devices = [{"name": "stdin", "path": "swift://~/c/most"}, {"name": "stdout", "content_type": "text/plain"}]
            for language in languages(options, place):
                module, program = built(language, place / "build")
                cloud.request("PUT", "/c/program", data=module)
                group = {"name": "n", "exec": {"path": "swift://~/c/program"}, "devices": devices}
                measure(cloud, language.name, group, [str(program)], language.most)
            for name in images:
                script = HERE / SCRIPTS[name]
                cloud.request("PUT", f"/c/{script.name}", data=script.read_bytes())
                shared = [{"name": name}, {"name": "script", "path": f"swift://~/c/{script.name}"}]
                guest = {"path": f"file://{name}:bin/{name}", "args": "/dev/script"}
                group = {"name": "n", "exec": guest, "devices": [*shared, *devices], "attach": "stdin"}
                measure(cloud, name.capitalize(), group, [interpreters[name], str(script)], 1_000_000)


if __name__ == "__main__":
    main()
