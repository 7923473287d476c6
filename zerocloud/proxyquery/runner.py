"""Executes the scheduler's instructions with green threads, and tells it what happens, until the job has come to its end."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swift.common.concurrency import Empty, GreenPool, Queue, spawn

from .exchange import Exchange, Surroundings
from .nameservice import NameServers, Network
from .scheduler import (
    CloseNetwork,
    Connect,
    Drop,
    Event,
    Finish,
    Hold,
    Instruction,
    OpenNetwork,
    Outcome,
    Publish,
    Scheduler,
    Send,
    Session,
    Started,
    Tick,
    Wake,
    Withdraw,
)
from .scheduler import Limits as JobLimits
from .work import Work

WITHDRAWALS = 8
"""Sessions whose outputs are removed at a time."""


@dataclass(frozen=True)
class _Crash:
    """An attempt ended by a mistake of ours."""

    error: BaseException


class Runner:
    """Runs one job. ``post`` may be called from any green thread."""

    def __init__(
        self,
        sessions: tuple[Session, ...],
        works: Mapping[int, Work],
        devices: Mapping[str, Mapping[str, Any]],
        limits: JobLimits,
        name_servers: NameServers,
        around: Surroundings,
    ) -> None:
        """``limits`` are on the clock of :func:`time.monotonic`; ``devices`` are the ring's, by the names of servers."""
        self._works = works
        self._devices = devices
        self._name_servers = name_servers
        self._around = around
        self._scheduler = Scheduler(sessions, limits, random.random)
        self._gangs = {session.id: session.gang for session in sessions}
        self._events: Any = Queue()
        self._exchanges: dict[int, tuple[Exchange, Any]] = {}
        self._networks: dict[int, Network] = {}
        self._withdrawals: Any = GreenPool(WITHDRAWALS)
        self._wake: float | None = None
        self._finished = False

    def post(self, event: Event) -> None:
        """Tell the scheduler of something."""
        self._events.put(event)

    def run(self) -> tuple[Outcome, ...]:
        """Run the job to its end; how each session ended. Leaves nothing behind, whatever ends it. Raises JobError."""
        try:
            self._handle(Started())
            while not self._finished:
                self._handle(self._next())
            self._withdrawals.waitall()
        except BaseException:
            self._around.publisher.withdraw_all()
            raise
        finally:
            for _, thread in list(self._exchanges.values()):
                thread.kill()
            for network in self._networks.values():
                network.close()
        return self._scheduler.outcomes()

    def outcomes(self) -> tuple[Outcome, ...]:
        """How each session stands."""
        return self._scheduler.outcomes()

    def winner(self, node: int) -> int | None:
        """The session whose outputs are the node's."""
        return self._scheduler.winner(node)

    def _next(self) -> Event:
        """The next event; a Tick when it is time for one."""
        patience = None if self._wake is None else max(0.0, self._wake - time.monotonic())
        try:
            event: Event | _Crash = self._events.get(timeout=patience)
        except Empty:
            self._wake = None
            return Tick()
        if isinstance(event, _Crash):
            raise event.error
        return event

    def _handle(self, event: Event) -> None:
        for instruction in self._scheduler.handle(event, time.monotonic()):
            self._execute(instruction)

    def _execute(self, instruction: Instruction) -> None:
        match instruction:
            case Connect():
                self._connect(instruction)
            case Send(session) if session in self._exchanges:
                self._exchanges[session][0].send()
            case Hold(session) if session in self._exchanges:
                self._exchanges[session][0].hold()
            case Publish(session) if session in self._exchanges:
                self._exchanges[session][0].publish()
            case Drop(session) if session in self._exchanges:
                self._exchanges[session][1].kill()
            case OpenNetwork(gang, members):
                self._networks[gang] = self._name_servers.open(members)
            case CloseNetwork(gang):
                self._networks.pop(gang).close()
            case Wake(at):
                self._wake = at
            case Withdraw(session):
                self._withdrawals.spawn_n(self._around.publisher.withdraw, session)
            case Finish():
                self._finished = True
            case _:
                pass  # for an attempt that has just ended: its last event is in the queue

    def _connect(self, order: Connect) -> None:
        device = self._devices[order.server.name]
        network = self._networks.get(self._gangs[order.session])
        addresses = (network.address_for(device["ip"]), network.token) if network else (None, None)
        exchange = Exchange(order, self._works[order.session], device, addresses, self._around, self.post)
        self._exchanges[order.session] = (exchange, spawn(self._guard, order.session, exchange))

    def _guard(self, session: int, exchange: Exchange) -> None:
        """The edge of an attempt's thread: what nobody expected ends the job."""
        try:
            exchange.run()
        except Exception as error:  # noqa: BLE001 - raised again in the job's own thread
            self._events.put(_Crash(error))
        finally:
            if self._exchanges.get(session, (None, None))[0] is exchange:
                del self._exchanges[session]
