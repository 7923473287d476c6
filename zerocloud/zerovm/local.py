"""One session of the command line: the program compiled, a child for the guest, a parent that watches it.

As in the service, the guest's process is forked, its counters lie in shared memory, and only the parent's SIGKILL is relied
upon; a session that is killed is reported all the same.
"""

from __future__ import annotations

import os
import resource
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

import wasmtime

from zerocloud.zerovm.channels import release_reserved
from zerocloud.zerovm.counters import SIZE, Counters
from zerocloud.zerovm.errors import ExecutorError
from zerocloud.zerovm.manifest import Manifest
from zerocloud.zerovm.network import open_network
from zerocloud.zerovm.privileges import drop_privileges
from zerocloud.zerovm.programs import Program, compile_program
from zerocloud.zerovm.report import FAILED, Report
from zerocloud.zerovm.service.compiling import private_data
from zerocloud.zerovm.service.outcome import conclude
from zerocloud.zerovm.service.page import SharedPage, create_page, read_counters, read_report
from zerocloud.zerovm.service.walls import Walls
from zerocloud.zerovm.session import SessionOptions, failure_report, run_session
from zerocloud.zerovm.states import EndState
from zerocloud.zerovm.supervisor import Ended, run_in_child
from zerocloud.zerovm.tracing import Tracer
from zerocloud.zrt.engine import make_engine

NICE = 19
_OVERHEAD = 128 << 20
"""Bytes of writable memory that the process needs beside its guest's."""


@dataclass(frozen=True)
class LocalOptions:
    """The command line's options that change how a session is run: ``-s``, ``-F``, ``-P`` and the cache's directory."""

    skip_validation: bool = False
    dry: bool = False
    preallocate: bool = True
    cache: str | None = None


def run_local(manifest: Manifest, options: LocalOptions, tracer: Tracer) -> Report:
    """Run a manifest whose sources are paths and streams of this host; how it went."""
    with ExitStack() as stack:
        try:
            program = compile_program(manifest, options.cache, options.skip_validation, stack)
        except ExecutorError as error:
            return failure_report(error)
        tracer.event("program compiled")
        page = create_page()
        stack.callback(os.close, page)
        child = _Child(manifest, options, program, page, tracer, Walls())
        ended = run_in_child(child.run, (program.descriptor, page, *tracer.descriptors), manifest.timeout)
        if options.preallocate and ended.status:
            release_reserved(manifest.channels)
        tracer.event("session ended")
        return _report(ended, page, program.validator)


def _report(ended: Ended, page: int, validator: int) -> Report:
    """The child's own report if it left one in good order, else what the parent knows. The kernel's times count in both."""
    words = read_report(page)
    counted = Counters(read_counters(page)[:SIZE]).accounting()
    complete = bool(words) and os.WIFEXITED(ended.status)
    outcome = conclude(words, 0 if complete else ended.status, ended.kill, counted, ended.usage, validator)
    report = outcome.report
    if complete:
        report = replace(report, exit_code=os.WEXITSTATUS(ended.status))
    return replace(report, validator=FAILED) if report.end is EndState.REFUSED else report


@dataclass(frozen=True)
class _Child:
    """What happens in the guest's process."""

    manifest: Manifest
    options: LocalOptions
    program: Program
    page: int
    tracer: Tracer
    walls: Walls

    def run(self) -> int:
        """Run the session, leave its report in the page; its exit code."""
        page = SharedPage(self.page)
        os.nice(NICE)
        try:
            report = self._run(Counters(page.counters))
        except ExecutorError as error:
            report = failure_report(error, self.program.validator)
        page.write_report(report.render())
        return report.exit_code

    def _run(self, counters: Counters) -> Report:
        manifest = self.manifest
        deadline = time.monotonic() + manifest.timeout
        engine = make_engine(fuel=manifest.fuel is not None)
        with open_network(
            manifest.channels, manifest.node or 0, manifest.name_server, manifest.token, deadline=deadline
        ) as network:
            connected = replace(manifest, channels=network.lines)
            options = SessionOptions(
                validator=self.program.validator,
                preallocate=self.options.preallocate,
                dry=self.options.dry,
                opened=self._wall_in,
                trace=self.tracer.call if self.tracer.descriptors else None,
                event=self.tracer.event,
            )
            return run_session(connected, network.descriptors, engine, lambda: self._load(engine), counters, options)

    def _load(self, engine: wasmtime.Engine) -> wasmtime.Module:
        return wasmtime.Module.deserialize_file(engine, f"/proc/self/fd/{self.program.descriptor}")

    def _wall_in(self) -> None:
        """The second wall, as far as one process can build it: see :mod:`zerocloud.zerovm.service.walls`.

        The limit of memory is the guest's: what this process had before it, from whoever called, does not count.
        """
        memory = private_data() + self.manifest.memory + _OVERHEAD
        drop_privileges()
        for number, limit in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NPROC, 0),
            (resource.RLIMIT_DATA, memory),
        ):
            resource.setrlimit(number, (limit, limit))
        self.walls.around_compiler()
        self.walls.seal()
