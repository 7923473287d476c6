"""Ending what may outlive the supervisor: the executor services, and after a crash perhaps anything."""

from __future__ import annotations

import os
import time

from zerocloud.zebra import processes, state
from zerocloud.zebra.layout import SOCKET, Layout
from zerocloud.zebra.processes import Process

# Seconds that an executor service has to end by itself once its node is gone, and that it has after a SIGTERM.
OWN_END = 2.5
GENTLY = 1.0
# A service that was just being started shows itself late; nothing starts one once the nodes are gone.
ROUNDS = 5


def executors(layout: Layout) -> list[Process]:
    """The executor services of this Zebra's nodes, and their sessions."""
    return processes.with_arguments({str(folder / SOCKET) for folder in layout.run.glob("node*")})


def executor(layout: Layout, node: int) -> Process | None:
    """The executor service of one node: the eldest of its processes, the others are its sessions."""
    found = processes.with_arguments({str(layout.executor_socket(node))})
    return min(found, key=lambda process: (process.started, process.pid), default=None)


def end_executors(layout: Layout, patience: float = OWN_END) -> list[Process]:
    """Wait ``patience`` seconds for the executor services to end by themselves, then end them. Returns who can't be ended."""
    deadline = time.monotonic() + patience
    found: list[Process] = []
    for _ in range(ROUNDS):
        found = executors(layout)
        if not found:
            break
        processes.end(processes.wait_all(found, deadline - time.monotonic()), GENTLY)
    return [process for process in found if process.alive]


def end_members(layout: Layout) -> list[Process]:
    """End the servers of a supervisor that has been killed: the kernel should have. Returns who can't be ended."""
    last = state.load(layout)
    if last is None or last.supervisor.alive:
        return []
    return processes.end((member.process for member in last.members if member.alive), GENTLY)


def clear(layout: Layout, patience: float = OWN_END) -> list[Process]:
    """End everything and forget the state. Returns the processes that can't be ended: none, unless the kernel holds them."""
    left = [*end_members(layout), *end_executors(layout, patience)]
    if not left and layout.run.is_dir():
        layout.state.unlink(missing_ok=True)
        for path in layout.run.glob(f"node*/{SOCKET}*"):
            path.unlink(missing_ok=True)
    return left


def describe(left: list[Process]) -> str:
    """The processes' ids in a sentence."""
    return ", ".join(str(process.pid) for process in left if process.pid != os.getpid())
