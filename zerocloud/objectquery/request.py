"""A request for a session from its arrival to its answer: the steps in their order, and what every way to fail becomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from swift.common.concurrency import Timeout
from swift.common.swob import HTTPException, Request, Response

from zerocloud import wire
from zerocloud.objectquery import workspace
from zerocloud.objectquery.admission import ExecutorService
from zerocloud.objectquery.answer import (
    colocation_proof,
    default_headers,
    failure,
    session_headers,
    session_response,
    text_response,
)
from zerocloud.objectquery.body import Body
from zerocloud.objectquery.checks import Head, check_pool, read_head
from zerocloud.objectquery.collect import collect, story
from zerocloud.objectquery.executable import SystemImages
from zerocloud.objectquery.hangup import ClientHungUp, ended_by_hangup
from zerocloud.objectquery.local_data import LocalData, LocalStore, Store
from zerocloud.objectquery.manifest_maker import Limits
from zerocloud.objectquery.metrics import Metrics
from zerocloud.objectquery.outputs import OutputStream
from zerocloud.objectquery.programs import KnownImage, Programs
from zerocloud.objectquery.pulse import expects_signs, signs_of_life
from zerocloud.objectquery.refusal import ExecutorLost, Refusal
from zerocloud.objectquery.session import Ended, Place, Session, read_node
from zerocloud.objectquery.settings import Settings
from zerocloud.objectquery.unpack import Members, receive
from zerocloud.objectquery.validation import validate
from zerocloud.objectquery.warm import WarmGuests
from zerocloud.objectquery.workspace import Workspace
from zerocloud.wire import NodeDescription
from zerocloud.zerovm.report import PASSED, Report
from zerocloud.zerovm.states import EndState


class Host:
    """What all requests of a process share: settings, images, devices, and the way to the executor service."""

    def __init__(self, conf: Mapping[str, str], logger: Any, store: Store | None = None) -> None:
        """``store`` stands in for Swift's devices."""
        self.logger = logger
        self.metrics = Metrics(logger)
        self.settings = Settings.read(conf)
        self.images = SystemImages(self.settings.system_images)
        self.programs = Programs(self.settings.kept_programs, logger.warning)
        self.store: Store = store or LocalStore(conf, self.settings, logger)
        self.executor = ExecutorService(self.settings, logger)
        self.warm = WarmGuests(self.executor, self.images, self.limits(self.settings.timeout), logger)

    def limits(self, timeout: int) -> Limits:
        """Those of this server, for sessions of ``timeout`` seconds."""
        settings = self.settings
        return Limits(settings.max_operations, settings.max_input, settings.max_output, settings.max_memory, timeout)


class SessionRequest:
    """One request on its way: what has become known of it, for its answer and its line in the log."""

    def __init__(self, host: Host, request: Request) -> None:
        self._host = host
        self._request = request
        self._started = time.monotonic()
        self._head: Head | None = None
        self._node: NodeDescription | None = None

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def answer(self) -> Response:
        """Run the session; every way in which it can end becomes a response here."""
        try:
            response = self._run()
        except Refusal as refusal:
            response = self._refused(refusal.status, str(refusal), wire.NOT_RUN, refusal.headers)
        except HTTPException as bad_path:
            response = bad_path
            self._host.metrics.refused(response.status_int)
        except ExecutorLost as lost:
            self._host.logger.error("%s", lost)
            response = self._refused(500, str(lost), wire.RUNTIME_ERROR, {wire.ERROR: str(lost)})
        except ClientHungUp:
            response = self._refused(499, "The client left", "the client left", {})
        except (Exception, Timeout) as error:  # noqa: BLE001 (the process's edge: the cause is logged, and not for the client)
            response = self._unexpected(error)
        self._log(response)
        return response

    def _run(self) -> Response:
        host, request = self._host, self._request
        with ExitStack() as outputs:
            with ended_by_hangup(request.environ), ExitStack() as held:
                self._head = head = read_head(request, host.settings)
                local = host.store.open(head.place, head.access, held)
                check_pool(head, host.settings)
                arrived = self._elapsed
                connection = held.enter_context(host.executor.admitted(head))
                host.metrics.admitted(self._elapsed - arrived)
                space = Workspace(f"{host.settings.devices}/{head.place.device}/{head.place.temporary_folder}")
                members = self._receive(head, space, held)
                if head.validating:
                    return self._validated(head, validate(members.files.get(wire.BOOT_MEMBER), connection, head.timeout))
                self._node = node = read_node(members.description)
                image = KnownImage(host.programs, members.kept_image) if members.kept_image else None
                place = self._place(head, space, image, local, partial(host.store.neighbour, head.place, stack=held))
                with signs_of_life(request.environ, host.settings.pulse, host.executor.answers):
                    ended = Session(head, node, place, held, outputs).run(members.files, connection)
            reason = failure(ended.report)
            if reason and not space.has_room():
                raise Refusal(507, f"The device ran full while the program ran. {reason}", {wire.STATUS: wire.RUNTIME_ERROR})
            if ended.report.end is EndState.INTERNAL:  # no fault of the program: another server may do better
                raise ExecutorLost(f"The session was lost on this server: {ended.report.state}")
            return self._ended(head, node, ended, outputs.pop_all())

    def _receive(self, head: Head, space: Workspace, held: ExitStack) -> Members:
        settings = self._host.settings
        stream, programs = self._request.environ["wsgi.input"], self._host.programs
        known, image = programs.find(head.program, held), programs.find(head.image, held)
        told = ((wire.PROGRAM, head.program, known), (wire.IMAGE, head.image, image))
        if expects_signs(self._request.environ):
            here = [(header, name) for header, name, file in told if file is not None]
            stream.set_hundred_continue_response_headers([*here, (wire.PULSE, f"{settings.pulse:g}")])
        members = receive(Body(stream, head.length, settings), space, settings.max_input, held)
        if wire.BOOT_MEMBER in members.files:
            programs.keep(members.program_hash.hexdigest(), members.files[wire.BOOT_MEMBER])
        elif known is not None:
            members.files[wire.BOOT_MEMBER] = known
        if wire.IMAGE_MEMBER in members.files:
            if head.image and head.image == members.image_name:
                programs.keep(members.image_name, members.files[wire.IMAGE_MEMBER])
                members.kept_image = head.image
        elif image is not None:
            members.files[wire.IMAGE_MEMBER] = image
            members.kept_image = head.image
        return members

    def _place(
        self,
        head: Head,
        space: Workspace,
        image: KnownImage | None,
        local: LocalData,
        neighbour: Callable[[str, int], LocalData],
    ) -> Place:
        host = self._host
        trace = host.logger.info if host.settings.debug else None
        again, limits = partial(host.executor.admitted, head), host.limits(head.timeout)
        bind_address = host.settings.bind_address
        return Place(host.images, image, limits, bind_address, space, local, neighbour, host.warm, again, trace)

    def _validated(self, head: Head, report: Report) -> Response:
        headers = default_headers(report.state, head.place.policy.name, self._elapsed)
        reason = {} if report.validator == PASSED else {wire.ERROR: report.state}
        return text_response(self._request, 200, "", {**headers, wire.VALIDATION: str(report.validator), **reason})

    def _ended(self, head: Head, node: NodeDescription, ended: Ended, outputs: ExitStack) -> Response:
        with outputs:
            members = collect(ended.written, self._host.logger.warning)
            if failure(ended.report) and ended.errors is not None and (told := story(ended.errors)) is not None:
                members = (*members, told)
            self._host.metrics.ended(ended.report, self._elapsed)
            headers = session_headers(node, ended.report, head.place.policy.name, self._elapsed)
            stream = OutputStream(members, outputs.pop_all().close)
        return session_response(self._request, headers | colocation_proof(head.colocated), stream)

    def _unexpected(self, error: BaseException) -> Response:
        if workspace.is_full(error):
            return self._refused(507, "The device has no space left for the session's files", wire.NOT_RUN, {})
        self._host.logger.exception("ERROR: a session failed")
        return self._refused(500, "The storage server failed; its log has the cause", wire.NOT_RUN, {})

    def _refused(self, status: int, text: str, state: str, extra: Mapping[str, str]) -> Response:
        head, node = self._head, self._node
        if status == 507 and head is not None and head.colocated and node is None:
            status = 404  # so that the proxy tries another server for the whole group
        self._host.metrics.refused(status)
        policy = head.place.policy.name if head else ""
        headers = default_headers(state, policy, self._elapsed, node.name if node else "")
        return text_response(self._request, status, text, {**headers, **extra})

    def _log(self, response: Response) -> None:
        if self._host.settings.log_requests:
            self._host.logger.info(
                "%s POST %s %d node: %s status: %s cdr: %s",
                self._head.transaction if self._head else "-",
                self._request.path,
                response.status_int,
                response.headers.get(wire.SYSTEM, ""),
                response.headers.get(wire.STATUS, ""),
                response.headers.get(wire.CDR, ""),
            )
