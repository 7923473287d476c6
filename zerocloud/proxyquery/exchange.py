"""One attempt of one session at one server, from connecting to its last byte: a straight story in a green thread of its own.

It waits at two points for the scheduler's word: when it is admitted, and when its session has succeeded. Killing the thread,
which is how an attempt is dropped, closes the connection, and that ends whatever the server was doing for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any, TypeVar

from swift.common.concurrency import Event as GreenEvent
from swift.common.concurrency import Timeout

from zerocloud import wire
from zerocloud.swiftadapter import ErrorLimits, StorageConnection
from zerocloud.sysmap import SwiftPath

from .answer import Answer, AnswerError, TimedReader
from .errors import SourceError
from .intake import Brought
from .programs import ProgramSource
from .publish import Publisher, PublishError
from .results import NodeBody, SessionReport
from .scheduler import Admitted, Connect, Event, Failed, Lost, Published, Refusal, Refused, Succeeded, Unpublished
from .segments import attached_slice
from .settings import Settings
from .sources import Source, Sources
from .spool import Spool
from .tarstream import Member, gathered, stream, stream_length
from .verdict import CONTINUE, Blame, final_event, interim_event, unavailable_event
from .work import Work

GRACE = 5.0
"""Seconds that a server has beyond a session's time limit to kill it and to report."""

MISSED_SIGNS = 4
"""Signs of life that may be overdue until a server counts as hanging."""

REASON_LIMIT = 1000
"""Bytes of a refusal's text that are read."""

Value = TypeVar("Value")


@dataclass
class Records:
    """What the attempts of a job leave behind, by session: reports, bodies, the last words of failed programs."""

    reports: dict[int, SessionReport]
    bodies: dict[int, NodeBody]
    last_words: dict[int, bytes]


@dataclass(frozen=True)
class Surroundings:
    """What all attempts of a job share."""

    settings: Settings
    job: str
    transaction: str
    limits: ErrorLimits
    sources: Sources
    brought: Brought
    spool: Spool
    publisher: Publisher
    records: Records


class Exchange:
    """One attempt. ``run`` is the thread's body; the other methods are called from the scheduler's thread."""

    def __init__(
        self,
        order: Connect,
        work: Work,
        device: Mapping[str, Any],
        network: tuple[str | None, str | None],
        around: Surroundings,
        tell: Callable[[Event], None],
    ) -> None:
        """``network`` is the name service's address and the token, ``tell`` takes what happens."""
        self._order = order
        self._work = work
        self._device = device
        self._network = network
        self._around = around
        self._tell = tell
        self._ids = (order.session, order.attempt)
        self._go = GreenEvent()
        self._publish = GreenEvent()
        self._wanted = GreenEvent()
        self._connection: StorageConnection | None = None
        self._sources: list[Source] = []
        self._program: ProgramSource | None = None
        self._program_known = False
        self._silence: float | None = None
        self._image_known = False

    # -- the scheduler's word --------------------------------------------------------------------------------------

    def send(self) -> None:
        """The gang is complete: send the body."""
        self._go.send()

    def hold(self) -> None:
        """The answer has to wait for others."""
        self._wanted.send(False)

    def publish(self) -> None:
        """The outputs may be stored."""
        if not self._wanted.ready():
            self._wanted.send(True)
        self._publish.send()

    # -- the story -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Live through the attempt, and tell what happens."""
        try:
            if not self._start():
                return
            self._go.wait()
            answer = self._converse()
            if answer is not None:
                self._deliver(answer)
        finally:
            for source in self._sources:
                source.close()
            if self._connection is not None:
                self._connection.close()

    def _start(self) -> bool:
        """Open the connection, and wait for admission and for the program; whether the session was admitted."""
        settings = self._around.settings
        if self._work.program is not None:
            self._program = self._around.sources.program(self._work.program)
            self._program.begin()
        try:
            self._connection = self._within(settings.connection_timeout, "connecting", self._connect)
            status, headers = self._within(self._order.patience, "admission", self._connection.interim)
            text = "" if status == CONTINUE else self._text(self._connection)
        except _Slow as slow:
            silent = slow.step == "admission"  # it hangs, or it is only slow: no reason for Swift to avoid it
            if not silent:
                self._around.limits.failed(self._device, f"zerocloud: {slow}")
            self._tell(Refused(*self._ids, Refusal.SILENT if silent else Refusal.ELSEWHERE, 503, str(slow)))
            return False
        except (OSError, HTTPException) as error:
            self._around.limits.failed(self._device, f"zerocloud: {error}")
            self._tell(Refused(*self._ids, Refusal.ELSEWHERE, 503, f"the connection failed: {error}"))
            return False
        event, blame = interim_event(*self._ids, status, headers, text, self._work.place.path)
        self._blame(blame, text)
        if (missing := self._program_error(status == CONTINUE)) is not None:
            event = Refused(*self._ids, Refusal.FINAL, missing.status, missing.text)
        elif self._program is not None:
            self._program_known = headers.get(wire.PROGRAM.lower(), "no") == self._program.digest
        if name := self._around.brought.name:
            self._image_known = headers.get(wire.IMAGE.lower()) == name
        self._silence = _pulse(headers) * MISSED_SIGNS or None
        self._tell(event)
        return isinstance(event, Admitted)

    def _program_error(self, admitted: bool) -> SourceError | None:
        """Why the program can't be had. A session that is admitted waits until that is sure."""
        if self._program is None:
            return None
        if admitted:
            with suppress(SourceError):
                self._program.ready()
        return self._program.failed

    def _converse(self) -> Answer | None:
        """Send the body and wait for the session's end: its answer if it succeeded."""
        assert self._connection is not None
        settings = self._around.settings
        try:
            self._send_body(self._connection)
            status, headers = self._within(self._work.timeout + GRACE, "the session's end", self._ending)
            text = "" if status == 200 else self._text(self._connection)
        except SourceError as error:
            self._tell(unavailable_event(*self._ids, error.status, error.text))
            return None
        except _Slow as slow:
            self._tell(Lost(*self._ids, str(slow)))
            return None
        except (OSError, HTTPException) as error:
            self._tell(Lost(*self._ids, f"the connection broke: {error}"))
            return None
        self._around.records.reports[self._order.session] = SessionReport.from_headers(headers)
        answer = Answer(TimedReader(self._connection.read, settings.node_timeout), settings.network_chunk_size)
        event = final_event(*self._ids, status, headers, text, self._work.node.ignore_exit)
        if isinstance(event, Failed) and status == 200:
            self._salvage(answer)
        self._tell(event)
        return answer if isinstance(event, Succeeded) else None

    def _ending(self) -> tuple[int, dict[str, str]]:
        """Wait for the answer, and as long as it does not come, for signs of life, if the server sends any."""
        assert self._connection is not None
        while self._silence and self._within(self._silence, "a sign of life", self._connection.sign_of_life):
            pass
        return self._connection.final()

    def _deliver(self, answer: Answer) -> None:
        """Keep the answer for as long as others are missing, then publish it."""
        try:
            if not self._wanted.wait():
                answer.hold(self._around.spool)
                assert self._connection is not None
                self._connection.close()
            self._publish.wait()
            self._around.records.bodies[self._order.session] = self._around.publisher.publish(
                self._order.session, self._work.node, answer
            )
        except AnswerError as error:
            self._tell(Lost(*self._ids, str(error)))
        except PublishError as error:
            self._tell(Unpublished(*self._ids, error.status, error.text))
        except OSError as error:
            self._tell(Unpublished(*self._ids, 503, f"the proxy has no room to keep the answer: {error.strerror}"))
        else:
            self._tell(Published(*self._ids))

    # -- its steps -------------------------------------------------------------------------------------------------

    def _members(self) -> list[Member]:
        """The members of the body; its inputs are opened. Raises SourceError."""
        order, node = self._order, self._work
        edges = self._edges()
        inputs = dict(self._inputs(edges))
        description = node.description(order.push, *self._network, order.server.name, edges, inputs)
        members = [Member.of_bytes(wire.SYSMAP_MEMBER, description.to_json())]
        if self._program is not None and not self._program_known:
            members.append(Member(wire.BOOT_MEMBER, self._program.size, self._program.chunks))
        members += [Member(device, source.size, source.chunks) for device, source in inputs.items()]
        for name, kept in self._around.brought.members(node.node, self._image_known):
            members.append(Member(name, kept.size, kept.chunks))
        if (length := stream_length(members)) > (limit := self._around.settings.maximum_input):
            raise SourceError(413, f"RPC request too large: {length} bytes have to be sent to the node, {limit} are allowed")
        return members

    def _inputs(self, edges: tuple[int, int]) -> Iterator[tuple[str, Source]]:
        """The inputs that are to be sent, by the names of their members, opened. Raises SourceError."""
        rest = self._work.rest(edges)
        for device, need in (*self._work.inputs(self._order.push, self._order.server.name), *([rest] if rest else [])):
            source = self._around.sources.take(need)
            self._sources.append(source)
            source.ready()
            yield device, source

    def _edges(self) -> tuple[int, int]:
        """What the node sees of its part of a large object, where a segment of it is read where it lies. Raises SourceError."""
        segment, found = self._work.place.segment, attached_slice(self._work.node)
        if segment is None or found is None or self._order.push:
            return 0, 0
        channel, part = found
        assert isinstance(channel.path, SwiftPath)
        return self._around.sources.edges(channel.path, part, segment.whole)

    def _connect(self) -> StorageConnection:
        place = self._work.place
        local = place.local and not self._order.push
        account = f"/{place.path.lstrip('/').partition('/')[0]}"
        headers = {
            wire.EXECUTE: "1.0",
            wire.JOB_ID: self._around.job,
            wire.ACCESS: self._work.node.access if local else "",
            wire.POOL: "cluster" if self._work.node.connected else "default",
            wire.PATIENCE: f"{self._order.queue:.3f}",
            wire.TIMEOUT: str(max(1, math.ceil(self._work.timeout))),
            "Content-Type": "application/x-tar",
            "Transfer-Encoding": "chunked",
            "Expect": "100-continue",
            "X-Trans-Id": self._around.transaction,
            "User-Agent": "zerocloud proxy-query",
        }
        if self._program is not None:
            headers[wire.PROGRAM] = self._program.digest
        if self._around.brought.name:
            headers[wire.IMAGE] = self._around.brought.name
        if place.policy is not None:
            headers[wire.POLICY_INDEX] = str(place.policy)
        return StorageConnection(self._device, place.partition, place.path if local else account, headers)

    def _send_body(self, connection: StorageConnection) -> None:
        """Send the stream. A server that answers before its end is listened to instead."""
        settings = self._around.settings
        send: Callable[[bytes], None]
        for piece in gathered(stream(self._members()), settings.network_chunk_size):
            send = partial(connection.send, piece)
            try:
                self._within(settings.node_timeout, "taking the body", send)
            except (BrokenPipeError, ConnectionResetError):
                return
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.finish()

    def _salvage(self, answer: Answer) -> None:
        """Keep what the failed program said."""
        records, session = self._around.records, self._order.session
        try:
            records.bodies[session], records.last_words[session] = self._around.publisher.salvage(self._work.node, answer)
        except (AnswerError, OSError):
            return  # its report in the headers has to do

    def _text(self, connection: StorageConnection) -> str:
        """The first words of an answer that is an error."""
        data = self._within(self._around.settings.node_timeout, "its answer", lambda: connection.read(REASON_LIMIT))
        return " ".join(data.decode("utf-8", "replace").split())

    def _blame(self, blame: Blame, text: str) -> None:
        if blame is Blame.FAILED:
            self._around.limits.failed(self._device, f"zerocloud: {text}")
        elif blame is Blame.FULL:
            self._around.limits.full(self._device, "zerocloud: Insufficient Storage")

    def _within(self, seconds: float, step: str, action: Callable[[], Value]) -> Value:
        """Do something within a time, or raise _Slow."""
        with Timeout(seconds) as expired:
            try:
                return action()
            except Timeout as error:
                if error is not expired:
                    raise
        raise _Slow(step, seconds)


def _pulse(headers: Mapping[str, str]) -> float:
    """Seconds between a server's signs of life; 0 if it sends none."""
    try:
        seconds = float(headers.get(wire.PULSE.lower(), "0"))
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < math.inf else 0.0


class _Slow(Exception):
    """A server did not do something in time."""

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(f"waited {seconds:g} s for {step}")
        self.step = step
