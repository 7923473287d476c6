"""The process that a running Zebra hangs on: it lays the directory out, forks the servers, watches them, and ends with them.

``python -m zerocloud.zebra.supervisor DIR WISH DESCRIPTOR``: not for people; ``start.py`` calls it, with its wish as JSON and
one end of a socket pair (channel.py). It has one thread and starts Swift only in its children, which the kernel kills when it
dies.
"""

from __future__ import annotations

import gc
import logging
import os
import selectors
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import simplejson

from zerocloud.zebra import configuration, keystone, leftovers, ports, processes, rings, serverlog, settings, state, swiftserver
from zerocloud.zebra.channel import Reporter
from zerocloud.zebra.errors import ZebraError
from zerocloud.zebra.keystone import server as keystone_server
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.processes import Process
from zerocloud.zebra.settings import Settings, Wish, address_of

# Seconds for the servers to end after SIGTERM, which they do at once unless the kernel is busy with their disks.
SERVERS_END = 5.0

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger("zebra")


@dataclass
class Supervisor:
    """One running Zebra. Whatever is opened is closed by ``stack``: in the end here, and at the beginning in every child."""

    layout: Layout
    reporter: Reporter
    stack: ExitStack
    current: state.State = field(default_factory=lambda: state.State(Process.called(os.getpid())))
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    stopping: bool = False

    def prepare(self, wish: Wish) -> tuple[Settings, dict[str, socket.socket]]:
        """Lay out the directory and take the ports. Raises ZebraError."""
        existed = self.layout.directory.is_dir()
        self.layout.prepare()
        self.stack.enter_context(state.sole_supervisor(self.layout))
        try:
            known = settings.settle(self.layout, wish)
            if known.auth == settings.KEYSTONE:
                keystone.require()
                # Neither the proxy nor Keystone has anything to ask of anybody but each other.
                os.environ["no_proxy"] = "*"
            self.layout.prepare_nodes(known.devices())
            sockets = ports.bind(known, wish.port, self.stack)
        except ZebraError:
            self.layout.discard_beginnings(with_directory=not existed)
            raise
        if self.layout.is_zebra() and leftovers.clear(self.layout):
            raise ZebraError(f"{self.layout.directory}: processes of an earlier run can't be ended")
        self.layout.empty_temporary()
        os.environ["TMPDIR"] = str(self.layout.temporary)
        known = known.with_ports(ports.numbers(sockets))
        serverlog.open_log(self.layout.log_of("zebra"))
        # The mark first: rings that a broken start has left must be those of these settings.
        settings.save(self.layout, known)
        configuration.write(self.layout, known, wish.filters, wish.proxy_workers)
        rings.write(self.layout, known)
        # From here on 'zebra down' finds this process.
        state.save(self.layout, self.current)
        return known, sockets

    def start(self, known: Settings, sockets: dict[str, socket.socket], wish: Wish) -> None:
        """Fork the servers, and let go of their sockets: a dead node must refuse connections, not keep them waiting."""
        swiftserver.preload(self.layout.etc)
        gc.collect()
        gc.freeze()
        for name, servers in groups(known, wish.together, wish.proxy_workers):
            pid = self._fork(name, known, {server: sockets[server] for server in servers})
            listening = {server.partition("-")[0]: known.ports[server] for server in servers}
            member = state.Member(name, Process.called(pid), address_of(servers[0]), listening)
            self.current = state.State(self.current.supervisor, (*self.current.members, member))
            handle = os.pidfd_open(pid)
            self.stack.callback(os.close, handle)
            self.selector.register(handle, selectors.EVENT_READ, partial(self._member_ended, member, handle))
        for listener in sockets.values():
            listener.close()
        state.save(self.layout, self.current)
        logger.info("started %d processes, the proxy at %s", len(self.current.members), known.url)
        self.reporter.tell("started", url=known.url, directory=str(self.layout.directory))

    def _fork(self, name: str, known: Settings, listeners: dict[str, socket.socket]) -> int:
        parent = os.getpid()
        # A signal that comes before the child has its own dispositions must wait for them, not be lost in this process's.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return pid
        try:
            processes.die_with(parent)
            processes.take_name(f"zebra-{name}")
            _default_signals(mask)
            own = {server: listener.dup() for server, listener in listeners.items()}
            self.stack.close()
            serverlog.open_log(self.layout.log_of(name))
            if name == settings.KEYSTONE:
                keystone_server.serve(self.layout, known, own[name])
            swiftserver.serve(
                [swiftserver.Server(server, self.layout.configuration(server), bound) for server, bound in own.items()]
            )
        except BaseException:
            # The edge of the process: the log is where the reason belongs.
            logger.exception("%s ends", name)
        finally:
            os._exit(1)

    def watch(self) -> None:
        """Wait for signals, for the end of servers, and for the end of whoever the Zebra is tied to."""
        self.selector.register(self.reporter.connected, selectors.EVENT_READ, self._starter_spoke)
        while not self.stopping:
            for key, _ in self.selector.select():
                key.data()

    def listen_for_signals(self) -> None:
        """From now on SIGTERM and SIGINT end the watch."""
        receiving, sending = socket.socketpair()
        for end in (receiving, sending):
            end.setblocking(False)
            self.stack.callback(end.close)
        signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
        self.stack.callback(signal.set_wakeup_fd, -1)
        for number in STOP_SIGNALS:
            signal.signal(number, lambda number, frame: None)
        self.selector.register(receiving, selectors.EVENT_READ, self._stop)

    def _stop(self) -> None:
        self.stopping = True

    def _starter_spoke(self) -> None:
        if self.reporter.hears_end():
            logger.info("whoever started this Zebra has gone: it shuts down")
            self.stopping = True
        elif not self.reporter.tied:
            self.selector.unregister(self.reporter.connected)

    def _member_ended(self, member: state.Member, handle: int) -> None:
        self.selector.unregister(handle)
        _, status = os.waitpid(member.process.pid, 0)
        ending = how_it_ended(status)
        logger.error("%s (process %d) %s; it is not restarted", member.name, member.process.pid, ending)
        self.current = self.current.with_ending(member.name, ending)
        state.save(self.layout, self.current)
        self.reporter.tell("ended", name=member.name, how=ending)

    def shut_down(self) -> None:
        """End the servers and their executor services, and leave nothing of the run behind."""
        self.reporter.tell("stopping")
        members = [member.process for member in self.current.members if member.ending is None]
        processes.end(members, SERVERS_END)
        for process in members:
            # Without this they stay zombies where the machine's first process is slow to fetch orphans' statuses.
            os.waitpid(process.pid, os.WNOHANG)
        left = leftovers.end_executors(self.layout)
        if left:
            logger.error("can't be ended: %s", leftovers.describe(left))
        self.layout.state.unlink(missing_ok=True)
        logger.info("stopped")
        self.reporter.tell("stopped")


def groups(known: Settings, together: bool, proxy_workers: int = 1) -> list[tuple[str, list[str]]]:
    """The processes and the servers in each: the proxy's workers, one for each node, or everything together; Keystone."""
    beside = [(name, [name]) for name in known.servers if name not in known.swift_servers]
    if together:
        return [("all", list(known.swift_servers)), *beside]
    nodes = [(f"node{node}", [f"{kind}-{node}" for kind in settings.KINDS]) for node in known.node_numbers]
    workers = [("proxy" if number == 1 else f"proxy{number}", ["proxy"]) for number in range(1, proxy_workers + 1)]
    return [*workers, *nodes, *beside]


def how_it_ended(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with exit code {os.WEXITSTATUS(status)}"


def _default_signals(mask: set[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def run(directory: str, wish: Wish, connected: socket.socket) -> int:
    """The whole life of a Zebra. Returns the exit code."""
    reporter = Reporter(connected)
    with ExitStack() as stack:
        stack.callback(connected.close)
        try:
            supervisor = Supervisor(Layout.at(directory), reporter, stack)
            stack.callback(supervisor.selector.close)
            supervisor.listen_for_signals()
            known, sockets = supervisor.prepare(wish)
        except ZebraError as error:
            reporter.tell("error", kind=type(error).__name__, message=str(error))
            return error.exit_code
        try:
            supervisor.start(known, sockets, wish)
            supervisor.watch()
        finally:
            supervisor.shut_down()
    return 0


def main() -> None:
    """Read the command line that ``start.py`` wrote."""
    directory, wish, descriptor = sys.argv[1:]
    processes.take_name("zebra")
    os.umask(0o077)
    sys.exit(run(directory, Wish(**simplejson.loads(wish)), socket.socket(fileno=int(descriptor))))


if __name__ == "__main__":
    main()
