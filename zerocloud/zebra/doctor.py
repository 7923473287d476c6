"""What is wrong with a Zebra, or would be if it were started, and how to mend it.

Every check looks at one thing, changes nothing, and says what it found; those that make no sense without an earlier one are
left out when that fails.
"""

from __future__ import annotations

import http.client
import os
import resource
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zerocloud.zebra import keystone, leftovers, settings, state, walls
from zerocloud.zebra.errors import NotRunning, ZebraError
from zerocloud.zebra.layout import Layout, check_attributes
from zerocloud.zebra.logview import last_lines
from zerocloud.zebra.probe import call, log_in
from zerocloud.zebra.settings import ADMINISTRATOR, KEYSTONE, Settings, address_of
from zerocloud.zebra.state import State

LEAST_SPACE = 1 << 30
"""Bytes that should be free: compiled programs and logs need room beside what is stored."""

LEAST_FILES = 10_000
LEAST_DESCRIPTORS = 1024
LOG_LINES = 3


@dataclass(frozen=True)
class Finding:
    """What one check has found. ``cure`` is empty if all is well; ``fatal`` tells whether the Zebra can't work like this."""

    subject: str
    text: str
    cure: str = ""
    fatal: bool = True

    @property
    def well(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.cure


def examine(layout: Layout) -> list[Finding]:
    """All findings, in the order in which they are worth reading."""
    findings = [*_file_system(layout), _descriptors(), _walls()]
    try:
        known = settings.load(layout)
    except ZebraError as error:
        cure = (
            f"zebra up --dir {layout.directory}"
            if not layout.is_zebra()
            else f"look at {layout.mark}, or use another directory"
        )
        return [Finding("directory", str(error), cure), *findings]
    findings.insert(0, Finding("directory", f"{layout.directory}: a Zebra of {known.nodes} nodes"))
    try:
        running = state.running(layout)
    except NotRunning:
        return [*findings, *_asleep(layout, known)]
    except ZebraError as error:
        return [*findings, Finding("processes", str(error), "ask its owner")]
    return [*findings, *_processes(layout, running), _answers(layout, known)]


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing that was found keeps the Zebra from working."""
    return all(finding.well or not finding.fatal for finding in findings)


def report(findings: list[Finding]) -> list[dict[str, Any]]:
    """The findings for programs."""
    return [{**asdict(finding), "well": finding.well} for finding in findings]


def _file_system(layout: Layout) -> Iterator[Finding]:
    folder = _existing(layout.directory)
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding(
            "rights", f"{folder} can't be written by this user", f"chown it, or choose another --dir than {layout.directory}"
        )
        return
    files = os.statvfs(folder)
    free = files.f_bavail * files.f_frsize
    cure = f"make room: less than {LEAST_SPACE >> 30} GiB is left, and writes will fail" if free < LEAST_SPACE else ""
    yield Finding("disk", f"{free / (1 << 30):.1f} GiB free at {folder}", cure)
    # A file system that has no fixed number of files tells 0 of 0.
    if files.f_files and files.f_favail < LEAST_FILES:
        yield Finding(
            "disk", f"{files.f_favail} files more can be made at {folder}", "remove files: every object is one on each node"
        )
    try:
        check_attributes(folder)
        yield Finding("attributes", "the file system keeps Swift's metadata")
    except (ZebraError, OSError) as error:
        yield Finding("attributes", str(error), "choose a --dir on ext4, xfs or btrfs")


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.is_dir())


def _descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    cure = f"ulimit -n {min(hard, 65536)}" if soft < LEAST_DESCRIPTORS else ""
    return Finding("descriptors", f"a process may open {soft} files", cure, fatal=False)


def _walls() -> Finding:
    told = walls.summary()
    cure = "" if told == walls.ALL_STAND else "run only programs that you trust here; 'zerovm --self-check' tells more"
    return Finding("walls", f"around guests: {told}", cure, fatal=False)


def _asleep(layout: Layout, known: Settings) -> Iterator[Finding]:
    left = leftovers.executors(layout)
    again = f"zebra up --dir {layout.directory}"
    if known.auth == KEYSTONE:
        yield _keystone()
    crashed = layout.state.exists()
    if left:
        yield Finding("processes", f"left by a crash: {leftovers.describe(left)}", f"zebra down --dir {layout.directory}")
    elif crashed:
        yield Finding("processes", f"the supervisor was killed, and all ended with it{_last_words(layout, 'zebra')}", again)
    else:
        yield Finding("processes", "it sleeps", again, fatal=False)
    for server in known.servers:
        address, port = address_of(server), known.ports.get(server)
        if port and (why := _taken(address, port)):
            cure = "none needed: the next 'zebra up' chooses another port, unless --port asks for this one"
            yield Finding("ports", f"{server}: port {port} of {address}: {why}", cure, fatal=False)


def _keystone() -> Finding:
    try:
        keystone.require()
    except ZebraError as error:
        return Finding("keystone", str(error), f"pip install '{keystone.EXTRA}'")
    return Finding("keystone", "it is installed")


def _taken(address: str, port: int) -> str:
    """Why the port can't be had; nothing if it can."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            # Only listening tells whether somebody else does.
            probe.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return ""


def _processes(layout: Layout, running: State) -> Iterator[Finding]:
    again = f"zebra down --dir {layout.directory}; zebra up --dir {layout.directory}"
    dead = [member for member in running.members if not member.alive]
    for member in dead:
        text = f"{member.name} {member.ending or 'has ended'}{_last_words(layout, member.name)}"
        yield Finding("processes", text, again, fatal=member.name in ("proxy", KEYSTONE) or len(dead) > 1)
    if not dead:
        yield Finding("processes", f"{len(running.members)} processes run")


def _answers(layout: Layout, known: Settings) -> Finding:
    """A PUT and a GET are ``up``'s affair; here an account that can be read will do."""
    cure = f"zebra logs --dir {layout.directory} proxy; then zebra down and zebra up"
    try:
        login = log_in(known, ADMINISTRATOR)
        answer = call(login.storage_url, "HEAD", {"X-Auth-Token": login.token})
    except (ZebraError, OSError, http.client.HTTPException) as error:
        return Finding("proxy", f"{known.url}: {error}", cure)
    if answer.status >= 400:
        return Finding("proxy", f"{known.url} can't read an account: status {answer.status}", cure)
    return Finding("proxy", f"{known.url} answers")


def _last_words(layout: Layout, name: str) -> str:
    lines = last_lines(layout.log_of(name), LOG_LINES)
    return "; the end of its log:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
