"""From a request to what is to run where: the map planned, every right asked for, every node placed.

Running a job and explaining it begin alike, here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

from zerocloud.sysmap import Context, Limits, ListingError, Node, Plan, SwiftPath, SystemMapError, plan_job

from .access import authorize_nodes
from .cluster import Cluster
from .errors import JobError, MapError
from .listing import PipelineListing
from .outline import Outline, outline
from .placement import Place, Placer
from .request import JobRequest
from .segments import Segments
from .settings import Settings
from .subrequests import Pipeline


@dataclass(frozen=True)
class Planned:
    """A job that could be run. ``placer`` knows the devices of the servers that the outline names."""

    plan: Plan
    outline: Outline
    placer: Placer


def map_limits(settings: Settings) -> Limits:
    """What a job's map may ask for (system map, section 11)."""
    return Limits(
        reads=settings.maximum_operations,
        rbytes=settings.maximum_input,
        writes=settings.maximum_operations,
        wbytes=settings.maximum_output,
        maxnodes=settings.maximum_nodes,
        maxconnections=settings.maximum_connections,
        maxmemory=settings.maximum_memory,
        maxretries=settings.maximum_retries,
        maxtimeout=settings.maximum_timeout,
    )


def plan_request(cluster: Cluster, job: str, request: JobRequest, pipeline: Pipeline) -> Planned:
    """Plan a job whose execution has been authorized, and place its nodes. Raises JobError."""
    settings = cluster.settings
    policy_of = _policies(pipeline)
    placer = Placer(settings.swift_dir, cluster.policies, cluster.limits, SystemRandom(), settings.show_servers)
    segments = Segments(pipeline)
    plan = _plan(settings, job, request, pipeline, placer, policy_of, segments)
    authorize_nodes(pipeline, plan.nodes)

    def place(node: Node) -> Place:
        return placer.place(node, policy_of, segments.under(node))

    networked = settings.network_type == "tcp"
    laid_out = outline(plan, place, request.environment, request.timeout, settings.hold, networked)
    return Planned(plan, laid_out, placer)


def _plan(
    settings: Settings,
    job: str,
    request: JobRequest,
    pipeline: Pipeline,
    placer: Placer,
    policy_of: Callable[[SwiftPath], int],
    segments: Segments,
) -> Plan:
    """Raises JobError (400)."""
    context = Context(
        account=request.account,
        listing=PipelineListing(pipeline),
        size_of=segments.size_of,
        segments_of=segments.sizes,
        affinity=placer.affinity(policy_of),
        limits=map_limits(settings),
        image=request.brought.image is not None,
        ignore_replication=settings.ignore_replication,
        network="opaque" if settings.network_type == "opaque" else "tcp",
        job=job,
        default_content_type=settings.default_content_type,
        system_images=frozenset(settings.system_images),
        slots=min(settings.maximum_nodes, settings.host_slots * placer.hosts()),
    )
    try:
        return plan_job(request.document, context)
    except SystemMapError as error:
        raise MapError(400, error) from error
    except ListingError as error:
        raise JobError(400, str(error)) from error


def _policies(pipeline: Pipeline) -> Callable[[SwiftPath], int]:
    """Tells the storage policy of an object's container; each container is asked for once."""
    known: dict[tuple[str, str], int] = {}

    def policy_of(path: SwiftPath) -> int:
        key = (path.account, path.container)
        if key not in known:
            known[key] = int(pipeline.container_info(path)["storage_policy"])
        return known[key]

    return policy_of
