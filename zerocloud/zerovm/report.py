"""The six lines that tell how a session went (executor contract, section 5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from zerocloud.zerovm.states import EndState

MEMORY_ALIAS = "/dev/memory"
PASSED, FAILED, SKIPPED = 0, 1, 2
"""Validator status: validated here and now; refused; taken from the cache, or not asked for (``-s``), or not reached."""

_DISABLED = "disabled"


class ReportError(ValueError):
    """Text that is not a report."""


class Accounting(NamedTuple):
    """What a session used: the ten fields of its call detail record. Times are CPU seconds."""

    system_time: float = 0.0
    user_time: float = 0.0
    reads: int = 0
    read_bytes: int = 0
    writes: int = 0
    written_bytes: int = 0
    network_reads: int = 0
    network_read_bytes: int = 0
    network_writes: int = 0
    network_written_bytes: int = 0

    def render(self) -> str:
        """Ten fields, separated by blanks."""
        return " ".join([f"{self.system_time:.2f}", f"{self.user_time:.2f}", *map(str, self[2:])])

    @classmethod
    def parse(cls, text: str) -> Accounting:
        """Read what :meth:`render` wrote. Raises ReportError."""
        parts = text.split()
        try:
            system, user, *counts = parts
            record = cls(float(system), float(user), *map(int, counts))
        except (ValueError, TypeError):
            raise ReportError(f"call detail record {text[:80]!r} is not ten numbers") from None
        if len(parts) != len(cls._fields) or not math.isfinite(record.system_time + record.user_time):
            raise ReportError(f"call detail record {text[:80]!r} is not ten numbers")
        return record


@dataclass(frozen=True)
class Report:
    """How a session went.

    ``validator`` is 0 validated, 1 refused, 2 skipped or cached; ``daemon`` is 1 for the session that stays as a daemon;
    ``retcode`` is the program's own exit code; ``etags`` maps aliases to MD5 digests, None where no channel asked for one or
    the session did not end by itself; ``state`` is the text of the end. ``exit_code`` is that of the ``zerovm`` process and
    is not written.
    """

    validator: int = SKIPPED
    daemon: int = 0
    retcode: int = 0
    etags: Mapping[str, str] | None = None
    cdr: Accounting = field(default_factory=Accounting)
    state: str = EndState.EXITED.value
    exit_code: int = field(default=0, compare=False)

    @property
    def end(self) -> EndState:
        """Which of the ends the state text tells of."""
        return EndState.of(self.state)

    def render(self) -> bytes:
        """The report as it is printed: six lines and an empty one."""
        etags = " ".join(f"{alias} {digest}" for alias, digest in self.etags.items()) if self.etags else _DISABLED
        lines = (self.validator, self.daemon, self.retcode, etags, self.cdr.render(), one_line(self.state), "")
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def one_line(text: str) -> str:
    """The text with whatever could end its line replaced by blanks."""
    return "".join(character if character.isprintable() else " " for character in text).rstrip()


def parse(text: bytes) -> Report:
    """Read a report. Everything after the fifth line is its state. Raises ReportError."""
    lines = text.decode("utf-8", "replace").split("\n", 5)
    if len(lines) < 6:
        raise ReportError(f"a report has six lines, this has {len(lines)}")
    try:
        validator, daemon, retcode = (int(line) for line in lines[:3])
    except ValueError:
        raise ReportError("the first three lines of a report are numbers") from None
    return Report(validator, daemon, retcode, _parse_etags(lines[3]), Accounting.parse(lines[4]), one_line(lines[5]))


def _parse_etags(line: str) -> dict[str, str] | None:
    words = line.split()
    if not words or words == [_DISABLED]:
        return None
    if len(words) % 2:
        raise ReportError("the etags of a report are pairs of alias and digest")
    return dict(zip(words[::2], words[1::2], strict=True))
