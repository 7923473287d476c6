"""How a session can end: one enum, one sentence each (executor contract, section 5)."""

from __future__ import annotations

import enum


class EndState(enum.Enum):
    """How a session ended. The value opens the report's state text; :attr:`sentence` says what it means."""

    EXITED = "ok"
    TRAPPED = "trapped"
    TIMED_OUT = "session timeout"
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_FUEL = "out of fuel"
    OUTPUT_LIMIT = "output limit"
    READ_LIMIT = "read limit"
    CANCELLED = "cancelled"
    REFUSED = "refused by the validator"
    CORRUPTED = "channel corrupted"
    PEER_LOST = "peer lost"
    INTERNAL = "unknown error"
    INVALID = "MANIFEST"

    @property
    def sentence(self) -> str:
        """What this end means, for people."""
        return _SENTENCES[self]

    @classmethod
    def of(cls, text: str) -> EndState:
        """The end that a report's state text tells of. A text that opens like none of them tells of a bad manifest."""
        return next((state for state in cls if _opens(text, state.value)), cls.INVALID)


def _opens(text: str, phrase: str) -> bool:
    return text.startswith(phrase) and not text[len(phrase) : len(phrase) + 1].isalnum()


_SENTENCES = {
    EndState.EXITED: "The program ended by itself; its own exit code says how.",
    EndState.TRAPPED: "The program did what WebAssembly forbids and was stopped there.",
    EndState.TIMED_OUT: "The program ran longer than its time limit and was stopped.",
    EndState.OUT_OF_MEMORY: "The program needed more memory than its limit.",
    EndState.OUT_OF_FUEL: "The program executed more instructions than its limit.",
    EndState.OUTPUT_LIMIT: "The program failed after a channel refused to take more output than its limit.",
    EndState.READ_LIMIT: "The program failed after a channel refused to be read beyond its limit.",
    EndState.CANCELLED: "The session was stopped because nobody waits for it any more.",
    EndState.REFUSED: "The program is not a valid WebAssembly module that this executor can run.",
    EndState.CORRUPTED: "A network channel delivered other bytes than its sender sent.",
    EndState.PEER_LOST: "The other side of a network channel went away, or never came.",
    EndState.INTERNAL: "The executor itself failed; its log has the cause.",
    EndState.INVALID: "The manifest breaks a rule, or names something that can't be opened.",
}
