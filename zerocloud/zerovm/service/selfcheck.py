"""``zerovm --self-check``: which walls stand on this kernel, found by building them in a child process."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict

from zerocloud.zerovm.service.listener import user_id
from zerocloud.zerovm.service.options import Options
from zerocloud.zerovm.service.walls import Enclosure, Standing, Walls


def probe(user: int | None) -> list[Standing]:
    """Build the service's walls and a session's in a child, and tell what came of it. Raises OSError."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(readable)
            with open(writable, "w") as answer:
                json.dump([asdict(standing) for standing in _build(user).walls], answer)
        finally:
            os._exit(0)
    os.close(writable)
    with open(readable) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    if not text:
        raise OSError("the walls can't be tried: the child that did died")
    return [Standing(**standing) for standing in json.loads(text)]


def _build(user: int | None) -> Enclosure:
    walls = Walls()
    directory = os.open("/", os.O_PATH | os.O_DIRECTORY)
    enclosure = walls.around_service(user, directory)
    walls.around_compiler()
    walls.around_session(directory)
    return enclosure


def missing(standing: Sequence[Standing]) -> str:
    """The walls that don't stand, in one sentence; empty if all do."""
    return ", ".join(f"{wall.wall} ({wall.why_not})" for wall in standing if not wall.stands)


def self_check(arguments: Sequence[str]) -> int:
    """Print the walls and whether they stand; the exit code is 0 if all do, else 1."""
    parser = argparse.ArgumentParser(prog="zerovm --self-check", description="Which walls stand on this kernel?")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--user", metavar="NAME", default=Options.user, help="sessions' user when started as root")
    read = parser.parse_args(arguments)
    standing = probe(user_id(read.user) if os.geteuid() == 0 else None)
    if read.json:
        facts = {"kernel": platform.release(), "machine": platform.machine(), "user": os.geteuid()}
        print(json.dumps({**facts, "walls": [asdict(wall) for wall in standing]}, indent=2))
    else:
        print(f"Linux {platform.release()} on {platform.machine()}, as user {os.geteuid()}:")
        for wall in standing:
            print(f"  {'stands ' if wall.stands else 'MISSING'}  {wall.wall}{f': {wall.why_not}' if wall.why_not else ''}")
    return 0 if all(wall.stands for wall in standing) else 1
