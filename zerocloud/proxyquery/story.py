"""Tells people why a job failed: which node, why, its exit code, its last words, and what was tried. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .results import SessionReport
from .scheduler import Outcome

TOLD_NODES = 20
"""Failed nodes that are told of at length; the others are counted."""

TOLD_WORDS = 20
"""Lines of a program's stderr that are told."""


def tell(
    job: str,
    nodes: int,
    failed: Sequence[Outcome],
    reports: Mapping[int, SessionReport],
    last_words: Mapping[int, bytes],
    started: float,
) -> str:
    """What a failed job answers. ``failed`` has a session for each failed node; ``started`` is on the stories' clock."""
    parts = [f"Job {job} failed: {len(failed)} of {nodes} nodes failed."]
    for outcome in failed[:TOLD_NODES]:
        report = reports.get(outcome.session.id, SessionReport())
        parts.append(_node(outcome, report, last_words.get(outcome.session.id, b""), started))
    if len(failed) > TOLD_NODES:
        parts.append(f"{len(failed) - TOLD_NODES} more nodes failed.")
    return "\n\n".join(parts) + "\n"


def _node(outcome: Outcome, report: SessionReport, last_words: bytes, started: float) -> str:
    code = f" Exit code {report.retcode}." if report.retcode != "0" else ""
    reason = outcome.reason if outcome.reason.endswith((".", ")")) else f"{outcome.reason}."
    lines = [f"Node {outcome.session.name}: {reason}{code}"]
    if outcome.forgotten:
        lines.append(f"  ({outcome.forgotten} earlier lines)")
    lines += [f"  {at - started:8.3f} s  {line}" for at, line in outcome.story]
    words = last_words.decode("utf-8", "replace").splitlines()[-TOLD_WORDS:]
    if words:
        lines.append("Last lines of its stderr:")
        lines += [f"  {word}" for word in words]
    return "\n".join(lines)
