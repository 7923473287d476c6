"""How a session's process gets its task, and the limits that come with it."""

from __future__ import annotations

import os
import pickle
import resource
import select
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import wasmtime

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.frames import FrameError, FrameReader, HungUp
from zerocloud.zerovm.manifest import Manifest
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.service.page import SharedPage
from zerocloud.zerovm.service.requests import SessionRequest
from zerocloud.zerovm.service.walls import Walls
from zerocloud.zerovm.session import SessionOptions

_OVERHEAD_BYTES = 128 << 20
_SPARE_DESCRIPTORS = 32
_SPARE_SECONDS = 2
_HIGHEST_LIMIT = 1 << 62
_NAME_BYTES = 255
_MOST_PROCESSES = 2048
"""Of this user, in all, where a session may still make some: the kernel counts users, not sessions."""
_DESCRIPTORS = 1 << 20

RunGuest = Callable[
    [Manifest, Sequence[int], wasmtime.Engine, Callable[[], wasmtime.Module], Counters, SessionOptions | None], Report
]
"""Runs one manifest in this process: :func:`zerocloud.zerovm.session.run_session`, or a test's stand-in."""


@dataclass(frozen=True)
class Heritage:
    """What all sessions' processes have from the service.

    ``cache`` is the cache's directory, open; ``callbacks`` is not looked at (:mod:`callbacks`).
    """

    engines: Mapping[bool, wasmtime.Engine]
    walls: Walls
    run: RunGuest
    cache: int
    null: int
    nice: int
    callbacks: list[object]


@dataclass(frozen=True)
class Task:
    """One session as its process gets it: the request, and open descriptors; ``file_name`` is the module's, in the cache."""

    request: SessionRequest
    page: SharedPage
    module: int
    file_name: str
    descriptors: tuple[int, ...]


def untaken(far: socket.socket) -> tuple[str, tuple[int, ...]] | None:
    """What is left of a dead child's line: the module's name and all descriptors of a task that it had not begun to take."""
    reader = FrameReader(_NAME_BYTES, _DESCRIPTORS)
    try:
        if reader.receive(far):
            name, descriptors = reader.take()
            return name.decode(), tuple(descriptors)
    except (FrameError, HungUp, OSError):
        pass  # the rest of one that it had begun
    reader.close()
    return None


def receive(line: socket.socket) -> tuple[SharedPage, tuple[int, ...], str]:
    """Wait for a task: its page, the module's and the session's own descriptors, the module's name. Raises HungUp."""
    reader = FrameReader(_NAME_BYTES, _DESCRIPTORS)
    wait_for_frame(line, reader)
    name, descriptors = reader.take()
    page = SharedPage(descriptors[0])
    os.close(descriptors[0])
    return page, tuple(descriptors[1:]), name.decode()


def wait_for_frame(line: socket.socket, reader: FrameReader) -> None:
    """Return when the reader has a whole frame. Raises HungUp."""
    patience = select.poll()
    patience.register(line.fileno(), select.POLLIN)
    while not reader.receive(line):
        patience.poll()


def make_task(page: SharedPage, descriptors: tuple[int, ...], file_name: str, null: int) -> Task:
    """The task that a page and descriptors are."""
    module, *own = descriptors
    request: SessionRequest = pickle.loads(page.read_task())  # noqa: S301 - from this process's own service
    return Task(request, page, module, file_name, (*own, null) if request.null else tuple(own))


def limit(task: Task, really: bool = True) -> None:
    """The second net below the service's own limits; each is a little wider than what it guards. A rehearsal sets none.

    One whose guest may be frozen can make processes, and its limits are soft: sessions thawed from it have limits of their own.
    """
    manifest, freezable = task.request.manifest, task.request.freezable
    for number, value, soft in (
        (resource.RLIMIT_CORE, 0, False),
        (resource.RLIMIT_DATA, manifest.memory + _OVERHEAD_BYTES, False),
        (resource.RLIMIT_CPU, manifest.timeout + _SPARE_SECONDS + int(sum(os.times()[:2])), freezable),
        (resource.RLIMIT_FSIZE, _file_size(task), freezable),
        (resource.RLIMIT_NOFILE, max((*task.descriptors, task.module)) + _SPARE_DESCRIPTORS, freezable),
        (resource.RLIMIT_NPROC, _MOST_PROCESSES if freezable else 0, False),
    ):
        before = resource.getrlimit(number)
        resource.setrlimit(number, _lowered(before[1], value, soft) if really else before)


def lift_cpu_limit() -> None:
    """For a process that is to last: no limit of CPU time, as far as that was soft."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def _lowered(hard: int, value: int, soft: bool) -> tuple[int, int]:
    """A limit and its bound: ``value``, as far as the bound is not stricter already, and for good unless it is ``soft``."""
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    return value, hard if soft else value


def _file_size(task: Task) -> int:
    """No file can grow beyond what its channel's limit allows from where it is now."""
    puts = [channel.put_size for channel in task.request.manifest.channels if channel.writable]
    sizes = [os.fstat(descriptor).st_size for descriptor in task.descriptors]
    return min(max(puts, default=0) + max(sizes, default=0), _HIGHEST_LIMIT)
