"""The filter of object and container servers: a POST with ``X-Zerovm-Execute`` runs a session, a GET of
``/zerocloud/recon`` tells of those that were, all else passes by.

This is the order in which a request travels through this package; each step is a module (executing server, sections 1 to 10)::

    request     all of the following, in this order, and what every way to fail becomes
    hangup      a client that leaves ends all of it
    checks      the request's line and headers
    local_data  the object or container it is placed at
    admission   a slot in the executor service's pool              (until here nothing is read, so refusals come at once)
    body, unpack            the node's description, program, image and inputs into files without names (workspace)
    validation  the program only validated and compiled, where that is all that is asked for
    session     binding, executable, environment, manifest_maker, the network, the run
    collect, messages, outputs, answer   what the proxy gets back
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import simplejson
from swift.common.swob import Request, Response
from swift.common.utils import get_logger

from zerocloud import wire
from zerocloud.objectquery import metrics, workspace
from zerocloud.objectquery.request import Host, SessionRequest

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ObjectQuery:
    """The filter. One instance serves all requests of a process."""

    def __init__(self, app: WSGIApplication, host: Host) -> None:
        self.app = app
        self._host = host

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._host.settings.warm_ahead:
            self._host.warm.awaken()
        request = Request(environ)
        if request.method == "GET" and request.path == metrics.RECON_PATH:
            told = Response(body=simplejson.dumps(self._host.metrics.told()), content_type="application/json", request=request)
            numbers: Iterable[bytes] = told(environ, start_response)
            return numbers
        if request.method != "POST" or wire.EXECUTE not in request.headers:
            return self.app(environ, start_response)
        answer: Iterable[bytes] = SessionRequest(self._host, request).answer()(environ, start_response)
        return answer


def filter_factory(global_conf: Mapping[str, str], **local_conf: str) -> Callable[[WSGIApplication], ObjectQuery]:
    """The paste entry point ``egg:zerocloud#object_query``, for object and container servers. Raises ConfigurationError."""
    conf = {**global_conf, **local_conf}
    logger = get_logger(conf, log_route="object-query", statsd_tail_prefix=metrics.PREFIX)
    host = Host(conf, logger)
    if swept := workspace.sweep(host.settings.devices):
        logger.info("removed %d temporary files that an earlier run left", swept)

    def make(app: WSGIApplication) -> ObjectQuery:
        return ObjectQuery(app, host)

    return make
