"""Running the command ``zebra`` as its users do, and looking for what it may have left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULE = ("-m", "zerocloud.zebra.command")
COMMAND = (sys.executable, *MODULE)
SECONDS = 120
CLEAN = {name: value for name, value in os.environ.items() if not re.match("ZEBRA_|ST_|OS_|AWS_", name)}


@dataclass(frozen=True)
class Person:
    """Somebody who runs ``zebra``: a user id, and a Python with our packages that this user may execute."""

    user: int
    executable: str
    variables: Mapping[str, str]

    def identity(self) -> dict[str, Any]:
        """Arguments of ``subprocess``."""
        return {} if self.user == os.getuid() else {"user": self.user, "group": self.user, "extra_groups": (), "cwd": "/"}


MYSELF = Person(os.getuid(), sys.executable, {})


def zebra(*arguments: str, code: int = 0, person: Person = MYSELF, **variables: str) -> str:
    """Run ``zebra`` and return what it prints, both streams. Its exit code must be ``code``."""
    done = subprocess.run(
        [person.executable, *MODULE, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={**CLEAN, **person.variables, "COLUMNS": "200", **variables},
        **person.identity(),
    )
    assert done.returncode == code, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


def may_run(person: Person) -> bool:
    """Whether the person's Python runs and finds our packages."""
    try:
        zebra("--version", person=person)
    except (OSError, AssertionError):
        return False
    return True


def somebody_else(user: int, folder: Path) -> Person | None:
    """Another user, with this Python, or with the system's of the same version if this one is closed to others."""
    with_ours = Person(user, sys.executable, {"HOME": str(folder)})
    if may_run(with_ours):
        return with_ours
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if not os.access(system, os.X_OK):
        return None
    # An environment without the distribution's own packages.
    subprocess.run([system, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    packages = [path for path in sys.path if "/site-packages" in path]
    variables = {"HOME": str(folder), "PYTHONPATH": os.pathsep.join([*packages, str(Path(__file__).parents[2])])}
    with_system_s = Person(user, str(folder / "venv/bin/python"), variables)
    return with_system_s if may_run(with_system_s) else None


def processes_of(directory: Path) -> list[int]:
    """Every living process whose command line names the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and os.fsencode(directory) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def all_gone(directory: Path, seconds: float = 30) -> bool:
    """Whether every process of the directory ends in time."""
    return wait_for(lambda: not processes_of(directory), seconds)


def exported(text: str) -> Mapping[str, str]:
    """The variables of ``zebra env``, as a shell understands them."""
    script = f"{text}\nenv -0"
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
