"""What a session's process does, from its fork to its end (the service's own loop is never entered there).

The order matters: its descriptors and its death with the service come first (:mod:`process`), perhaps a rehearsal, then the
wait for its task. Then come limits, a view of nothing but its own compiled module, which is loaded here and nowhere else, the
last wall, and only then the guest.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import select
import socket
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import wasmtime

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.frames import FrameReader, HungUp
from zerocloud.zerovm.manifest import Manifest
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.service.kernel import set_name
from zerocloud.zerovm.service.page import SharedPage
from zerocloud.zerovm.service.process import BROKEN, NAMES
from zerocloud.zerovm.service.rehearsal import MANIFEST, Rehearsal
from zerocloud.zerovm.service.requests import SessionRequest, parse_session
from zerocloud.zerovm.service.walls import Walls

UNLOADABLE = 72
"""Exit code of a child that could not load its compiled module."""
READY, REPORTED = b"r", b"."
"""What a child says to the service: the rehearsal is over; the report is there."""
FIRST_DESCRIPTOR = 2
"""Of what comes with a task: the page, the compiled module, then the session's own."""

_OVERHEAD_BYTES = 128 << 20
_SPARE_DESCRIPTORS = 32
_SPARE_SECONDS = 2
_HIGHEST_LIMIT = 1 << 62
_NAME_BYTES = 255
_DESCRIPTORS = 1 << 20

RunGuest = Callable[[Manifest, Sequence[int], wasmtime.Engine, Callable[[], wasmtime.Module], Counters], Report]
"""Runs one manifest in this process: :func:`zerocloud.zerovm.session.run_session`, or a test's stand-in."""


@dataclass(frozen=True)
class Heritage:
    """What all sessions' processes have from the service.

    ``cache`` is the cache's directory, open; ``callbacks`` is not looked at (:mod:`callbacks`).
    """

    engines: dict[bool, wasmtime.Engine]
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


def be_child(line: socket.socket, heritage: Heritage, rehearsal: Rehearsal | None) -> int:
    """Be a session's process, whose task comes over ``line``; its exit code."""
    os.nice(heritage.nice)
    if rehearsal is not None:
        rehearse(heritage, rehearsal)
        line.send(READY)
    try:
        page, descriptors, file_name = _receive(line)
    except HungUp:  # not needed any more
        return 0
    set_name(NAMES["session"])
    try:
        task = _make_task(page, descriptors, file_name, heritage.null)
        _limit(task)
        code = _perform(task, heritage)
    except BaseException:  # noqa: BLE001 - the edge of this process: the service logs the cause
        page.write_report(traceback.format_exc().encode("utf-8", "replace"))
        return BROKEN
    if code == 0:
        line.send(REPORTED)
    return code


def rehearse(heritage: Heritage, rehearsal: Rehearsal) -> None:
    """Do once what a session does, behind the service's walls only, so that its memory and code are there when it counts."""
    os.fchdir(heritage.cache)
    engine = heritage.engines[False]
    module = _load(rehearsal.file_name, rehearsal.module, engine)
    os.chdir("/")
    if module is not None:
        descriptors = (*rehearsal.descriptors, heritage.null)
        request = parse_session(MANIFEST, len(rehearsal.descriptors))
        heritage.run(request.manifest, descriptors, engine, lambda: module, Counters()).render()
    # What it left must not be collected later: it may own descriptors whose numbers are others' by then.
    gc.collect()


def _receive(line: socket.socket) -> tuple[SharedPage, tuple[int, ...], str]:
    reader = FrameReader(_NAME_BYTES, _DESCRIPTORS)
    patience = select.poll()
    patience.register(line.fileno(), select.POLLIN)
    while not reader.receive(line):
        patience.poll()
    name, descriptors = reader.take()
    page = SharedPage(descriptors[0])
    os.close(descriptors[0])
    return page, tuple(descriptors[1:]), name.decode()


def _make_task(page: SharedPage, descriptors: tuple[int, ...], file_name: str, null: int) -> Task:
    module, *own = descriptors
    request: SessionRequest = pickle.loads(page.read_task())  # noqa: S301 - from this process's own service
    return Task(request, page, module, file_name, (*own, null) if request.null else tuple(own))


def _perform(task: Task, heritage: Heritage) -> int:
    manifest = task.request.manifest
    engine = heritage.engines[manifest.fuel is not None]
    os.fchdir(heritage.cache)
    heritage.walls.around_session(task.module)
    module = _load(task.file_name, task.module, engine)
    if module is None:
        return UNLOADABLE
    os.chdir("/")
    os.close(heritage.cache)
    os.close(task.module)
    heritage.walls.seal()
    gc.enable()
    report = heritage.run(manifest, task.descriptors, engine, lambda: module, Counters(task.page.counters))
    task.page.write_report(report.render())
    return 0


def _limit(task: Task) -> None:
    """The second net below the service's own limits; each is a little wider than what it guards."""
    manifest = task.request.manifest
    seconds = manifest.timeout + _SPARE_SECONDS + int(sum(os.times()[:2]))
    descriptors = max((*task.descriptors, task.module)) + _SPARE_DESCRIPTORS
    for number, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, manifest.memory + _OVERHEAD_BYTES),
        (resource.RLIMIT_FSIZE, _file_size(task)),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, descriptors),
    ):
        resource.setrlimit(number, (value, value))


def _file_size(task: Task) -> int:
    """No file can grow beyond what its channel's limit allows from where it is now."""
    puts = [channel.put_size for channel in task.request.manifest.channels if channel.writable]
    sizes = [os.fstat(descriptor).st_size for descriptor in task.descriptors]
    return min(max(puts, default=0) + max(sizes, default=0), _HIGHEST_LIMIT)


def _load(file_name: str, descriptor: int, engine: wasmtime.Engine) -> wasmtime.Module | None:
    """Map the module's file, found in the working directory, or copy it where its name is gone meanwhile."""
    try:
        if os.stat(file_name).st_ino == os.fstat(descriptor).st_ino:  # by name, for wasmtime knows no other way
            return wasmtime.Module.deserialize_file(engine, file_name)
    except (OSError, wasmtime.WasmtimeError):
        pass
    try:
        return wasmtime.Module.deserialize(engine, os.pread(descriptor, os.fstat(descriptor).st_size, 0))
    except wasmtime.WasmtimeError:
        return None
