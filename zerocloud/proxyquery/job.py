"""A job from its map to its answer: plan, authorize, place, run, reply. Each verb is a module; this is the order of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Any

from zerocloud.swiftadapter import ErrorLimits
from zerocloud.sysmap import Context, Limits, ListingError, Plan, SystemMapError, plan_job

from .access import authorize_nodes
from .errors import ClientGone, JobError
from .exchange import Records, Surroundings
from .hangup import watched
from .listing import PipelineListing
from .nameservice import NameServers
from .outline import Outline, outline
from .placement import Placer
from .publish import Publisher
from .reply import Ended, answer
from .request import JobRequest
from .runner import Runner
from .scheduler import Cancelled, Outcome
from .scheduler import Limits as JobLimits
from .settings import Settings
from .sources import Sources
from .spool import Spool
from .subrequests import Pipeline


@dataclass(frozen=True)
class Cluster:
    """What all jobs of a proxy process share."""

    settings: Settings
    limits: ErrorLimits
    policies: tuple[int, ...]
    name_servers: NameServers
    logger: Any


def map_limits(settings: Settings) -> Limits:
    """What a job's map may ask for (system map, section 11)."""
    return Limits(
        reads=settings.maximum_operations,
        rbytes=settings.maximum_input,
        writes=settings.maximum_operations,
        wbytes=settings.maximum_output,
        maxnodes=settings.maximum_nodes,
        maxtimeout=settings.maximum_timeout,
    )


def run_job(cluster: Cluster, job: str, request: JobRequest, pipeline: Pipeline, environ: Mapping[str, Any]) -> Any:
    """Run a job whose execution has been authorized; its response. Raises JobError and ClientGone."""
    started = time.monotonic()
    settings = cluster.settings
    plan = _plan(settings, job, request, pipeline)
    authorize_nodes(pipeline, plan.nodes)
    placer = Placer(settings.swift_dir, cluster.policies, cluster.limits, SystemRandom(), settings.show_servers)
    laid_out = outline(
        plan,
        partial(placer.place, policy_of=lambda path: int(pipeline.container_info(path)["storage_policy"])),
        request.environment,
        request.timeout,
        settings.hold,
        settings.network_type == "tcp",
    )
    spool = Spool(settings.spool_memory, settings.spool_directory, settings.network_chunk_size, settings.spool_maximum)
    try:
        return _run(cluster, job, request, pipeline, environ, laid_out, placer, spool, started)
    except BaseException:
        spool.close()
        raise


def _run(
    cluster: Cluster,
    job: str,
    request: JobRequest,
    pipeline: Pipeline,
    environ: Mapping[str, Any],
    laid_out: Outline,
    placer: Placer,
    spool: Spool,
    started: float,
) -> Any:
    settings = cluster.settings
    sources = Sources(pipeline, spool, settings.node_timeout, settings.newest, settings.maximum_input)
    for work in laid_out.works.values():
        for _, need in work.remote(push=True):  # what turns out to lie nowhere as a file is brought, too
            sources.expect(need)
    records = Records({}, {}, {})
    around = Surroundings(
        settings=settings,
        job=job,
        transaction=str(environ.get("swift.trans_id", "-")),
        limits=cluster.limits,
        sources=sources,
        spool=spool,
        publisher=Publisher(pipeline, spool),
        records=records,
    )
    limits = JobLimits(
        deadline=started + request.timeout,
        timeout=request.timeout,
        window=settings.window,
        patience=settings.admission_timeout,
    )
    runner = Runner(laid_out.sessions, laid_out.works, placer.devices, limits, cluster.name_servers, around)
    gone: list[bool] = []

    def hang_up() -> None:
        gone.append(True)
        runner.post(Cancelled("cancelled because the client closed its connection"))

    try:
        with watched(environ, hang_up):
            outcomes = runner.run()
    finally:
        sources.close()
    _log(cluster, request.account, around, outcomes)
    if gone:
        raise ClientGone(job)
    ended = Ended(
        job=job,
        started=started,
        outcomes=outcomes,
        winners={outcome.session.node: runner.winner(outcome.session.node) for outcome in outcomes},
        records=records,
        addresses={name: f"{device['ip']}:{device['port']}" for name, device in placer.devices.items()},
        show_servers=settings.show_servers,
    )
    return answer(ended, str(environ["REQUEST_METHOD"]), spool)


def _plan(settings: Settings, job: str, request: JobRequest, pipeline: Pipeline) -> Plan:
    """Raises JobError (400)."""
    listing = PipelineListing(pipeline)
    context = Context(
        account=request.account,
        listing=listing,
        size_of=listing.size_of,
        limits=map_limits(settings),
        image=request.image is not None,
        network="opaque" if settings.network_type == "opaque" else "tcp",
        job=job,
        default_content_type=settings.default_content_type,
        system_images=frozenset(settings.system_images),
    )
    try:
        return plan_job(request.document, context)
    except (SystemMapError, ListingError) as error:
        raise JobError(400, str(error)) from error


def _log(cluster: Cluster, account: str, around: Surroundings, outcomes: tuple[Outcome, ...]) -> None:
    """One line for each session, for accounting (HTTP API, section 14)."""
    for outcome in outcomes:
        report = around.records.reports.get(outcome.session.id)
        cluster.logger.info(
            "zerovm-cdr %s %s %s (%s) [%s]",
            account,
            around.transaction,
            outcome.session.name,
            report.cdr if report else "-",
            report.status if report else outcome.reason or outcome.phase.value,
        )


__all__ = ["Cluster", "map_limits", "run_job"]
