"""What a session's process does, from its fork to its end (the service's own loop is never entered there).

The order matters: its descriptors and its death with the service come first (:mod:`process`), perhaps a rehearsal, then the
wait for its task. Then come limits, a view of nothing but its own compiled module, which is loaded here and nowhere else, the
last wall, and only then the guest.
"""

from __future__ import annotations

import gc
import os
import pickle
import socket
import traceback

import wasmtime

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.frames import HungUp
from zerocloud.zerovm.service.freezing import Freezer, Station
from zerocloud.zerovm.service.kernel import set_name
from zerocloud.zerovm.service.page import SharedPage, create_page, write_task
from zerocloud.zerovm.service.process import BROKEN, NAMES
from zerocloud.zerovm.service.rehearsal import MANIFEST, Rehearsal
from zerocloud.zerovm.service.requests import parse_session
from zerocloud.zerovm.service.tasks import Heritage, Task, limit, make_task, receive
from zerocloud.zerovm.session import SessionOptions

UNLOADABLE = 72
"""Exit code of a child that could not load its compiled module."""
READY, REPORTED = b"r", b"."
"""What a child says to the service: the rehearsal is over; the report is there."""


def be_child(line: socket.socket, heritage: Heritage, rehearsal: Rehearsal | None) -> int:
    """Be a session's process, whose task comes over ``line``; its exit code."""
    os.nice(heritage.nice)
    if rehearsal is not None:
        rehearse(heritage, rehearsal)
        line.send(READY)
    try:
        page, descriptors, file_name = receive(line)
    except HungUp:  # not needed any more
        return 0
    set_name(NAMES["session"])
    station = Station(page, line)
    try:
        task = make_task(page, descriptors, file_name, heritage.null)
        limit(task)
        code = _perform(task, heritage, station)
    except BaseException:  # noqa: BLE001 - the edge of this process: the service logs the cause
        station.page.write_report(traceback.format_exc().encode("utf-8", "replace"))
        return BROKEN
    if code == 0:
        station.line.send(REPORTED)
    return code


def rehearse(heritage: Heritage, rehearsal: Rehearsal) -> None:
    """Do once what a session does, behind the service's walls only, so that its memory and code are there when it counts."""
    os.fchdir(heritage.cache)
    engine = heritage.engines[False]
    module = _load(rehearsal.file_name, rehearsal.module, engine)
    os.chdir("/")
    if module is not None:
        task = _rehearsed_task(rehearsal, heritage.null)
        limit(task, really=False)
        manifest, counters = task.request.manifest, Counters(task.page.counters)
        report = heritage.run(manifest, task.descriptors, engine, lambda: module, counters, SessionOptions())
        task.page.write_report(report.render())
    # What it left must not be collected later: it may own descriptors whose numbers are others' by then.
    gc.collect()


def _rehearsed_task(rehearsal: Rehearsal, null: int) -> Task:
    """What a rehearsal is to do, got in the way that a session gets its own."""
    descriptor = create_page()
    try:
        request = parse_session(MANIFEST, len(rehearsal.descriptors))
        write_task(descriptor, pickle.dumps(request))
        page = SharedPage(descriptor)
    finally:
        os.close(descriptor)
    return make_task(page, (rehearsal.module, *rehearsal.descriptors), rehearsal.file_name, null)


def _perform(task: Task, heritage: Heritage, station: Station) -> int:
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
    freezer = Freezer(station, task, heritage) if task.request.freezable else None
    heritage.walls.seal(freezable=freezer is not None)
    gc.enable()
    options = SessionOptions(fork=freezer)
    report = heritage.run(manifest, task.descriptors, engine, lambda: module, Counters(task.page.counters), options)
    station.page.write_report(report.render())
    return 0


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
