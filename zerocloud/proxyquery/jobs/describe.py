"""The JSON that tells of a job: to clients, and in its record (HTTP API, section 19). Pure."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ..request import created
from ..results import SessionReport
from ..scheduler import Outcome, Phase
from .live import About, LiveJob, Progress
from .states import NODE_STATES, JobState, state_under_way
from .store import Entry
from .unhurried import unhurried

ROOM_FOR_FAILURES = 1 << 20
"""Letters of the stories and last words of failed nodes that are told."""

LONGEST_TEXT = 500
"""Letters of one error or status in the table or of one line of a story."""


def summary(job: LiveJob, progress: Progress | None = None) -> dict[str, Any]:
    """What a list of jobs says of one."""
    about, end = job.about, job.end
    outcomes = (progress or job.progress()).outcomes
    state = end.state if end else _state(outcomes)
    return {
        "id": about.id,
        "state": str(state),
        "created": moment(about.created),
        "ended": moment(end.at) if end else None,
        "nodes": len(outcomes),
        "status": end.status if end else None,
    }


def whole(job: LiveJob, most_nodes: int | None = None, pause: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """All that is shown and recorded of a job. At most ``most_nodes`` lines of its table; the others are counted.

    ``pause`` is called now and then: telling of 10,000 nodes takes long, and what is told is still of the moment of the call.
    """
    about, end, progress = job.about, job.end, job.progress()
    reports = dict(progress.reports)
    outcomes = progress.outcomes if most_nodes is None else progress.outcomes[:most_nodes]
    return {
        **summary(job, progress),
        "account": about.account,
        "user": about.user,
        "timeout": about.timeout,
        "previous": about.previous or None,
        "result": job.result,
        "brought": about.brought,
        "counts": dict(Counter(NODE_STATES[outcome.phase] for outcome in progress.outcomes)),
        "error": end.error if end else "",
        "headers": dict(end.headers) if end else {},
        "body": {"size": end.body_size, "base64": base64.b64encode(end.body).decode()} if end else None,
        "table": [row(about, outcome, reports) for outcome in unhurried(outcomes, pause)],
        "omitted": len(progress.outcomes) - len(outcomes),
        "failures": _failures(about, progress),
        "map": about.document,
    }


def row(about: About, outcome: Outcome, reports: Mapping[int, SessionReport]) -> dict[str, Any]:
    """A line of the table of nodes: one session."""
    report = reports.get(outcome.session.id)
    return {
        "id": outcome.session.id,
        "name": outcome.session.name,
        "state": NODE_STATES[outcome.phase],
        "server": outcome.server.name if outcome.server and about.show_servers else None,
        "attempts": outcome.attempts,
        "admitted": _when(about, outcome, Phase.ADMITTED),
        "started": _when(about, outcome, Phase.RUNNING),
        "ended": _when(about, outcome, Phase.ANSWERED, Phase.FAILED, Phase.CANCELLED),
        "published": _when(about, outcome, Phase.PUBLISHED),
        "exit_code": int(report.retcode) if report and report.retcode.lstrip("-").isdecimal() else None,
        "status": _short(report.status) if report else None,
        "cdr": report.cdr if report else None,
        "error": _short(outcome.reason or (report.error if report else "")),
    }


def moment(at: float) -> str:
    """A Unix time as people and programs read it: UTC, in milliseconds."""
    seconds, thousandths = divmod(round(at * 1000), 1000)
    return f"{_second(seconds)}.{thousandths:03}Z"


@lru_cache(maxsize=1024)
def _second(at: int) -> str:
    """A whole second; the nodes of a large job have many of the same."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _when(about: About, outcome: Outcome, *phases: Phase) -> str | None:
    found = [outcome.times[phase] for phase in phases if phase in outcome.times]
    return moment(about.wall(max(found))) if found else None


def _state(outcomes: Any) -> JobState:
    return state_under_way([outcome.phase for outcome in outcomes])


def _failures(about: About, progress: Progress) -> dict[str, Any]:
    """For each failed session, by its id: what happened to it, and the last it wrote to its stderr; while there is room."""
    found: dict[str, Any] = {}
    room = ROOM_FOR_FAILURES
    for outcome in progress.outcomes:
        if outcome.phase is not Phase.FAILED:
            continue
        story = [(round(at - about.started, 3), _short(line)) for at, line in outcome.story]
        words = progress.last_words.get(outcome.session.id, b"").decode("utf-8", "replace")
        room -= len(words) + sum(len(line) for _, line in story)
        if room < 0:
            break
        found[str(outcome.session.id)] = {"story": story, "stderr": words}
    return found


def _short(text: str) -> str:
    """A text that is one of very many."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def listed(entry: Entry) -> dict[str, Any]:
    """What a list of jobs says of one that is only recorded."""
    return {
        "id": entry.id,
        "state": str(entry.seen),
        "created": moment(created(entry.id)),
        "ended": None if entry.ended is None else moment(entry.ended),
        "nodes": entry.nodes,
        "status": entry.status,
    }


__all__ = ["listed", "moment", "row", "summary", "whole"]
