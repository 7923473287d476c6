"""What each request does: one function for each, and the table of them (HTTP API, section 17)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from swift.common.concurrency import ChunkReadError, Timeout
from swift.common.swob import wsgi_to_str
from swift.common.utils import cache_from_env

from . import answer
from .access import READ, WRITE, authorize, check_caller
from .errors import QueueError
from .messages import Messages, Wish
from .names import NOBODY, Entry, check_client
from .queues import Queues
from .request import Parameters, Shape, Target, check_json, parse_path
from .settings import Settings
from .splitter import Turns
from .store import Store, Swift

READ_MARGIN = 1 << 20
"""Bytes of a stored message that are read even if messages may not be that large any more."""


@dataclass(frozen=True)
class Call:
    """One request and what it is about."""

    request: Any
    target: Target
    parameters: Parameters
    settings: Settings
    queues: Queues
    messages: Messages

    @property
    def client(self) -> str:
        """The ``Client-Id``. Raises QueueError (400, 412)."""
        return check_client(self.header("Client-Id"))

    def header(self, name: str) -> str | None:
        """A header as a native string."""
        value = self.request.headers.get(name)
        return None if value is None else str(wsgi_to_str(value))

    @property
    def entry(self) -> Entry:
        """The entry that the claim id in the path is. Raises QueueError (404)."""
        entry = Entry.parse(self.target.claim)
        if entry is None:
            raise QueueError(404, f"There is no message {self.target.claim[:300]!r}")
        return entry


def handle(application: Any, request: Any, settings: Settings, policy: str, logger: Any) -> Any:
    """The response to a request about queues. Raises QueueError."""
    target = parse_path(wsgi_to_str(request.path_info))
    known = HANDLERS.get((request.method, target.shape))
    if known is None:
        raise QueueError(422, f"{request.method} means nothing for {target.shape.value}")
    handler, rights = known
    parameters = Parameters.parse(request.query_string)
    check_caller(request.environ)
    if rights:
        authorize(application, request.environ, target, *rights)
    swift = Swift(application, request.environ, target.account)
    turns = Turns(cache_from_env(request.environ, True), f"{target.account}/{target.queue}", settings.patience)
    store = Store(swift, target.queue, max(settings.maximum_message, READ_MARGIN))
    messages = Messages(store, turns, settings, logger.warning)
    return handler(Call(request, target, parameters, settings, Queues(swift, settings, policy), messages))


def _list_queues(call: Call) -> Any:
    return answer.queues_response(call.queues.counts())


def _make_queue(call: Call) -> Any:
    headers = {name: value for name in ("X-Container-Read", "X-Container-Write") if (value := call.header(name)) is not None}
    return answer.empty_response(call.queues.make(call.target.queue, headers))


def _delete_queue(call: Call) -> Any:
    return answer.empty_response(call.queues.delete(call.target.queue, call.messages))


def _read_messages(call: Call) -> Any:
    limit = call.parameters.number("limit", 1, call.settings.maximum_listing)
    client = call.client if call.header("Client-Id") else ""
    return answer.messages_response(call.messages.read(Wish(client, limit, call.parameters.flag("echo"))))


def _post_message(call: Call) -> Any:
    client = call.client
    longest = call.settings.maximum_message_ttl
    ttl = call.parameters.number("ttl", longest, longest)
    data = check_json(_body(call))
    return answer.message_response(call.messages.post(data, client, ttl), 201)


def _delete_message(call: Call) -> Any:
    call.messages.delete(call.entry)
    return answer.empty_response(204)


def _claim(call: Call) -> Any:
    limit = call.parameters.number("limit", 1, call.settings.maximum_claim)
    wish = Wish(call.client, limit, call.parameters.flag("echo"))
    return answer.messages_response(call.messages.claim(wish, _claim_ttl(call)))


def _extend_claim(call: Call) -> Any:
    client, ttl = call.client, _claim_ttl(call)
    if not call.target.claim.endswith(f"/{client}"):
        raise QueueError(412, "Client-Id does not match claim id")
    return answer.message_response(call.messages.move(call.entry, ttl, client), 200)


def _end_claim(call: Call) -> Any:
    entry = call.entry
    if entry.owner == NOBODY:
        raise QueueError(404, f"Message {entry} is not claimed")
    call.messages.move(entry, 0, NOBODY)
    return answer.empty_response(204)


def _claim_ttl(call: Call) -> int:
    longest = call.settings.maximum_claim_ttl
    return call.parameters.number("ttl", longest, longest)


def _body(call: Call) -> bytes:
    """The body of the request, up to the limit of messages. Raises QueueError (400, 408, 413, 499)."""
    limit, declared = call.settings.maximum_message, call.request.environ.get("CONTENT_LENGTH") or None
    if declared is not None and not (declared.isascii() and declared.isdigit()):
        raise QueueError(400, "Invalid Content-Length")
    too_large = QueueError(413, f"The message is larger than {limit} bytes")
    if (declared is not None and len(declared) > 18) or int(declared or 0) > limit:
        raise too_large
    data = b""
    try:
        with Timeout(call.settings.client_timeout):
            while piece := call.request.environ["wsgi.input"].read(call.settings.chunk_size):
                data += piece
                if len(data) > limit:
                    raise too_large
    except Timeout:
        raise QueueError(408, f"The message did not come within {call.settings.client_timeout:g} s") from None
    except (OSError, ChunkReadError) as error:
        raise QueueError(499, "The connection broke off within the message") from error
    if declared is not None and len(data) < int(declared):
        raise QueueError(499, f"{len(data)} of {declared} bytes of the message came")
    return data


Handler = Callable[[Call], Any]

HANDLERS: dict[tuple[str, Shape], tuple[Handler, tuple[str, ...]]] = {
    ("GET", Shape.ACCOUNT): (_list_queues, ()),
    ("PUT", Shape.QUEUE): (_make_queue, ()),
    ("DELETE", Shape.QUEUE): (_delete_queue, ()),
    ("GET", Shape.MESSAGES): (_read_messages, (READ,)),
    ("POST", Shape.MESSAGES): (_post_message, (WRITE,)),
    ("DELETE", Shape.MESSAGE): (_delete_message, (WRITE,)),
    ("POST", Shape.CLAIMS): (_claim, (READ, WRITE)),
    ("POST", Shape.CLAIM): (_extend_claim, (READ, WRITE)),
    ("DELETE", Shape.CLAIM): (_end_claim, (WRITE,)),
}
"""Handlers by method and shape, with the rights that are asked of the authorizer first; those without ask by what they do."""
