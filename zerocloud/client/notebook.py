"""Shows a job in a notebook while it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import pages
from .errors import ClientError

if TYPE_CHECKING:
    from .jobs import Job

PAUSE = 0.2
"""Seconds between two pictures: a large job has many events."""


class Picture:
    """A job as it is shown: notebooks ask for ``_repr_html_``."""

    def __init__(self, job: str) -> None:
        self._head: Mapping[str, Any] = {"id": job, "state": "queued"}
        self._rows: dict[Any, Mapping[str, Any]] = {}

    def add(self, name: str, data: Mapping[str, Any]) -> None:
        """Take an event in."""
        if name == "node":
            self._rows[data.get("id")] = data
        else:
            self._head = data

    def _repr_html_(self) -> str:
        return pages.job({**self._head, "table": list(self._rows.values())})


def show(job: Job) -> None:
    """Show a job until it ends. Raises ClientError, also where there is no notebook."""
    try:
        from IPython.display import display
    except ImportError as error:
        raise ClientError("There is no notebook here: use job.events()") from error
    picture = Picture(job.id)
    handle = display(picture, display_id=True)
    shown = time.monotonic()
    for event in job.events():
        picture.add(event.name, event.data)
        if time.monotonic() - shown > PAUSE or event.name == "end":
            handle.update(picture)
            shown = time.monotonic()
