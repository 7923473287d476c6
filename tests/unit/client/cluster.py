"""A small cluster of a test's own, that answers as section 19 of the HTTP API says."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from tests.unit.client.transport import Told, Transport, connection


class Cluster:
    """Jobs, each with the states that it shows one after another; and what they have left."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[dict]] = {}
        self.objects: dict[str, bytes] = {}
        self.events: dict[str, list[bytes | Exception]] = {}
        self.transport = Transport(self.answer)
        self.cloud = connection(self.transport)

    def add(self, job: str, *states: str, **more):
        """A job that is in each state once, and stays in the last."""
        self.jobs[job] = [{"id": job, "state": state, "nodes": 1, **more} for state in states]
        return self.cloud.job(job)

    def look(self, job: str) -> dict:
        shown = self.jobs[job]
        return shown.pop(0) if len(shown) > 1 else shown[0]

    def answer(self, request):
        parts = urlsplit(request.url)
        query = parse_qs(parts.query, keep_blank_values=True)
        if request.method == "POST":
            self.add("new", "running", "succeeded", status=200)
            return Told(200, b"swift://AUTH_x/.zvm/jobs/new/result", {"X-Zerovm-Job": "new"})
        if query.get("zerovm") == ["jobs"]:
            return self.listing(query)
        if query.get("zerovm") == ["job"]:
            return self.job(request, query)
        name = parts.path.removeprefix("/v1/AUTH_x")
        return Told(200, self.objects[name]) if name in self.objects else Told(404)

    def listing(self, query):
        names = sorted(self.jobs, reverse=True)
        if "marker" in query:
            names = [name for name in names if name < query["marker"][0]]
        page = names[: int(query["limit"][0])]
        shown = [self.look(name) for name in page]
        return told({"jobs": shown, "next": page[-1] if len(names) > len(page) else None})

    def job(self, request, query):
        job = query["id"][0]
        if job not in self.jobs:
            return Told(404, b"There is no job")
        if "events" in query:
            event = self.events[job].pop(0)
            return event if isinstance(event, Exception) else Told(200, event)
        shown = self.look(job)
        if request.method == "DELETE" and shown["state"] not in ("queued", "running"):
            return Told(409, b"It had ended before")
        return told(shown)


def told(value):
    return Told(200, json.dumps(value).encode(), {"Content-Type": "application/json"})
