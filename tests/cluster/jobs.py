"""What the cluster tests of jobs share: guests in the store, maps, and what must be left when a job is over."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import simplejson

from tests import guests
from tests.cluster.conftest import Client
from zerocloud.objectquery.workspace import PREFIX
from zerocloud.zebra import Zebra
from zerocloud.zerovm.service.process import NAMES

DEMO_GUESTS = Path(guests.__file__).parents[1] / "zerocloud/demo/guests"
QUIET_SECONDS = 20.0
BUSY = (NAMES["session"], NAMES["compile"])


def program(client: Client, container: str, name: str) -> str:
    """Store a guest of ``tests.guests`` (or of the demo); returns its URL."""
    body = (DEMO_GUESTS / name).read_bytes() if name.endswith(".wasm") else guests.compiled(name)
    client.put(f"{container}/{name}", body, Content_Type="application/wasm")
    return f"swift://~/{container}/{name}"


def node(url: str, name: str = "node", args: str = "", **keys: object) -> dict:
    """A group with a path-less stdout, unless ``devices`` says otherwise."""
    group = {"name": name, "exec": {"path": url, "args": args}, "devices": [{"name": "stdout", "content_type": "text/plain"}]}
    return {**group, **keys}


def stdin(container: str, name: str) -> dict:
    return {"name": "stdin", "path": f"swift://~/{container}/{name}"}


def stdout(**keys: object) -> dict:
    return {"name": "stdout", **keys}


def run(client: Client, *groups: dict, **headers: str):
    """POST the map of these groups."""
    return client.execute(simplejson.dumps(groups), **headers)


def sessions(zebra: Zebra) -> list[str]:
    """The processes of the cluster's executor services that run a session or compile a program."""
    mark, found = str(zebra.layout.directory).encode(), []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if mark in (entry / "cmdline").read_bytes() and (entry / "comm").read_text().strip() in BUSY:
                found.append(entry.name)
    return found


def leftovers(zebra: Zebra) -> list[str]:
    """Files of sessions on the devices, with names, and open ones without. Swift has files of its own there."""
    directory, ours = zebra.layout.directory, re.compile(r"/node\d+/\w+/tmp[\w-]*/.* \(deleted\)")
    named = [str(path) for path in directory.glob(f"node*/*/tmp*/{PREFIX}*")]
    held, links = [], []
    for member in zebra.state().members:
        with suppress(OSError):  # it may have been killed
            links = [*Path(f"/proc/{member.process.pid}/fd").iterdir()]
        for link in links:
            with suppress(OSError):
                target = os.readlink(link)
                if target.startswith(str(directory)) and ours.fullmatch(target.removeprefix(str(directory))):
                    held.append(target)
    return named + held


@contextmanager
def nothing_left(zebra: Zebra) -> Iterator[None]:
    """Whatever happens inside, soon afterwards no session runs and no file of one is left."""
    yield
    deadline = time.monotonic() + QUIET_SECONDS
    while (rest := sessions(zebra) + leftovers(zebra)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not rest, rest
