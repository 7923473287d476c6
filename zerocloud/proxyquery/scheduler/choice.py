"""Which server a session is offered to next: principle 1 of the scheduler, as one pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from .model import Record, Server


def choose(
    record: Record, load: Counter[str], troubled: Counter[str], taken: Collection[str], preferred: str | None
) -> Server | None:
    """The best server that the session has not been refused by in this round, or None if there is none left.

    ``load`` counts this job's sessions on each host, ``troubled`` this job's failures on each server, ``taken`` are the hosts
    of the node's other copies, ``preferred`` names the server of its location. Spares are looked at only when every primary
    is out of the question for good: one that is merely busy is worth waiting for, because it has the object.
    """
    if any(server.name not in record.excluded for server in record.session.servers):
        return _best(record, record.session.servers, load, troubled, taken, preferred)
    if record.spares is None:
        record.spares = record.session.spares()
    return _best(record, record.spares, load, troubled, taken, preferred)


def _best(
    record: Record,
    servers: Iterable[Server],
    load: Counter[str],
    troubled: Counter[str],
    taken: Collection[str],
    preferred: str | None,
) -> Server | None:
    """The first of the lowest rank."""
    refused = record.excluded.keys() | record.busy
    return min(
        (server for server in servers if server.name not in refused),
        key=lambda server: (
            server.host in taken,
            server.name != preferred,
            server.tier,
            troubled[server.name],
            load[server.host],
        ),
        default=None,
    )
