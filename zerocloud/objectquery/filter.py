"""The filter of object and container servers: a POST with ``X-Zerovm-Execute`` runs a session, all else passes by.

This is the order in which a request travels through this package; each step is a module (executing server, sections 1 to 10)::

    checks      the request's line and headers                     hangup      a client that leaves ends all of it
    local_data  the object or container it is placed at
    admission   a slot in the executor service's pool              (until here nothing is read, so refusals come at once)
    body, tarwalk, unpack   the node's description, program, image and inputs into files without names (workspace)
    session     binding, executable, environment, manifest_maker, the network, the run
    collect, messages, outputs, answer   what the proxy gets back
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from swift.common.concurrency import Timeout
from swift.common.swob import HTTPException, Request, Response
from swift.common.utils import get_logger

from zerocloud import wire
from zerocloud.objectquery import workspace
from zerocloud.objectquery.admission import ExecutorService
from zerocloud.objectquery.answer import (
    colocation_proof,
    default_headers,
    failure,
    refused_response,
    session_headers,
    session_response,
)
from zerocloud.objectquery.body import Body
from zerocloud.objectquery.checks import Head, check_pool, read_head
from zerocloud.objectquery.collect import collect, story
from zerocloud.objectquery.executable import SystemImages
from zerocloud.objectquery.hangup import ClientHungUp, ended_by_hangup
from zerocloud.objectquery.local_data import LocalStore
from zerocloud.objectquery.manifest_maker import Limits
from zerocloud.objectquery.outputs import OutputStream
from zerocloud.objectquery.refusal import ExecutorLost, Refusal
from zerocloud.objectquery.session import Ended, Place, Session, read_node
from zerocloud.objectquery.settings import Settings
from zerocloud.objectquery.unpack import Members, receive
from zerocloud.objectquery.workspace import Workspace
from zerocloud.wire import NodeDescription

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ObjectQuery:
    """The filter. One instance serves all requests of a process."""

    def __init__(self, app: WSGIApplication, conf: Mapping[str, str], logger: Any) -> None:
        self.app = app
        self.logger = logger
        self.settings = Settings.read(conf)
        self.images = SystemImages(self.settings.system_images)
        self.store = LocalStore(conf, self.settings, logger)
        self.executor = ExecutorService(self.settings, logger)
        swept = workspace.sweep(self.settings.devices)
        if swept:
            logger.info("removed %d temporary files that an earlier run left", swept)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.method != "POST" or wire.EXECUTE not in request.headers:
            return self.app(environ, start_response)
        return _Request(self, request).answer()(environ, start_response)  # type: ignore[no-any-return]


class _Request:
    """One request on its way: what has become known of it, for its answer and its line in the log."""

    def __init__(self, query: ObjectQuery, request: Request) -> None:
        self._query = query
        self._request = request
        self._started = time.monotonic()
        self._head: Head | None = None
        self._node: NodeDescription | None = None

    def answer(self) -> Response:
        """Run the session; every way in which it can end becomes a response here."""
        try:
            response = self._run()
        except Refusal as refusal:
            response = self._refused(refusal.status, str(refusal), wire.NOT_RUN, refusal.headers)
        except HTTPException as bad_path:
            response = bad_path
        except ExecutorLost as lost:
            self._query.logger.error("%s", lost)
            response = self._refused(500, str(lost), wire.RUNTIME_ERROR, {wire.ERROR: str(lost)})
        except ClientHungUp:
            response = self._refused(499, "The client left", wire.NOT_RUN, {})
        except (Exception, Timeout) as error:  # noqa: BLE001 (the process's edge: the cause is logged, and not for the client)
            response = self._unexpected(error)
        self._log(response)
        return response

    def _run(self) -> Response:
        query, request = self._query, self._request
        with ExitStack() as outputs:
            with ended_by_hangup(request.environ), ExitStack() as held:
                self._head = head = read_head(request, query.settings)
                local = query.store.open(head.place, head.access, held)
                check_pool(head, query.settings)
                connection = held.enter_context(query.executor.admitted(head))
                space = Workspace(f"{query.settings.devices}/{head.place.device}/{head.place.temporary_folder}")
                members = self._receive(head, space, held)
                self._node = node = read_node(members.description)
                place = Place(query.images, self._limits(head), query.settings.bind_address, space, local)
                ended = Session(head, node, place, held, outputs).run(members.files, connection)
            reason = failure(ended.report)
            if reason and not space.has_room():
                raise Refusal(507, f"The device ran full while the program ran. {reason}", {wire.STATUS: wire.RUNTIME_ERROR})
            return self._ended(head, node, ended, outputs.pop_all())

    def _receive(self, head: Head, space: Workspace, held: ExitStack) -> Members:
        settings = self._query.settings
        body = Body(self._request.environ["wsgi.input"], head.length, settings)
        return receive(body, space, settings.max_input, held)

    def _limits(self, head: Head) -> Limits:
        settings = self._query.settings
        return Limits(settings.max_operations, settings.max_input, settings.max_output, settings.max_memory, head.timeout)

    def _ended(self, head: Head, node: NodeDescription, ended: Ended, outputs: ExitStack) -> Response:
        with outputs:
            members = collect(ended.written, self._query.logger.warning)
            if failure(ended.report) and ended.errors is not None and (told := story(ended.errors)) is not None:
                members = (*members, told)
            headers = session_headers(node, ended.report, head.place.policy.name, time.monotonic() - self._started)
            stream = OutputStream(members, outputs.pop_all().close)
        return session_response(self._request, headers | colocation_proof(head.colocated), stream)

    def _unexpected(self, error: BaseException) -> Response:
        if workspace.is_full(error):
            return self._refused(507, "The device has no space left for the session's files", wire.NOT_RUN, {})
        self._query.logger.exception("ERROR: a session failed")
        return self._refused(500, "The storage server failed; its log has the cause", wire.NOT_RUN, {})

    def _refused(self, status: int, text: str, state: str, extra: Mapping[str, str]) -> Response:
        head, node = self._head, self._node
        if status == 507 and head is not None and head.colocated:
            status = 404  # so that the proxy tries another server for the whole group
        policy = head.place.policy.name if head else ""
        headers = default_headers(state, policy, time.monotonic() - self._started, node.name if node else "")
        return refused_response(self._request, status, text, {**headers, **extra})

    def _log(self, response: Response) -> None:
        if self._query.settings.log_requests:
            self._query.logger.info(
                "%s POST %s %d node: %s status: %s cdr: %s",
                self._head.transaction if self._head else "-",
                self._request.path,
                response.status_int,
                response.headers.get(wire.SYSTEM, ""),
                response.headers.get(wire.STATUS, ""),
                response.headers.get(wire.CDR, ""),
            )


def filter_factory(global_conf: Mapping[str, str], **local_conf: str) -> Callable[[WSGIApplication], ObjectQuery]:
    """The paste entry point ``egg:zerocloud#object_query``, for object and container servers. Raises ConfigurationError."""
    conf = {**global_conf, **local_conf}
    logger = get_logger(conf, log_route="object-query")

    def make(app: WSGIApplication) -> ObjectQuery:
        return ObjectQuery(app, conf, logger)

    return make
