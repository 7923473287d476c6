"""A job from its map to its answer: plan, run, reply. Each verb is a module; this is the order of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .cluster import Cluster
from .errors import ClientGone
from .exchange import Records, Surroundings
from .hangup import watched
from .planning import Planned, plan_request
from .publish import Publisher
from .reply import Ended, answer
from .request import JobRequest
from .runner import Runner
from .scheduler import Cancelled, Outcome
from .scheduler import Limits as JobLimits
from .sources import Sources
from .spool import Spool
from .subrequests import Pipeline


def run_job(cluster: Cluster, job: str, request: JobRequest, pipeline: Pipeline, environ: Mapping[str, Any]) -> Any:
    """Run a job whose execution has been authorized; its response. Raises JobError and ClientGone."""
    started = time.monotonic()
    settings = cluster.settings
    planned = plan_request(cluster, job, request, pipeline)
    spool = Spool(settings.spool_memory, settings.spool_directory, settings.network_chunk_size, settings.spool_maximum)
    try:
        return _run(cluster, job, request, pipeline, environ, planned, spool, started)
    except BaseException:
        spool.close()
        raise


def _run(
    cluster: Cluster,
    job: str,
    request: JobRequest,
    pipeline: Pipeline,
    environ: Mapping[str, Any],
    planned: Planned,
    spool: Spool,
    started: float,
) -> Any:
    settings, laid_out, placer = cluster.settings, planned.outline, planned.placer
    sources = Sources(pipeline, spool, cluster.programs, settings.node_timeout, settings.newest, settings.maximum_input)
    for work in laid_out.works.values():
        for _, need in work.inputs(push=True):  # what turns out to lie nowhere as a file is brought, too
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


__all__ = ["run_job"]
