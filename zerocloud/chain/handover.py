"""What one job of a chain hands over to the next, in its WSGI environment.

``zerocloud.payload`` is a :class:`Payload`. Every other ``zerocloud.*`` key that the job filter has set in the environment
of a job, such as the zapp whose rights it runs with, is there again for the next one. No client can set such a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from swift.common.swob import Request
from swift.common.utils import InputProxy
from swift.common.wsgi import make_subrequest

from zerocloud.proxyquery.request import PAYLOAD

PREFIX = "zerocloud."
PREVIOUS_JOB = "X-Zerovm-Previous-Job"
EXECUTE = "X-Zerovm-Execute"
MAP_TYPE = "application/json"
SOURCE = "ZC"


class Payload:
    """What is still unread of the body that the client sent to the first job of a chain."""

    def __init__(self, source: Any, length: int) -> None:
        """``source`` is Swift's InputProxy around the request's input, ``length`` what the client says to send."""
        self._source = source
        self._length = length

    @property
    def remaining(self) -> int:
        """Bytes that nobody has read yet."""
        return max(0, self._length - int(self._source.bytes_received))

    def read(self, amount: int) -> bytes:
        """At most so many of them; none at their end, or once the client has gone."""
        amount = min(amount, self.remaining)
        data: bytes = self._source.read(amount) if amount else b""
        return data


class _MapInput(BytesIO):
    """A map as the body of a request. Whoever looks for the client's connection finds it behind."""

    def __init__(self, text: bytes, wsgi_input: Any) -> None:
        super().__init__(text)
        self.wsgi_input = wsgi_input


def counted(environ: dict[str, Any]) -> Payload:
    """The client's body; from now on what is read of it is counted."""
    length = environ.get("CONTENT_LENGTH") or "0"
    environ["wsgi.input"] = InputProxy(environ["wsgi.input"])
    return Payload(environ["wsgi.input"], int(length) if length.isascii() and length.isdigit() else 0)


def next_environ(
    first: Mapping[str, Any], last: Mapping[str, Any], account: str, text: bytes, payload: Payload
) -> dict[str, Any]:
    """The request for the next job: the ``first`` one's identity, query and authorizer; nothing else that the client sent.

    ``last`` is the environment of the job before, ``account`` a quoted path's part, ``text`` the map.
    """
    headers = {EXECUTE: "1.0", "Content-Type": MAP_TYPE, "Content-Length": str(len(text))}
    request: Request = make_subrequest(first, "POST", f"/v1/{account}", headers=headers, agent=None, swift_source=SOURCE)
    environ: dict[str, Any] = request.environ
    environ.update((key, value) for key, value in last.items() if key.startswith(PREFIX))
    environ["wsgi.input"] = _MapInput(text, first["wsgi.input"])
    environ[PAYLOAD] = payload
    return environ
