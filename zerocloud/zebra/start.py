"""Starting a Zebra: the supervisor in a session of its own, tied to this process until it is let go."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import simplejson

from zerocloud.zebra import errors, settings
from zerocloud.zebra.channel import Listener
from zerocloud.zebra.errors import StartFailed
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.logview import last_lines
from zerocloud.zebra.probe import wait_until_ready
from zerocloud.zebra.settings import Wish

START_SECONDS = 90.0
# The supervisor's own patience with its processes adds up to less.
STOP_SECONDS = 20.0
LOG_LINES = 5


@dataclass
class Started:
    """A Zebra that this process has started and is tied to: it ends with this process unless ``detach`` is called."""

    layout: Layout
    process: subprocess.Popen[bytes]
    listener: Listener
    url: str = ""

    def detach(self) -> None:
        """Let the Zebra run on."""
        self.listener.detach()
        self.listener.close()
        # Nobody will wait for it here; Popen must know, or it would warn of a child that it lost.
        self.process.returncode = 0

    def stop(self) -> None:
        """End it, and wait until nothing of it runs."""
        self.listener.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(layout: Layout, wish: Wish, tell: Callable[[str], None] = lambda text: None) -> Started:
    """Start a Zebra and return when a PUT and a GET through its proxy have succeeded. Raises ZebraError.

    ``tell`` hears what is going on. Whatever goes wrong, KeyboardInterrupt included, nothing is left running.
    """
    started = _spawn(layout, wish)
    deadline = time.monotonic() + START_SECONDS
    try:
        tell("Laying out the directory, building rings, starting servers")
        started.url = _wait_for_servers(started, deadline)
        tell("Waiting for a PUT and a GET through the proxy")
        wait_until_ready(settings.load(layout), deadline, lambda: _check_alive(started))
    except BaseException:
        started.stop()
        raise
    return started


def _spawn(layout: Layout, wish: Wish) -> Started:
    ours, theirs = socket.socketpair()
    with theirs:
        text = simplejson.dumps(dataclasses.asdict(wish))
        command = (sys.executable, "-P", "-m", "zerocloud.zebra.supervisor", str(layout.directory), text, str(theirs.fileno()))
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True, cwd="/"
        )
    return Started(layout, process, Listener(ours))


def _wait_for_servers(started: Started, deadline: float) -> str:
    for event in started.listener.events(deadline):
        if event["event"] == "error":
            raise errors.by_name(event["kind"], event["message"])
        if event["event"] == "started":
            return str(event["url"])
        _raise_for(started, event)
    raise _gone(started)


def _check_alive(started: Started) -> None:
    for event in started.listener.waiting():
        _raise_for(started, event)
    if started.process.poll() is not None:
        raise _gone(started)


def _raise_for(started: Started, event: dict[str, Any]) -> None:
    if event["event"] == "ended":
        raise StartFailed(f"{event['name']} {event['how']} while starting{_story(started, event['name'])}")


def _gone(started: Started) -> StartFailed:
    return StartFailed(f"{started.layout.directory}: the supervisor ended while starting{_story(started, 'zebra')}")


def _story(started: Started, name: str) -> str:
    log = started.layout.log_of(name)
    lines = last_lines(log, LOG_LINES)
    return f"; the end of {log}:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
