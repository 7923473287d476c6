"""The answer to a session: a report in headers, outputs in the body; or why there was no session (HTTP API, section 7)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from swift.common.swob import Request, Response, str_to_wsgi

from zerocloud import wire
from zerocloud.objectquery.outputs import CONTENT_TYPE, OutputStream
from zerocloud.wire import NodeDescription
from zerocloud.zerovm.report import Accounting, Report
from zerocloud.zerovm.states import EndState


def failure(report: Report) -> str | None:
    """Why a session's node failed, as a sentence for people; None if it succeeded."""
    if report.end is not EndState.EXITED:
        return f"{report.end.sentence} ({report.state})"
    if report.retcode:
        return f"The program exited with code {report.retcode}."
    return None


def session_headers(node: NodeDescription, report: Report, policy: str, elapsed: float) -> dict[str, str]:
    """What a session's end looks like in headers. ``elapsed`` is in seconds and counts from the request's arrival."""
    etags = report.etags
    headers = {
        wire.SYSTEM: node.name,
        wire.STATUS: report.state,
        wire.RETCODE: str(report.retcode),
        wire.ETAG: "disabled" if etags is None else " ".join(f"{alias} {digest}" for alias, digest in etags.items()),
        wire.VALIDATION: str(report.validator),
        wire.CDR: f"{elapsed:.3f}, {report.cdr.render()}",
        wire.POLICY: policy,
    }
    if report.daemon:
        headers[wire.DAEMON] = str(report.daemon)
    if reason := failure(report):
        headers[wire.ERROR] = reason
    return headers


def default_headers(status: str, policy: str, elapsed: float, node: str = "") -> dict[str, str]:
    """What stands for a session that did not run, or whose end is not known."""
    return {
        wire.SYSTEM: node,
        wire.STATUS: status,
        wire.RETCODE: "0",
        wire.ETAG: "",
        wire.VALIDATION: "0",
        wire.CDR: f"{elapsed:.3f}, {Accounting().render()}",
        wire.POLICY: policy,
    }


def colocation_proof(asked: str) -> dict[str, str]:
    """The answer to ``salt:ip:port``: proof that this server is the one that was asked (section 10). Nothing if not asked."""
    salt, colon, address = asked.partition(":")
    if not colon:
        return {}
    return {wire.COLOCATED: hmac.new(salt.encode(), address.encode(), hashlib.sha1).hexdigest()}


def session_response(request: Request, headers: Mapping[str, str], outputs: OutputStream) -> Response:
    """200 with the outputs as they are read from their files."""
    response = Response(request=request, status=200, app_iter=outputs, content_type=CONTENT_TYPE)
    response.content_length = outputs.length
    return _with(response, headers)


def text_response(request: Request, status: int, text: str, headers: Mapping[str, str]) -> Response:
    """A sentence, or none, with a status."""
    response = Response(request=request, status=status, body=text.encode("utf-8", "replace"), content_type="text/plain")
    return _with(response, headers)


def _with(response: Response, headers: Mapping[str, str]) -> Response:
    for name, value in headers.items():
        response.headers[name] = header_text(value)
    return response


def header_text(value: Any) -> str:
    """A value on one line, as WSGI wants it."""
    line = " ".join(str(value).split())
    text: str = str_to_wsgi(line.encode("utf-8", "replace").decode())
    return text
