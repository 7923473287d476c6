"""What a session's process does, from its fork to its end (the service's own loop is never entered there).

The order matters: its descriptors and its death with the service come first (:mod:`process`), then limits, then a view of
nothing but its own compiled module, which is loaded here and nowhere else; then the last wall, and only then the guest.
"""

from __future__ import annotations

import os
import resource
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import wasmtime

from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.manifest import Manifest
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.service.page import SharedPage
from zerocloud.zerovm.service.process import BROKEN
from zerocloud.zerovm.service.walls import Walls

UNLOADABLE = 72
"""Exit code of a child that could not load its compiled module."""
_OVERHEAD_BYTES = 128 << 20
_SPARE_DESCRIPTORS = 32
_SPARE_SECONDS = 2
_HIGHEST_LIMIT = 1 << 62


@dataclass(frozen=True)
class SessionTask:
    """All that a session's process needs. ``module`` is open, and also the file ``module_file`` in the directory ``cache``."""

    manifest: Manifest
    descriptors: tuple[int, ...]
    module: int
    module_file: str
    cache: int
    page: int
    nice: int

    @property
    def kept(self) -> tuple[int, ...]:
        """The descriptors that the process needs."""
        return (*self.descriptors, self.module, self.cache, self.page)


RunGuest = Callable[[Manifest, Sequence[int], wasmtime.Engine, Callable[[], wasmtime.Module], Counters], Report]
"""Runs one manifest in this process: :func:`zerocloud.zerovm.session.run_session`, or a test's stand-in."""


def run_child(task: SessionTask, engine: wasmtime.Engine, walls: Walls, run: RunGuest) -> int:
    """Be the session's process; its exit code."""
    page = SharedPage(task.page)
    try:
        os.nice(task.nice)
        _limit(task)
        os.fchdir(task.cache)
        walls.around_session(task.module)
        module = _load(task, engine)
        if module is None:
            return UNLOADABLE
        walls.seal()
        report = run(task.manifest, task.descriptors, engine, lambda: module, Counters(page.counters))
        page.write_report(report.render())
    except BaseException:  # noqa: BLE001 - the edge of this process: the service logs the cause
        page.write_report(traceback.format_exc().encode("utf-8", "replace"))
        return BROKEN
    return 0


def _limit(task: SessionTask) -> None:
    """The second net below the service's own limits; each is a little wider than what it guards."""
    manifest = task.manifest
    seconds = manifest.timeout + _SPARE_SECONDS
    data = manifest.memory + _OVERHEAD_BYTES
    descriptors = max(task.kept) + _SPARE_DESCRIPTORS
    for number, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_FSIZE, _file_size(task)),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, descriptors),
    ):
        resource.setrlimit(number, (value, value))


def _file_size(task: SessionTask) -> int:
    """No file can grow beyond what its channel's limit allows from where it is now."""
    puts = [channel.put_size for channel in task.manifest.channels if channel.writable]
    sizes = [os.fstat(descriptor).st_size for descriptor in task.descriptors]
    return min(max(puts, default=0) + max(sizes, default=0), _HIGHEST_LIMIT)


def _load(task: SessionTask, engine: wasmtime.Engine) -> wasmtime.Module | None:
    try:
        return _map(task, engine) or _copy(task, engine)
    finally:
        os.chdir("/")
        os.close(task.cache)
        os.close(task.module)
        os.close(task.page)


def _map(task: SessionTask, engine: wasmtime.Engine) -> wasmtime.Module | None:
    """Map the module's file: by name, for wasmtime knows no other way; the name may be gone meanwhile."""
    try:
        if os.stat(task.module_file).st_ino == os.fstat(task.module).st_ino:
            return wasmtime.Module.deserialize_file(engine, task.module_file)
    except (OSError, wasmtime.WasmtimeError):
        pass
    return None


def _copy(task: SessionTask, engine: wasmtime.Engine) -> wasmtime.Module | None:
    try:
        return wasmtime.Module.deserialize(engine, os.pread(task.module, os.fstat(task.module).st_size, 0))
    except wasmtime.WasmtimeError:
        return None
