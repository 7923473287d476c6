"""What newcomers do, as they would: the first hour, and a project of their own with tests against a cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.zebra_shell import CLEAN, processes_of

ROOT = Path(__file__).parents[2]
TIMEOUT = 240


def run(*command: str | Path, cwd: Path) -> str:
    """What it prints on its standard output. It must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**CLEAN, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="the first hour looks at the console by curl")
def test_the_first_hour(tmp_path: Path) -> None:
    told = run(ROOT / "examples/first_hour.sh", "first hour", cwd=tmp_path)
    assert told.count("Good morning, world!") == 3
    assert re.search(r"^\d+ the$", told, re.MULTILINE)
    assert re.search(r"^[1-9]\d* pictures of the job", told, re.MULTILINE)
    assert "('the', " in told
    assert re.search(r"/console/js/main\.js: \d+ bytes", told)
    assert told.rstrip().endswith("is gone.")
    assert processes_of(tmp_path) == []
    assert not (tmp_path / "first hour/play").exists()


def test_a_project_tests_its_jobs_as_the_page_says(tmp_path: Path) -> None:
    page = (ROOT / "doc/testing.md").read_text()
    files = re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["conftest.py", "lines.c", "test_lines.py"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    told = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "3 passed" in told
    assert processes_of(tmp_path) == []
