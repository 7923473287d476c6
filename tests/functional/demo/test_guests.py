"""The demo's guests can be rebuilt from their sources, and count as the client does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zerocloud.demo import corpus, job

GUESTS = Path(job.__file__).parent / "guests"
TEXT = b"the quick brown Fox jumps over the lazy dog; " * 1000 + b"w" * 300
MEGABYTE = 1 << 20
READ, WRITE = f"0,0,{MEGABYTE},{MEGABYTE},0,0", f"0,0,0,0,{MEGABYTE},{MEGABYTE}"


def session(folder: Path, program: Path, *channels: str) -> str:
    """Run a program; its report's state."""
    defaults = {"/dev/stdin": READ, "/dev/stdout": WRITE, "/dev/stderr": WRITE}
    missing = [
        f"/dev/null,{alias},{limits}" for alias, limits in defaults.items() if not any(f",{alias}," in c for c in channels)
    ]
    lines = ["Version=20130611", f"Program={program}", "Timeout=60", f"Memory={64 * MEGABYTE},0"]
    lines += [f"Channel={channel}" for channel in (*channels, *missing)]
    manifest = folder / "manifest"
    manifest.write_text("\n".join(lines) + "\n")
    run = subprocess.run([shutil.which("zerovm", path=Path(sys.executable).parent), manifest], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.splitlines()[5]


def word_count(folder: Path, guests: Path) -> list[tuple[str, int]]:
    """One mapper, two reducers' worth of channels, one collector; sessions one after the other, with files between them."""
    (folder / "text").write_bytes(TEXT)
    outs = [f"{folder}/part-{n},/dev/out/reduce-{n},{WRITE}" for n in (1, 2)]
    assert session(folder, guests / job.MAPPER, f"{folder}/text,/dev/stdin,{READ}", *outs) == "ok"
    ins = [f"{folder}/part-{n},/dev/in/map-{n},{READ}" for n in (1, 2)]
    assert session(folder, guests / job.REDUCER, *ins, f"{folder}/result,/dev/stdout,{WRITE}") == "ok"
    return job.word_counts((folder / "result").read_bytes())


def test_the_committed_guests_count(tmp_path: Path) -> None:
    assert word_count(tmp_path, GUESTS) == corpus.top(corpus.count([TEXT]), 100)


@pytest.mark.timeout(600)  # the compiler builds its C library at its first run
def test_rebuilt_guests_count_as_well(tmp_path: Path) -> None:
    sources = tmp_path / "guests"
    shutil.copytree(GUESTS, sources, ignore=shutil.ignore_patterns("*.wasm"))
    make = ["make", "-C", sources, f"ZIG={sys.executable} -m ziglang"]
    subprocess.run(make, check=True, capture_output=True)
    assert word_count(tmp_path, sources) == corpus.top(corpus.count([TEXT]), 100)
