"""What the supervisor tells of the running Zebra in ``DIR/run/state.json``: written by it alone, read by every command."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simplejson

from zerocloud.zebra.errors import AlreadyRunning, NotRunning, ZebraError
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.processes import Process


@dataclass(frozen=True)
class Member:
    """One process of the Zebra: the proxy, or one storage node. ``ending`` says how it ended, if it has."""

    name: str
    process: Process
    address: str
    ports: Mapping[str, int] = field(default_factory=dict)
    ending: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.ending is None and self.process.alive


@dataclass(frozen=True)
class State:
    """A Zebra that runs, or did until it was killed."""

    supervisor: Process
    members: tuple[Member, ...] = ()

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of them, the supervisor first."""
        return (self.supervisor, *(member.process for member in self.members))

    def member(self, name: str) -> Member:
        """The process of this name. Raises NotRunning."""
        for member in self.members:
            if member.name == name:
                return member
        raise NotRunning(f"{name}: no such process; there are {', '.join(member.name for member in self.members)}")

    def with_ending(self, name: str, ending: str) -> State:
        """The state after the end of one process."""
        members = (dataclasses.replace(one, ending=ending) if one.name == name else one for one in self.members)
        return dataclasses.replace(self, members=tuple(members))


def save(layout: Layout, state: State) -> None:
    """Write the state in one step."""
    fresh = layout.state.with_suffix(".new")
    fresh.write_text(simplejson.dumps(dataclasses.asdict(state), indent=1) + "\n")
    fresh.replace(layout.state)


def load(layout: Layout) -> State | None:
    """What the last supervisor wrote; None if it left in order, or there is nothing legible. Raises ZebraError."""
    try:
        value: Any = simplejson.loads(layout.state.read_text())
        members = tuple(
            Member(**{**one, "process": Process(**one["process"])})  # a mapping of plain values, as save() wrote it
            for one in value["members"]
        )
        return State(Process(**value["supervisor"]), members)
    except PermissionError as error:
        raise ZebraError(f"{layout.state}: this Zebra belongs to another user") from error
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def running(layout: Layout) -> State:
    """The state of a Zebra whose supervisor is alive. Raises DirectoryError, NotRunning, ZebraError."""
    layout.require_zebra()
    state = load(layout)
    if state is None or not state.supervisor.alive:
        raise NotRunning(f"{layout.directory}: this Zebra does not run; start it by 'zebra up --dir {layout.directory}'")
    return state


@contextlib.contextmanager
def sole_supervisor(layout: Layout) -> Iterator[None]:
    """Hold the directory's lock. Raises AlreadyRunning."""
    descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"{layout.directory}: this Zebra runs already; see 'zebra status --dir {layout.directory}'"
            ) from None
        yield
    finally:
        os.close(descriptor)
