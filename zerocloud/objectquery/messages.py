"""Outputs that begin with headers of their own: ``message/http`` and ``message/cgi`` (system map, section 10)."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from webob import Response

HTTP, CGI = "message/http", "message/cgi"
MOST_HEAD = 65536
MOST_HEADERS = 100

_END = re.compile(rb"\r?\n\r?\n")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$")
_STATUS = re.compile(r"[1-5][0-9]{2}( [\x20-\x7e]*)?\Z")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.6.2: token


@dataclass(frozen=True)
class Message:
    """``headers`` with the ``Status`` among them, and where in the output the body starts, in bytes."""

    headers: Mapping[str, str] = field(default_factory=dict)
    start: int = 0


class MessageError(ValueError):
    """The output does not begin with the headers that its type promises."""


def is_message(content_type: str | None) -> bool:
    """Whether outputs of this type begin with headers."""
    return bool(content_type) and str(content_type).lower().startswith((HTTP, CGI))


def parse(content_type: str, text: bytes) -> Message:
    """Take the headers off ``text``, the first :data:`MOST_HEAD` bytes of an output. Raises MessageError.

    A ``message/http`` begins with a status line; in ``message/cgi`` a header ``Status`` may give it, 200 otherwise.
    """
    end = _END.search(text)
    if end is None:
        raise MessageError(f"no empty line within the first {MOST_HEAD} bytes")
    head = text[: end.start()] + b"\r\n\r\n"
    if content_type.lower().startswith(CGI):
        head = b"HTTP/1.1 200 OK\r\n" + head
    elif not head.startswith(b"HTTP/"):
        raise MessageError("no HTTP status line")
    try:
        response = Response.from_file(io.BytesIO(head))
    except ValueError as error:
        raise MessageError(str(error)) from None
    headers = _headers(response)
    if declared := _LENGTH.search(head):  # an answer to HEAD tells a length that it doesn't have
        headers["Content-Length"] = declared[1].decode()
    return Message(headers, end.end())


def _headers(response: Response) -> dict[str, str]:
    if len(response.headerlist) > MOST_HEADERS:
        raise MessageError(f"more than {MOST_HEADERS} headers")
    headers = {"Status": response.status}
    for name, value in response.headerlist:
        if not _NAME.match(name):
            raise MessageError(f"{name[:40]!r} is not a header's name")
        if _CONTROL.search(value):
            raise MessageError(f"header {name} has a control character")
        if name.lower() != "content-length":
            headers["Status" if name.lower() == "status" else name] = value
    if not _STATUS.match(headers["Status"]):
        raise MessageError(f"{headers['Status'][:40]!r} is not a status")
    return headers
