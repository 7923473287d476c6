"""The proxy filter: recognises requests for jobs, and turns what becomes of them into responses. All it knows is HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from swift.common.constraints import check_utf8
from swift.common.swob import Request, Response, wsgi_to_str

from zerocloud.swiftadapter import error_limits
from zerocloud.sysmap import SwiftPath

from .accept import TEXT, best_type
from .access import authorize_execution
from .accounting import Accounting
from .cluster import Cluster
from .cors import allow, preflight_path
from .errors import ClientGone, JobError, Refused
from .explaining import EXPLAIN, explain_job
from .hooks.gate import Gate
from .hooks.guard import guard
from .hooks.hook import Hook
from .hooks.rights import OwnersRights
from .intake import Intake
from .job import run_job
from .jobs.deferred import Deferral, deferral, destination, run_deferred
from .jobs.recorder import Recorder
from .jobs.resource import resource_query, respond
from .jobs.store import JobStore
from .nameservice import NameServers
from .placement import standalone_policies
from .planning import map_limits
from .refusals import refuse
from .reply import FORMS
from .report_headers import JOB
from .request import TIMEOUT, JobIds, asked_timeout
from .settings import Settings
from .subrequests import CHAIN, Pipeline
from .validation import Validation
from .ways.choose import choose
from .ways.door import Door
from .ways.hooked import hooked
from .ways.sourced import SOURCE

EXECUTE_KEY = "HTTP_X_ZEROVM_EXECUTE"
HOOK = "hook/1.0"
"""What a hook's program finds there; from a client it means nothing."""
INTERNAL = "HTTP_X_BACKEND_"
"""Swift's gatekeeper removes what clients send of these. A pipeline without one must not let them pass either."""
METHODS = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"))
REST_VERSIONS = frozenset(("open", "api"))


class ProxyQuery:
    """The WSGI application around the rest of the pipeline. One for each worker process."""

    def __init__(self, application: Any, settings: Settings, logger: Any) -> None:
        stored: Any = Validation(application, settings, self._shared)
        self._application = Gate(stored, self.run_hook, settings.hooks_patience, logger) if settings.hooks else stored
        self._settings = settings
        self._logger = logger
        self._ids = JobIds()
        self._name_servers = NameServers(settings.name_service_host, settings.name_service_maximum)
        self._cluster: Cluster | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer requests for jobs; let all others pass untouched."""
        version, account, container = _names(environ)
        if account and EXECUTE_KEY not in environ and (query := resource_query(environ)) is not None:
            return self._about_jobs(environ, start_response, version, account, query)
        if not account or (EXECUTE_KEY not in environ and version not in REST_VERSIONS):
            passed: Iterable[bytes] = self._application(environ, start_response)
            return passed
        if version in REST_VERSIONS and environ["REQUEST_METHOD"] == "OPTIONS" and container:
            answered: Iterable[bytes] = self._application(
                {**environ, "PATH_INFO": preflight_path(account, container)}, start_response
            )
            return answered
        job = self._ids.new()
        environ.setdefault(EXECUTE_KEY, f"{version}/1.0")
        try:
            response = self._respond(environ, version, account, job)
        except Refused as refused:
            response = refused.response
        except JobError as error:
            response = refuse(Request(environ), error)
        except ClientGone:
            response = Response(status=499)
        response.headers[JOB] = job
        if self._settings.use_cors and container and "HTTP_ORIGIN" in environ:
            info = Pipeline(self._application, environ, "v1").container_info(SwiftPath(account, container))
            allow(response, wsgi_to_str(environ["HTTP_ORIGIN"]), info["cors"])
        body: Iterable[bytes] = response(environ, start_response)
        return body

    def _about_jobs(
        self, environ: dict[str, Any], start_response: Any, version: str, account: str, query: Mapping[str, str]
    ) -> Iterable[bytes]:
        """The answer to a request about jobs, which is the owner's right like running them."""
        environ["swift.format_listing"] = False  # Swift's listing_formats would take it for one, and empty that to a HEAD
        request = Request(environ)
        try:
            _check(request)
            pipeline = Pipeline(self._application, environ, version)
            authorize_execution(pipeline, environ, SwiftPath(account))
            response = respond(self._shared().recorder.jobs, JobStore(pipeline, account), request, account, query)
        except Refused as refused:
            response = refused.response
        except JobError as error:
            response = refuse(request, error)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _respond(self, environ: dict[str, Any], version: str, account: str, job: str) -> Any:
        """The response to a request for a job. Raises JobError and ClientGone."""
        request = Request(environ)
        _check(request)
        if self._settings.hooks:
            guard(environ, Pipeline(self._application, dict(environ), "v1").container_info)
        intake = Intake(self._settings)
        try:
            return self._ask(request, account, job, intake)
        except BaseException:
            intake.close()
            raise

    def _ask(self, request: Any, account: str, job: str, intake: Intake) -> Any:
        """Find out what is asked for, and do it; whoever runs the job closes the intake. Raises JobError and ClientGone."""
        execute = request.environ[EXECUTE_KEY].strip().lower()
        explaining = execute == EXPLAIN
        if explaining:
            execute = f"{request.path_info.split('/')[1]}/1.0"
        timeout = asked_timeout(request.headers.get(TIMEOUT), self._settings)
        door, asked = choose(self._door(request, account, intake, timeout), execute, request.headers.get(SOURCE))
        if door.pipeline.granted:  # a guest can only wish for less of the owner's time
            asked = replace(asked, timeout=min(asked.timeout, self._settings.timeout))
        own = Pipeline(self._application, request.environ, "v1")
        if explaining:
            authorize_execution(own, request.environ, SwiftPath(account))  # a guest may run a zapp, not look into it
            return explain_job(self._shared(), job, asked, door.pipeline, request)
        when = deferral(request)
        addressed = execute.partition("/")[0] in REST_VERSIONS
        if when is not Deferral.NEVER:
            where = destination(own, request, account, job, named=not addressed)
            return run_deferred(self._shared(), job, asked, door.pipeline, request, when, where)
        # Who calls a program by its address talks to the program: what it accepts is the program's affair.
        form = TEXT if addressed else best_type(request, FORMS)
        return run_job(self._shared(), job, asked, door.pipeline, request.environ, form)

    def run_hook(self, environ: Mapping[str, Any], hook: Hook) -> Any:
        """The response of a hook's job, for a request of whomever: with the rights of the account's owner, and no others.

        Raises JobError and ClientGone.
        """
        job, intake = self._ids.new(), Intake(self._settings)
        owners = {
            **environ,
            CHAIN: hook.chained(environ),
            EXECUTE_KEY: HOOK,
            "swift.authorize": OwnersRights(hook.object.account),
            "swift.authorize_override": False,
        }
        try:
            door = self._door(Request(owners), hook.object.account, intake, self._settings.timeout)
            response = run_job(self._shared(), job, hooked(door, hook), door.pipeline, owners)
        except BaseException:
            intake.close()
            raise
        response.headers[JOB] = job
        return response

    def _door(self, request: Any, account: str, intake: Intake, timeout: float) -> Door:
        """The request, taken apart."""
        _, _, _, container, name = [*wsgi_to_str(request.path_info).split("/", 4), "", ""][:5]
        return Door(
            environ=request.environ,
            method=request.method,
            account=account,
            container=container,
            object=name,
            settings=self._settings,
            limits=map_limits(self._settings),
            pipeline=Pipeline(self._application, request.environ, "v1"),
            intake=intake,
            zapps=self._shared().zapps,
            timeout=timeout,
        )

    def _shared(self) -> Cluster:
        """What jobs share; made at the first of them, when the pipeline is complete."""
        if self._cluster is None:
            self._cluster = Cluster(
                settings=self._settings,
                limits=error_limits(self),
                policies=standalone_policies(self._settings.standalone_policies, self._logger.warning),
                name_servers=self._name_servers,
                logger=self._logger,
                recorder=_recorder(self._settings, self._logger),
            )
        return self._cluster


def _recorder(settings: Settings, logger: Any) -> Recorder:
    accounting = Accounting(settings.stats_account) if settings.accounting else None
    return Recorder(settings.keep_jobs, settings.keep_jobs_time, accounting, logger)


def _names(environ: Mapping[str, Any]) -> tuple[str, str, str]:
    """The version, account and container of a request's path, as native strings; empty where there are none."""
    first, *parts = wsgi_to_str(environ.get("PATH_INFO", "")).split("/", 4)
    if len(parts) < 2 or first:
        return "", "", ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


def _check(request: Any) -> None:
    """What holds for every request for a job (HTTP API, section 1). Raises JobError."""
    length = request.environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise JobError(400, "Invalid Content-Length")
    if not check_utf8(wsgi_to_str(request.path_info)):
        raise JobError(412, "Invalid UTF8")
    if request.method not in METHODS:
        raise JobError(412, "Bad HTTP method")
    if any(key.startswith(INTERNAL) for key in request.environ):
        raise JobError(400, "X-Backend-… headers are the cluster's own: a request for a job has none")


__all__ = ["ProxyQuery"]
