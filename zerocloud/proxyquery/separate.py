"""Every node's answer and report by itself, for clients that ask for JSON or for a multipart body (HTTP API, section 7).

Both are made while they are sent, from the job's spool: memory does not grow with what nodes wrote.
"""

from __future__ import annotations

import base64
import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import simplejson
from swift.common.concurrency import sleep

from .ended import Ended
from .report_headers import report_row
from .results import NodeBody, SessionReport, one_line
from .scheduler import Outcome
from .spool import Segment

DEFAULT_TYPE = "text/html"
STORY_TYPE = "text/plain; charset=utf-8"
BASE64_UNIT = 3


@dataclass(frozen=True)
class Verdict:
    """What the whole job comes to: its status, and the story of a failure."""

    status: int
    story: str = ""


def json_pieces(ended: Ended, verdict: Verdict) -> Iterator[bytes]:
    """An object with the job's verdict, and for each node its report and its ``body``: text, or ``base64`` of what is none."""
    head = {"job": ended.job, "status": verdict.status, "error": verdict.story}
    yield simplejson.dumps(head).encode()[:-1] + b', "nodes": ['
    for number, (outcome, body) in enumerate(ended.answers()):
        yield b", " if number else b""
        yield from _json_node(ended, outcome, body)
    yield b"]}"


def _json_node(ended: Ended, outcome: Outcome, body: NodeBody | None) -> Iterator[bytes]:
    report = ended.records.reports.get(outcome.session.id, SessionReport())
    told: dict[str, Any] = {
        "name": outcome.session.name,
        "succeeded": outcome.phase.succeeded,
        "server": outcome.server.name if outcome.server and ended.show_servers else None,
        "attempts": outcome.attempts,
        "status": report.status,
        "exit_code": report.retcode,
        "etag": report.etag,
        "cdr": report.cdr,
        "policy": report.policy,
        "error": outcome.reason or report.error,
    }
    if body is None or not body.delivered:
        yield simplejson.dumps(told).encode()
        return
    told |= {"headers": dict(body.headers), "size": body.content.size}
    yield simplejson.dumps(told).encode()[:-1]
    if _is_text(body.content):
        yield b', "body": "'
        yield from _text(body.content)
    else:
        yield b', "base64": "'
        yield from _base64(body.content)
    yield b'"}'


def _is_text(content: Segment) -> bool:
    """Whether all of it is UTF-8, letting others run meanwhile."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in content.chunks():
            decoder.decode(piece)
            sleep(0)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _text(content: Segment) -> Iterator[bytes]:
    """The inside of a JSON string."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in content.chunks():
        yield simplejson.dumps(decoder.decode(piece)).encode()[1:-1]


def _base64(content: Segment) -> Iterator[bytes]:
    left = b""
    for piece in content.chunks():
        data = left + piece
        whole = len(data) - len(data) % BASE64_UNIT
        left = data[whole:]
        yield base64.b64encode(data[:whole])
    yield base64.b64encode(left)


def multipart_pieces(ended: Ended, verdict: Verdict, boundary: str) -> Iterator[bytes]:
    """A part for each node (RFC 2046, section 5.1): its report as headers, its answer as body. First the story of a failure."""
    mark = f"--{boundary}\r\n".encode()
    if verdict.story:
        story = verdict.story.encode("utf-8", "replace")
        yield mark + _head({"Content-Type": STORY_TYPE, "Content-Length": str(len(story))}) + story + b"\r\n"
    for outcome, body in ended.answers():
        yield mark + _head(_part_headers(ended, outcome, body))
        if body is not None:
            yield from body.content.chunks()
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _part_headers(ended: Ended, outcome: Outcome, body: NodeBody | None) -> dict[str, str]:
    report = ended.records.reports.get(outcome.session.id, SessionReport())
    row = {name: value for name, value in report_row(outcome, report).items() if value}
    if not ended.show_servers:
        row.pop("X-Nexe-Server", None)
    kind = body.headers.get("Content-Type", DEFAULT_TYPE) if body else STORY_TYPE
    return {"Content-Type": one_line(kind), "Content-Length": str(body.content.size if body else 0), **row}


def _head(headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{lines}\r\n".encode("utf-8", "replace")
