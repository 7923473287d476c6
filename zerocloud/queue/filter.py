"""Queues on containers: the filter. All it knows is HTTP; ``doc/queues.md`` says more.

``/queue/<account>`` is the place of an account's queues. A message is a JSON value that lives for a while; clients claim
messages, work on them, and delete them. While a client has a claim, nobody else gets its messages.

=========================================  ============================================================================
GET  /queue/A                              ``{"jobs": {"message_count": 3}, …}``
PUT  /queue/A/Q                            make a queue: 201, or 202 if there is one. ``X-Container-Read`` and
                                           ``X-Container-Write`` say who else may use it
DELETE /queue/A/Q                          204; 409 if it has messages
GET  /queue/A/Q/message?limit=&echo=       free messages, the oldest first: 1 unless ``limit`` says otherwise; those that this
                                           ``Client-Id`` has posted only with ``echo=true``
POST /queue/A/Q/message?ttl=               post the body, one JSON value, for ``ttl`` seconds: 201 with the message
DELETE /queue/A/Q/message/<claim id>       204; 404 if the message has moved on
POST /queue/A/Q/claim?limit=&ttl=&echo=    take free messages for ``ttl`` seconds: a list, perhaps empty
POST /queue/A/Q/claim/<claim id>?ttl=      keep a message for ``ttl`` seconds from now: it has a new claim id
DELETE /queue/A/Q/claim/<claim id>         give a message back: 204
=========================================  ============================================================================

Posting, claiming and extending need the header ``Client-Id``. A message is ``{"claim_id": …, "msg_id": …, "client_id": …,
"expires": …, "data": …}``; its claim id changes with every claim, so whoever claimed it before can't delete it any more.

Paste, right of the authentication, on whose word about the queue's container it relies::

    [filter:zero_queue]
    use = egg:zerocloud#zero_queue
    max_message_size = 65536
    max_message_ttl = 3600
    max_message_listing_limit = 1000
    max_claim_limit = 10
    max_claim_ttl = 60
    claim_patience = 10
    queue_storage_policy =

At ``/info`` these limits stand under ``zero_queue``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from swift.common.swob import Request, wsgi_to_str

from . import answer
from .errors import QueueError, Refused
from .handlers import handle
from .request import is_queue_path
from .settings import Settings


class ZeroQueue:
    """The WSGI application around the rest of the pipeline."""

    def __init__(self, application: Any, settings: Settings, policy: str, logger: Any) -> None:
        self._application = application
        self._settings = settings
        self._policy = policy
        self._logger = logger

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer requests about queues; let all others pass untouched."""
        if not is_queue_path(wsgi_to_str(environ.get("PATH_INFO", ""))):
            passed: Iterable[bytes] = self._application(environ, start_response)
            return passed
        try:
            response = handle(self._application, Request(environ), self._settings, self._policy, self._logger)
        except Refused as refused:
            response = refused.response
        except QueueError as error:
            if error.status >= 500:
                self._logger.error("%s %s: %s", environ["REQUEST_METHOD"], environ["PATH_INFO"], error.text)
            response = answer.error_response(error)
        body: Iterable[bytes] = response(environ, start_response)
        return body
