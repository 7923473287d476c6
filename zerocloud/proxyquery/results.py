"""What comes back from a session: the report in its answer's headers, and the bytes it wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from swift.common.swob import wsgi_to_str

from zerocloud import wire

from .spool import Segment

FINAL = re.compile(r"[2-5][0-9]{2}")  # RFC 9110, section 15


@dataclass(frozen=True)
class SessionReport:
    """The report of one session, as the client sees it in ``X-Nexe-*`` (HTTP API, section 7)."""

    status: str = wire.NOT_RUN
    retcode: str = "0"
    etag: str = ""
    validation: str = "0"
    cdr: str = wire.NO_CDR
    policy: str = ""
    cached: str = ""
    error: str = ""

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> SessionReport:
        """Read an answer's headers, whose names are in lower case and whose values are WSGI strings."""

        def value(name: str, default: str) -> str:
            return one_line(wsgi_to_str(headers.get(name.lower(), default)))

        return cls(
            status=value(wire.STATUS, wire.NOT_RUN),
            retcode=value(wire.RETCODE, "0"),
            etag=value(wire.ETAG, ""),
            validation=value(wire.VALIDATION, "0"),
            cdr=value(wire.CDR, wire.NO_CDR),
            policy=value(wire.POLICY, ""),
            cached="true" if value(wire.DAEMON, "0") not in ("", "0") else "",
            error=value(wire.ERROR, ""),
        )


@dataclass
class NodeBody:
    """A session's part of the client's answer: its first output without a path, and the headers that came with it."""

    content: Segment
    headers: Mapping[str, str] = field(default_factory=dict)
    delivered: bool = False

    @property
    def guest_status(self) -> int | None:
        """The final status that the program gave its answer, if it wrote one (``message/http``, ``message/cgi``)."""
        code = self.headers.get("Status", "").partition(" ")[0]
        return int(code) if FINAL.fullmatch(code) else None


def one_line(text: str) -> str:
    """A text for a header: without line breaks and other control characters, as Unicode that can be encoded."""
    clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in clean).split())
