"""Stopping a Zebra from outside, in whatever state it is."""

from __future__ import annotations

import os
import signal

from zerocloud.zebra import leftovers, processes, state
from zerocloud.zebra.errors import NotRunning, ZebraError
from zerocloud.zebra.layout import Layout

# The supervisor gives its servers and their executor services about half of this.
SUPERVISOR_END = 20.0
SERVERS_END = 5.0


def stop(layout: Layout) -> bool:
    """End the directory's Zebra, and whatever a crash has left of one. Returns whether one was running.

    Raises DirectoryError, and ZebraError if a process can't be ended.
    """
    layout.require_zebra()
    try:
        running = state.running(layout)
    except NotRunning:
        running = None
    try:
        if running is not None:
            running.supervisor.signal(signal.SIGTERM)
            if not running.supervisor.wait(SUPERVISOR_END):
                running.supervisor.signal(signal.SIGKILL)
            processes.wait_all(running.processes, SERVERS_END)
        left = leftovers.clear(layout)
    except PermissionError as error:
        raise ZebraError(f"{layout.directory}: this Zebra belongs to another user (uid {layout.mark.stat().st_uid})") from error
    if left:
        raise ZebraError(f"{layout.directory}: these processes can't be ended: {leftovers.describe(left)}")
    return running is not None


def destroy(layout: Layout) -> bool:
    """Stop the Zebra and remove it with all its data. Returns whether the directory itself has gone: it stays if somebody put
    files of his own there. Raises DirectoryError, ZebraError."""
    stop(layout)
    try:
        with state.sole_supervisor(layout):
            return layout.destroy()
    except OSError as error:
        raise ZebraError(f"{error.filename}: {os.strerror(error.errno or 0)}") from error
