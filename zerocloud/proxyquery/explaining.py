"""What a job would do, told instead of done: ``X-Zerovm-Execute: explain/1.0`` (HTTP API, section 18).

It is a request to run in everything up to running: the same way in, the same plan, the same rights, the same places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import simplejson
from swift.common.swob import Request, Response
from swift.common.utils import ContextPool

from zerocloud.sysmap import Explanation, Facts, Placement, Plan, SwiftPath, explain, graphviz, mermaid, table, unsized

from .accept import JSON, TEXT, best_type
from .cluster import Cluster
from .outline import Outline
from .planning import map_limits, plan_request
from .request import JobRequest
from .subrequests import Pipeline

EXPLAIN = "explain/1.0"
MERMAID, GRAPHVIZ = "text/vnd.mermaid", "text/vnd.graphviz"
MOST_LOOKED_UP = 200
"""Objects whose sizes are asked for one by one; those of listings are known."""
LOOKUPS_AT_ONCE = 8


def explain_job(cluster: Cluster, job: str, asked: JobRequest, pipeline: Pipeline, request: Request) -> Response:
    """The explanation, in the form that the client prefers. Raises JobError."""
    asked.brought.close()  # that it was there is all that a plan needs
    planned = plan_request(cluster, job, asked, pipeline)
    facts = Facts(
        placements=_placements(planned.outline),
        sizes=_sizes(pipeline, unsized(planned.plan)),
        limits=map_limits(cluster.settings),
    )
    told = explain(planned.plan, facts)
    form = best_type(request, FORMS)
    response = Response(body=FORMS[form](planned.plan, told).encode("utf-8", "replace"), content_type=form, request=request)
    response.charset = "utf-8"
    return response


def _as_json(plan: Plan, told: Explanation) -> str:
    drawings = {"mermaid": mermaid(plan), "graphviz": graphviz(plan)}
    text: str = simplejson.dumps({**told.to_value(), "drawings": drawings})
    return text


FORMS: Mapping[str, Callable[[Plan, Explanation], str]] = {
    TEXT: lambda _, told: table(told),
    JSON: _as_json,
    MERMAID: lambda plan, _: mermaid(plan),
    GRAPHVIZ: lambda plan, _: graphviz(plan),
}
"""The forms of an explanation by their media types, the one for who accepts anything first."""


def _placements(outline: Outline) -> dict[int, Placement]:
    """Where the nodes would be: their servers, those that have failed lately last."""
    found = {}
    for work in outline.works.values():
        servers = sorted(work.place.servers, key=lambda server: server.tier)  # sorted keeps the turns within a tier
        found[work.node.id] = Placement(tuple(server.name for server in servers), work.place.remark)
    return found


def _sizes(pipeline: Pipeline, paths: Iterable[SwiftPath]) -> dict[SwiftPath, int]:
    """The sizes of objects that can be read; what can't is for the run to complain of."""

    def look_up(path: SwiftPath) -> tuple[SwiftPath, int | None]:
        fetched = pipeline.head(path)
        return path, fetched.length if fetched.status == 200 else None

    wanted = islice(sorted(paths, key=lambda path: path.path), MOST_LOOKED_UP)
    with ContextPool(LOOKUPS_AT_ONCE) as pool:
        return {path: size for path, size in pool.imap(look_up, wanted) if size is not None}


__all__ = ["EXPLAIN", "explain_job"]
