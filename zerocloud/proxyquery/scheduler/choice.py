"""Which server a session is offered to next, by what this job has seen of the servers: principle 1 of the scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from .model import Record, Server


class Servers:
    """What one job knows of the servers: how many of its sessions each host has, where it has failed, where locations are."""

    def __init__(self) -> None:
        self._load: Counter[str] = Counter()
        self._troubled: Counter[str] = Counter()
        self._locations: dict[str, str] = {}

    def choose(self, record: Record, taken: Collection[str]) -> Server | None:
        """The best server that the session has not been refused by in this round, or None if there is none left.

        ``taken`` are the hosts of the node's other copies. Spares are looked at only when every primary is out of the question
        for good: one that is merely busy is worth waiting for, because it has the object.
        """
        servers = record.session.servers
        if all(server.name in record.excluded for server in servers):
            if record.spares is None:
                record.spares = record.session.spares()
            servers = record.spares
        found = self._best(record, servers, taken)
        if found and record.session.location:
            self._locations.setdefault(record.session.location, found.name)
        return found

    def count(self, server: Server, change: int) -> None:
        """So many sessions more, or fewer, are under way there."""
        self._load[server.host] += change

    def failed(self, server: Server) -> None:
        """Something went wrong there: other sessions ask it last."""
        self._troubled[server.name] += 1

    def leave(self, record: Record, server: Server) -> None:
        """The session does not come back there: its location is elsewhere from now on."""
        if self._locations.get(record.session.location) == server.name:
            del self._locations[record.session.location]

    def _best(self, record: Record, servers: Iterable[Server], taken: Collection[str]) -> Server | None:
        """The first of the lowest rank."""
        refused = record.excluded.keys() | record.busy
        preferred = self._locations.get(record.session.location)
        return min(
            (server for server in servers if server.name not in refused),
            key=lambda server: (
                server.host in taken,
                server.name != preferred,
                server.tier,
                self._troubled[server.name],
                self._load[server.host],
            ),
            default=None,
        )
