"""Listings for wildcards: read through the pipeline, with the caller's rights, page by page (system map, section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import simplejson

from zerocloud.sysmap import ListingError, ObjectEntry, SwiftPath

from .subrequests import Pipeline

PAGE = 10000


class PipelineListing:
    """What is stored, as far as the caller may list it."""

    def __init__(self, pipeline: Pipeline, page: int = PAGE) -> None:
        self._pipeline = pipeline
        self._page = page

    def containers(self, account: str) -> Iterator[str]:
        """The names of an account's containers. Raises ListingError."""
        for entry in self.entries(SwiftPath(account)):
            yield entry["name"]

    def objects(self, account: str, container: str, prefix: str) -> Iterator[ObjectEntry]:
        """The objects of a container whose names begin with ``prefix``. Raises ListingError."""
        for entry in self.entries(SwiftPath(account, container), prefix):
            if "name" in entry:
                yield ObjectEntry(entry["name"], int(entry["bytes"]))

    def entries(self, path: SwiftPath, prefix: str = "") -> Iterator[dict[str, Any]]:
        """The lines of a listing, as Swift's JSON has them. Raises ListingError."""
        marker = ""
        while True:
            query = {"format": "json", "limit": str(self._page), "prefix": prefix, "marker": marker}
            entries = self._one_page(path, urlencode({name: value for name, value in query.items() if value}))
            yield from entries
            if len(entries) < self._page:
                return
            marker = entries[-1]["name"]

    def _one_page(self, path: SwiftPath, query: str) -> list[dict[str, Any]]:
        fetched = self._pipeline.get(path, query)
        if fetched.status == 204:
            fetched.close()
            return []
        if fetched.status != 200:
            fetched.close()
            raise ListingError(f"status {fetched.status}")
        entries: list[dict[str, Any]] = simplejson.loads(b"".join(fetched.chunks()))
        return entries
