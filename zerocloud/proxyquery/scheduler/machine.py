"""The state machine itself. The package's documentation says what it does and why; this is how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .choice import Servers
from .events import (
    Admitted,
    Cancelled,
    Event,
    Failed,
    Lost,
    Published,
    Refusal,
    Refused,
    SessionEvent,
    Started,
    Succeeded,
    Tick,
    Unpublished,
)
from .gang import Death, Gang, gangs_of
from .instructions import CloseNetwork, Connect, Drop, Finish, Hold, Instruction, OpenNetwork, Publish, Send, Wake, Withdraw
from .line import Line
from .model import Limits, Outcome, Phase, Record, Server, Session
from .nodes import Nodes
from .stragglers import Stragglers

SETTLE_TIME = 0.5
"""Seconds for a failed gang to show the cause of its failure."""

LOST_LIMIT = 3
"""Attempts of one session that may be lost after it had been admitted."""

COMPARE_TIME = 1.0
"""Seconds that further copies of a node have after the first was published to end, too; as long as that one took if longer."""

GANG_HASTE = 4
"""How many times shorter than others a gang waits for a server's first word: its other sessions hold slots meanwhile."""

QUEUE_SHARE = 0.7
"""The share of the patience for a server's first word for which the server may keep a session in its queue."""

GANG_QUEUE = 0.5
"""Seconds that one session of a gang may be kept in a queue while the others hold their slots."""

TRANSITIONS: Mapping[tuple[Phase, type[SessionEvent]], str] = {
    (Phase.CONNECTING, Admitted): "_admitted",
    (Phase.CONNECTING, Refused): "_refused",
    (Phase.ADMITTED, Lost): "_lost",
    (Phase.RUNNING, Succeeded): "_succeeded",
    (Phase.RUNNING, Failed): "_failed",
    (Phase.RUNNING, Lost): "_lost",
    (Phase.ANSWERED, Lost): "_lost",
    (Phase.PUBLISHING, Published): "_published",
    (Phase.PUBLISHING, Unpublished): "_unpublished",
    (Phase.PUBLISHING, Lost): "_lost",  # its answer broke off before anything of it was stored
}
"""The method that handles an event of a session's current attempt, by the phase that the session is in."""


class InvalidTransition(AssertionError):
    """An event that can't happen to a session in its phase: a mistake of whoever executes the instructions."""


class Scheduler:
    """One job from its first attempt to its last. Times are those of one clock, in seconds."""

    def __init__(self, sessions: Sequence[Session], limits: Limits, jitter: Callable[[], float] = lambda: 0.5) -> None:
        """``jitter`` gives numbers from 0 to 1."""
        self._limits = limits
        self._jitter = jitter
        self._records = {
            session.id: Record(session, Phase.RESERVED if session.reserve else Phase.QUEUED, push=session.push)
            for session in sessions
        }
        self._nodes = Nodes(self._records.values())
        gangs = gangs_of(list(self._records.values()))
        for gang in gangs:
            for record in gang.members:
                record.patience = limits.patience if gang.size == 1 else limits.patience / GANG_HASTE
        self._gang_of = {record.session.id: gang for gang in gangs for record in gang.members}
        self._line = Line((gang for gang in gangs if not gang.members[0].session.reserve), limits.window)
        self._servers = Servers()
        self._stragglers = Stragglers(self._records.values())
        self._settling: list[Gang] = []
        self._stopping = False
        self._withdrawn = ""
        self._over = False
        self._wake: float | None = None
        self._now = 0.0
        self._out: list[Instruction] = []

    # -- from outside ----------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether every node has come to its end, and this has been told."""
        return self._over

    def handle(self, event: Event, now: float) -> list[Instruction]:
        """What is to be done now that ``event`` has happened. Raises InvalidTransition."""
        self._now, self._out = now, []
        if self.finished:
            return []
        match event:
            case Started() | Tick():
                self._wake = None
            case Cancelled(reason):
                self._stop(reason)
                self._withdrawn = reason
            case _:
                self._dispatch(event)
        self._look_at_the_clock()
        self._pump()
        self._finish_or_wake()
        return self._out

    def outcomes(self) -> tuple[Outcome, ...]:
        """How every session ended or stands, in the order in which they were given; reserves only if they were needed."""
        return tuple(
            Outcome(
                session=record.session,
                phase=record.phase,
                status=200 if record.phase.succeeded else record.status,
                reason=record.reason,
                server=record.server,
                attempts=record.asked,
                story=tuple(record.story),
                forgotten=record.forgotten,
                times=dict(record.times),
            )
            for record in self._records.values()
            if record.asked or not record.session.reserve
        )

    def winner(self, node: int) -> int | None:
        """The id of the session whose outputs are the node's, if one has succeeded."""
        record = self._nodes.winner(node)
        return record.session.id if record else None

    # -- events ----------------------------------------------------------------------------------------------------

    def _dispatch(self, event: SessionEvent) -> None:
        """Give an event of a session to its method, unless it belongs to an attempt that was dropped."""
        record = self._records[event.session]
        if event.attempt != record.attempt:
            return
        method = TRANSITIONS.get((record.phase, type(event)))
        if method is None:
            raise InvalidTransition(f"session {event.session} ({record.session.name}): {event} while {record.phase.value}")
        getattr(self, method)(record, event)

    def _admitted(self, record: Record, event: Admitted) -> None:
        self._move(record, Phase.ADMITTED, "is admitted")
        gang = self._gang_of[event.session]
        if not gang.complete:
            return
        gang.started, gang.rounds = True, 0
        for member in gang.members:
            self._move(member, Phase.RUNNING, "starts")
            self._out.append(Send(member.session.id, member.attempt))

    def _refused(self, record: Record, event: Refused) -> None:
        server = record.server
        assert server is not None
        record.status, record.reason = event.status, event.reason
        self._move(record, Phase.QUEUED, f"is refused by {server.name}: {event.reason}")
        match event.refusal:
            case Refusal.FINAL:
                self._dies(record, Death.REFUSED)
                return
            case Refusal.BUSY:
                record.busy.add(server.name)
            case Refusal.SILENT:
                record.busy.add(server.name)
                record.patience *= 2
                self._servers.failed(server)
            case Refusal.NOT_LOCAL if not record.push:
                record.push = True
            case _:
                self._exclude(record, server, event)
        self._ask(record)

    def _lost(self, record: Record, event: Lost) -> None:
        assert record.server is not None
        record.status, record.reason = event.status, event.reason
        record.lost += 1
        if event.push and not record.push:
            record.push = True
        else:
            self._exclude(record, record.server, event)
        self._tell(record, f"is lost on {record.server.name}: {event.reason}")
        self._nodes.lose(record)
        self._dies(record, Death.LOST)

    def _exclude(self, record: Record, server: Server, event: Refused | Lost) -> None:
        """The session does not ask this server again, and others ask it last, unless it only lacks the object."""
        record.excluded[server.name] = (event.status, event.reason)
        self._servers.leave(record, server)
        if event.status != 404:
            self._servers.failed(server)

    def _failed(self, record: Record, event: Failed) -> None:
        record.status, record.reason = event.status, event.reason
        self._tell(record, f"fails: {event.reason}")
        if (reserve := self._stragglers.reserve_of(record)) is not None:
            self._cancel(reserve, "cancelled because the same program failed elsewhere")
        self._dies(record, Death.GUEST)

    def _succeeded(self, record: Record, event: Succeeded) -> None:
        self._move(record, Phase.ANSWERED, "succeeds")
        record.digest, record.status, record.reason = event.digest, 0, ""
        self._line.widen()
        self._line.slot_came_free()
        winner = self._nodes.first(record)
        if winner is not record:
            if winner.digest != record.digest:
                winner.reason = f"copies of node {record.session.name} wrote different outputs"
            self._cut(record)
            self._move(record, Phase.SPARE, "is not needed: another copy had succeeded")
            self._close_node(record.session.node)
            return
        self._cancel_rivals(record)
        if not self._publish_if_complete(record):
            self._out.append(Hold(record.session.id, record.attempt))
        gang = self._gang_of[event.session]
        if not any(member.phase.under_way for member in gang.members):
            self._close_network(gang)

    def _cancel_rivals(self, record: Record) -> None:
        """End the session that was a straggler, or the one that was to replace it."""
        for copy in self._nodes.others(record):
            if copy.session.reserve or record.session.reserve:
                self._cancel(copy, "cancelled because another copy of the node had succeeded")

    def _published(self, record: Record, _event: Published) -> None:
        self._move(record, Phase.PUBLISHED, "is published")
        record.end_well()
        self._nodes.compare(record.session.node, self._now + max(COMPARE_TIME, record.took))
        self._close_node(record.session.node)

    def _unpublished(self, record: Record, event: Unpublished) -> None:
        record.status, record.reason = event.status, event.reason
        self._move(record, Phase.FAILED, f"could not be published: {event.reason}")
        self._out.append(Withdraw(record.session.id))
        self._close_node(record.session.node)
        if not record.session.keep_going:
            self._stop(f"cancelled because node {record.session.name} failed")
            self._withdrawn = f"node {record.session.name} failed"

    # -- starting --------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Start gangs while the window has room."""
        while (gang := self._line.take(self._now)) is not None:
            self._start(gang)
        if self._line or self._stopping:
            return  # whoever has not run at all comes first
        for reserve in self._stragglers.due(self._now)[: self._line.room]:
            self._move(reserve, Phase.QUEUED, "is started because the other copy is a straggler")
            self._start(self._gang_of[reserve.session.id])

    def _start(self, gang: Gang) -> None:
        if any(record.phase is not Phase.QUEUED for record in gang.members):
            return  # a copy that was waiting when its node had succeeded
        if gang.networked:
            gang.network_open = True
            self._out.append(OpenNetwork(gang.id, frozenset(record.session.id for record in gang.members)))
        for record in gang.members:
            self._ask(record)
            if record.phase is not Phase.CONNECTING:
                return  # no server for it: the gang waits or has failed, and its other members have nothing to ask for

    def _ask(self, record: Record) -> None:
        """Offer the session to the next server, or find out what it means that there is none."""
        taken = {copy.server.host for copy in self._nodes.others(record) if copy.server and copy.phase.under_way}
        server = self._servers.choose(record, taken)
        if server is None:
            self._no_server(record)
            return
        record.server = server
        record.attempt += 1
        record.asked += 1
        self._move(record, Phase.CONNECTING, f"asks {server.name}")
        alone = self._gang_of[record.session.id].size == 1
        queue = record.patience * QUEUE_SHARE if alone else min(record.patience * QUEUE_SHARE, GANG_QUEUE)
        self._out.append(Connect(record.session.id, record.attempt, server, record.push, record.patience, queue))

    def _no_server(self, record: Record) -> None:
        """Every server has refused: wait where one was merely busy; else the session has failed."""
        if not record.busy:
            refusals = [*record.excluded.values()] or [(503, "Cannot find suitable node to execute code on")]
            worst = [refusal for refusal in refusals if refusal[0] != 404] or refusals
            record.status, record.reason = worst[-1]  # it is missing only if nobody has had another reason
            self._dies(record, Death.REFUSED)
            return
        gang = self._gang_of[record.session.id]
        gang.rounds += 1
        delay = gang.delay(self._jitter())
        self._tell(record, f"waits {delay:.2f} s for a slot")
        self._withdraw(gang)
        self._line.put_off(gang, self._now + delay)

    def _withdraw(self, gang: Gang) -> None:
        """Give back everything a gang has, so that it can start anew."""
        for record in gang.members:
            self._cut(record)
            record.busy.clear()
            self._nodes.lose(record)
            self._move(record, Phase.QUEUED)
        gang.started = False
        gang.dead.clear()
        self._settled(gang)
        self._close_network(gang)

    # -- ending ----------------------------------------------------------------------------------------------------

    def _dies(self, record: Record, death: Death) -> None:
        """A session has failed; its gang decides what that means, once it is sure of the cause."""
        self._move(record, Phase.FAILED)
        self._line.slot_came_free()
        if not self._nodes.is_open(record):
            return
        if self._nodes.is_compared(record):
            self._close_node(record.session.node)
            return
        gang = self._gang_of[record.session.id]
        gang.dead.append((record, death))
        if death is not Death.GUEST or not any(member.phase is Phase.RUNNING for member in gang.members):
            self._judge(gang)
        elif gang.settle_at is None:
            gang.settle_at = self._now + SETTLE_TIME
            self._settling.append(gang)

    def _judge(self, gang: Gang) -> None:
        """Decide what becomes of a gang with dead members (principles 4 to 6)."""
        self._settled(gang)
        if (gang.started or gang.size == 1) and all(self._nodes.has_other(record) for record, _ in gang.dead):
            gang.dead.clear()
            for record in gang.members:
                self._publish_if_complete(record)
            return
        deaths = {death for _, death in gang.dead}
        lost = [record for record, death in gang.dead if death is Death.LOST]
        if deaths == {Death.GUEST} and gang.retries and self._may_run_again(gang, lost):
            gang.retries -= 1
            self._run_again(gang, "runs again: its map allows another try")
        elif lost and Death.REFUSED not in deaths and self._may_run_again(gang, lost):
            self._run_again(gang, "runs again: a server was lost")
        else:
            self._fail(gang, lost[0] if lost else gang.dead[0][0])

    def _may_run_again(self, gang: Gang, lost: list[Record]) -> bool:
        """Whether the lost members of a gang have attempts left, and nothing of it is or will be published."""
        visible = any(
            record.phase in (Phase.PUBLISHING, Phase.PUBLISHED) or not self._nodes.is_open(record) for record in gang.members
        )
        return not visible and not self._stopping and all(record.lost < LOST_LIMIT for record in lost)

    def _run_again(self, gang: Gang, why: str) -> None:
        for record in gang.members:
            self._tell(record, why)
        self._withdraw(gang)
        self._line.put_first(gang)

    def _fail(self, gang: Gang, cause: Record) -> None:
        reason = f"cancelled because node {cause.session.name} failed"
        for record in gang.members:
            self._cancel(record, reason)
        for record in gang.members:
            self._close_node(record.session.node)
        self._close_network(gang)
        if not gang.keep_going:
            self._stop(reason)
            self._withdrawn = f"node {cause.session.name} failed"

    def _stop(self, reason: str) -> None:
        """End everything but what is being published."""
        self._stopping = True
        self._line.clear()
        self._settling.clear()
        for record in self._records.values():
            self._cancel(record, reason)
        for node in self._nodes.open:
            self._close_node(node)

    def _cancel(self, record: Record, reason: str) -> None:
        if record.phase.ended or record.phase is Phase.PUBLISHING:
            return
        self._cut(record)
        record.reason = reason
        self._nodes.lose(record)
        self._move(record, Phase.CANCELLED, reason)

    def _close_node(self, node: int) -> None:
        """Note that the node has come to its end, if it has. Copies that run may end, too, so that outputs can be compared."""
        if not self._nodes.has_ended(node, self._now):
            return
        self._nodes.close(node)
        for copy in self._nodes.copies(node):
            self._cancel(copy, "cancelled because another copy of the node had succeeded")

    def _publish_if_complete(self, record: Record) -> bool:
        """Publish the unit of the session if all of its nodes have succeeded; whether they have."""
        if self._gang_of[record.session.id].settle_at is not None:
            return False
        winners = self._nodes.winners_of_unit(record)
        for winner in winners:
            if winner.phase is Phase.ANSWERED:
                self._move(winner, Phase.PUBLISHING)
                self._out.append(Publish(winner.session.id, winner.attempt))
        return bool(winners)

    def _withdraw_outputs(self) -> None:
        """The job has failed: nothing of it remains."""
        for record in self._records.values():
            if record.phase is Phase.PUBLISHED:
                record.reason = f"its outputs were removed because {self._withdrawn}"
                self._move(record, Phase.CANCELLED, record.reason)
                self._out.append(Withdraw(record.session.id))

    # -- time ------------------------------------------------------------------------------------------------------

    def _look_at_the_clock(self) -> None:
        """Judge the gangs that have settled, and end the job when its time is over."""
        for gang in [gang for gang in self._settling if gang.settle_at is not None and gang.settle_at <= self._now]:
            self._judge(gang)
        for node in self._nodes.compared(self._now):
            self._close_node(node)
        if self._now < self._limits.deadline or self._stopping or self._nodes.over:
            return
        over = self._now >= self._limits.deadline + self._limits.report_time
        late = [record for record in self._records.values() if not record.phase.ended and not record.phase.succeeded]
        late = [record for record in late if over or record.phase is not Phase.RUNNING]
        for record in late:
            self._expire(record)
        if late or over:
            self._stop(f"cancelled after the job's timeout of {self._limits.timeout:g} s")
            if not all(record.session.keep_going for record in late):
                self._withdrawn = f"the job's timeout of {self._limits.timeout:g} s was over"

    def _expire(self, record: Record) -> None:
        allowed = f"the job's timeout of {self._limits.timeout:g} s"
        self._cut(record)
        if record.phase is Phase.RUNNING:
            record.status, record.reason = 408, f"was still running after {allowed}"
        elif record.reason:
            record.status, record.reason = 503, f"{record.reason} (no server took it within {allowed})"
        else:
            record.status, record.reason = 408, f"had not started within {allowed}"
        self._move(record, Phase.FAILED, record.reason)

    def _finish_or_wake(self) -> None:
        """Say that the job is over, or when to look again. Only a changed time is told."""
        if self._nodes.over:
            for gang in self._gang_of.values():
                self._close_network(gang)
            if self._withdrawn:
                self._withdraw_outputs()
            self._over = True
            self._out.append(Finish())
            return
        times = [gang.settle_at for gang in self._settling if gang.settle_at is not None]
        others = self._nodes.next_time, self._stragglers.next_time(self._now), self._line.next_time
        times += [at for at in others if at is not None]
        if not self._stopping:
            late = self._now >= self._limits.deadline
            times.append(self._limits.deadline + (self._limits.report_time if late else 0.0))
        wake = min(times, default=None)
        if wake is not None and wake != self._wake:
            self._out.append(Wake(wake))
        self._wake = wake

    # -- small things ----------------------------------------------------------------------------------------------

    def _move(self, record: Record, phase: Phase, line: str = "") -> None:
        """Put a session into a phase, and keep count of the window and of the servers' load."""
        change = phase.under_way - record.phase.under_way
        if change and record.server:
            self._line.count(change)
            self._servers.count(record.server, change)
        record.phase = phase
        if phase is Phase.QUEUED:
            record.times.clear()
        record.times[phase] = self._now
        self._stragglers.moved(record)
        if line:
            self._tell(record, line)

    def _tell(self, record: Record, line: str) -> None:
        record.tell(self._now, line)

    def _cut(self, record: Record) -> None:
        """Drop what the session has on a server; later events of that attempt are stale."""
        if record.phase.under_way or record.phase is Phase.ANSWERED:
            self._out.append(Drop(record.session.id, record.attempt))
            record.attempt += 1

    def _settled(self, gang: Gang) -> None:
        gang.settle_at = None
        if gang in self._settling:
            self._settling.remove(gang)

    def _close_network(self, gang: Gang) -> None:
        if gang.network_open:
            gang.network_open = False
            self._out.append(CloseNetwork(gang.id))
