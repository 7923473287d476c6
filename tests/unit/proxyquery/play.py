"""Plays a job against a scheduler: says what happens, and asserts what it wants done."""

from __future__ import annotations

from zerocloud.proxyquery.scheduler import (
    Admitted,
    Connect,
    Drop,
    Event,
    Failed,
    Hold,
    Instruction,
    Limits,
    Lost,
    Publish,
    Published,
    Refusal,
    Refused,
    Scheduler,
    Send,
    Server,
    Session,
    Started,
    Succeeded,
    Tick,
    Wake,
    Withdraw,
)

A, B, C, D = (Server(f"{name}:1/d", name) for name in "ABCD")
DEADLINE = 60.0
REPORT_TIME = 3.0


def session(number: int, **changes) -> Session:
    """An unconnected session on A, B and C, its own node, gang and unit."""
    values = {"id": number, "node": number, "name": f"n{number}", "gang": number, "unit": number, "servers": (A, B, C)}
    return Session(**{**values, **changes})


def gang(count: int, **changes) -> list[Session]:
    """Connected sessions 1 to ``count``, which publish together."""
    return [session(number, gang=1, unit=1, networked=True, **changes) for number in range(1, count + 1)]


class Play:
    """A scheduler with a clock that only the test moves. Session events are about the session's latest attempt."""

    def __init__(self, *sessions: Session, window: int = 64, patience: float = 10.0, deadline: float = DEADLINE) -> None:
        self.scheduler = Scheduler(sessions, Limits(deadline, deadline, window, patience, REPORT_TIME))
        self.now = 0.0
        self.wake: float | None = None
        self.attempts: dict[int, int] = {}
        self.servers: dict[int, str] = {}
        self.connected: list[Connect] = []

    def tell(self, event: Event) -> list[Instruction]:
        """Something happens; what is to be done, but for waking."""
        found = []
        for instruction in self.scheduler.handle(event, self.now):
            match instruction:
                case Wake(at):
                    self.wake = at
                    continue
                case Connect(number, attempt, server):
                    self.attempts[number], self.servers[number] = attempt, server.host
                    self.connected.append(instruction)
            found.append(instruction)
        return found

    def start(self) -> list[Instruction]:
        return self.tell(Started())

    def admit(self, number: int) -> list[Instruction]:
        return self.tell(Admitted(number, self.attempts[number]))

    def refuse(self, number: int, refusal: Refusal, status: int = 503, reason: str = "no") -> list[Instruction]:
        return self.tell(Refused(number, self.attempts[number], refusal, status, reason))

    def lose(self, number: int) -> list[Instruction]:
        return self.tell(Lost(number, self.attempts[number], "connection reset"))

    def succeed(self, number: int, digest: str = "") -> list[Instruction]:
        return self.tell(Succeeded(number, self.attempts[number], digest))

    def fail(self, number: int, reason: str = "exit code 1") -> list[Instruction]:
        return self.tell(Failed(number, self.attempts[number], 500, reason))

    def published(self, number: int) -> list[Instruction]:
        return self.tell(Published(number, self.attempts[number]))

    def wait(self, until: float | None = None) -> list[Instruction]:
        """Time passes, until the scheduler wanted to be woken."""
        assert until is not None or self.wake is not None
        self.now = until if until is not None else self.wake
        self.wake = None
        return self.tell(Tick())

    def run(self, *numbers: int) -> None:
        """Sessions are admitted."""
        for number in numbers:
            self.admit(number)

    def outcome(self, number: int):
        return next(outcome for outcome in self.scheduler.outcomes() if outcome.session.id == number)


def names(instructions: list[Instruction]) -> list[str]:
    """The instructions in short: their names and sessions."""
    known = (Connect, Send, Hold, Publish, Withdraw, Drop)
    return [type(one).__name__ + (str(one.session) if isinstance(one, known) else "") for one in instructions]
