"""One session in this process: channels, world, guest, report (executor contract).

:func:`run_session` is what the service's forked children call, and those of the command line. Whatever happens to the guest
ends in a report; what can't be seen from inside, such as being killed, the parent adds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from errno import EIO

import wasmtime

from zerocloud.zerovm.channels import open_channel
from zerocloud.zerovm.counters import Counters
from zerocloud.zerovm.endings import Ending, channel_ending, limited, observe
from zerocloud.zerovm.errors import ChannelError, ExecutorError, ManifestError
from zerocloud.zerovm.hostchannel import HostChannel
from zerocloud.zerovm.manifest import Manifest
from zerocloud.zerovm.report import FAILED, MEMORY_ALIAS, PASSED, SKIPPED, Report
from zerocloud.zerovm.states import EndState
from zerocloud.zerovm.streams import make_room
from zerocloud.zerovm.worlds import Trace, make_world, read_configuration
from zerocloud.zrt.engine import Guest
from zerocloud.zrt.nvram import Nvram
from zerocloud.zrt.world import World


@dataclass(frozen=True)
class SessionOptions:
    """How to run, beyond the manifest.

    ``validator`` is what the report says of a program that could be loaded. ``preallocate`` reserves room for files to be
    written; ``dry`` stops when all is ready to run (``-F``). ``opened`` is called when the channels are open, for walls that
    go up then. ``fork`` answers the guest's call of that name, ``trace`` is told of every call, ``event`` of the session's
    steps.
    """

    validator: int = PASSED
    preallocate: bool = False
    dry: bool = False
    opened: Callable[[], None] = lambda: None
    fork: Callable[[Session], int] | None = None
    trace: Trace | None = None
    event: Callable[[str], None] = lambda text: None


def run_session(
    manifest: Manifest,
    descriptors: Sequence[int],
    engine: wasmtime.Engine,
    load_module: Callable[[], wasmtime.Module],
    counters: Counters,
    options: SessionOptions | None = None,
) -> Report:
    """Run one session to its end, in this process; how it went.

    ``fd:N`` in the manifest is ``descriptors[N]``, which stay the caller's; ``tcp:`` sources must have been connected before
    (:func:`zerocloud.zerovm.network.open_network`). ``load_module`` gives the compiled program, made for ``engine``; it may
    raise ExecutorError.
    """
    return Session(manifest, descriptors, counters, options or SessionOptions()).run(engine, load_module)


def failure_report(error: ExecutorError, validator: int = SKIPPED) -> Report:
    """The report of a session that could not begin. ``validator`` is the status unless the error says that it refused."""
    validator = FAILED if error.end is EndState.REFUSED else validator
    return Report(validator=validator, state=str(error), exit_code=error.errno)


class Session:
    """A session that is to run or running. In a child that is forked in mid-guest, :meth:`adopt` makes it another session."""

    def __init__(self, manifest: Manifest, descriptors: Sequence[int], counters: Counters, options: SessionOptions) -> None:
        self.manifest = manifest
        self.counters = counters
        self.options = options
        self._descriptors = descriptors
        self._channels: dict[str, HostChannel] = {}
        self._guest: Guest | None = None
        self._frozen = False

    def run(self, engine: wasmtime.Engine, load_module: Callable[[], wasmtime.Module]) -> Report:
        """From the program to the report."""
        try:
            module = load_module()
            self.options.event("program loaded")
            self._open()
            self.options.event("channels open")
        except ExecutorError as error:
            self._close_channels(Ending(error.end, exit_code=error.errno))
            report = failure_report(error, self.options.validator)
        else:
            report = self._conclude(observe(lambda: self._run_guest(engine, module)))
        times = os.times()
        return replace(report, cdr=self.counters.accounting(times.system, times.user))

    def adopt(self, manifest: Manifest, descriptors: Sequence[int], counters: Counters) -> None:
        """Go on as another session: its channels, arguments and environment, in the memory as it is (executor contract,
        section 6).

        For a child that the guest's own call has forked. The manifest's program and memory don't count, nor does a digest that
        the frozen session has not got; the old channels are let go, without an end. Raises ManifestError, ZrtError.
        """
        assert self._guest is not None, "only a running guest can become another session"
        difference = self.manifest.difference(manifest)
        if difference:
            raise ManifestError(None, f"difference in {difference}")
        for channel in self._channels.values():
            channel.forget()
        self.manifest, self._descriptors, self.counters = self.manifest.thawed(manifest), descriptors, counters
        self._channels, self._frozen = {}, False
        self._open()
        self._guest.rebind(self._world(read_configuration(self._channels)))

    @property
    def memory(self) -> memoryview:
        """The guest's memory, as it lies in this process; not to be kept."""
        if self._guest is None:
            return memoryview(b"")
        self._guest.memory.refresh()
        return self._guest.memory.view

    def _run_guest(self, engine: wasmtime.Engine, module: wasmtime.Module) -> int:
        configuration = read_configuration(self._channels)
        world = self._world(configuration)
        self.options.opened()
        self._guest = Guest(engine, module, world)
        if self.options.dry:
            return 0
        if configuration.precache and self._fork() > 0:
            return 0
        self.options.event("program started")
        return self._guest.run()

    def _fork(self) -> int:
        """The guest wants to be frozen here: more than 0 in this session, 0 in each later one, -1 if that can't be."""
        answer = self.options.fork(self) if self.options.fork else -1
        self._frozen = self._frozen or answer > 0
        return answer

    def _open(self) -> None:
        for line in self.manifest.ordered:
            channel = open_channel(line, self._descriptors, self.counters, preallocate=self.options.preallocate)
            self._channels[line.alias] = channel

    def _world(self, configuration: Nvram) -> World:
        return make_world(self.manifest, configuration, self._channels, self._fork, self.options.trace)

    def _conclude(self, ending: Ending) -> Report:
        self.options.event(f"program ended: {ending.text}")
        ending = self._close_channels(limited(ending, self._channels.values()))
        etags = self._etags() if ending.complete else None
        if self._guest is not None:
            self.counters.fuel = self._guest.fuel_used
            self._guest.close()
        validator = FAILED if ending.state is EndState.REFUSED else self.options.validator
        return Report(validator, int(self._frozen), ending.retcode, etags, state=ending.text, exit_code=ending.exit_code)

    def _close_channels(self, ending: Ending) -> Ending:
        """Close all, even if some fail; the first failure fails a session that had succeeded.

        What is written ends first: a peer may be waiting for that with what it has still to say.
        """
        if ending.complete:
            make_room(self._channels.values())
        for channel in sorted(self._channels.values(), key=lambda channel: channel.readable):
            try:
                channel.close(ending.complete)
            except ChannelError as error:
                ending = channel_ending(error) if ending.complete else ending
            except OSError as error:
                text = f"{channel.alias}: {error.strerror}"
                ending = Ending(EndState.INTERNAL, text, exit_code=error.errno or EIO) if ending.complete else ending
        return ending

    def _etags(self) -> dict[str, str] | None:
        etags = {alias: channel.etag for alias, channel in self._channels.items() if channel.etag is not None}
        if self.manifest.memory_etag and self._guest is not None:
            etags[MEMORY_ALIAS] = _memory_digest(self._guest)
        return etags or None


def _memory_digest(guest: Guest) -> str:
    guest.memory.refresh()
    return hashlib.md5(guest.memory.view, usedforsecurity=False).hexdigest()
