"""What a hook is: an event, the zapp that a container names for it, and the object that it happens to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

from swift.common.swob import wsgi_to_str

from zerocloud.sysmap import SwiftPath, UrlError, parse_swift_url

from ..errors import JobError
from ..subrequests import CHAIN

HIDDEN = "."
"""Containers whose names begin so belong to tools, this one included: they have no hooks."""


class Event(Enum):
    """What happens to an object; the value is the key of the container's metadata, ``X-Container-Meta-…``."""

    ON_GET = "zerovm-on-get"
    ON_PUT = "zerovm-on-put"
    AFTER_PUT = "zerovm-after-put"


@dataclass(frozen=True)
class Hook:
    """A zapp that is to be run for an object."""

    event: Event
    zapp: SwiftPath
    object: SwiftPath

    @property
    def url(self) -> str:
        """The object's URL, as a system map has it."""
        return "swift://" + "/".join(quote(name) for name in (self.object.account, self.object.container, self.object.object))

    @property
    def label(self) -> str:
        """What is the same when a loop of hooks comes round."""
        return f"{self.event.value} of {SwiftPath(self.object.account, self.object.container).path}"

    def chained(self, environ: Mapping[str, Any]) -> tuple[str, ...]:
        """The hooks that led to this one, and itself. Raises JobError (409) if it has been among them."""
        chain: tuple[str, ...] = environ.get(CHAIN, ())
        if self.label in chain:
            raise JobError(409, f"A loop of hooks is cut: {self.label} comes round again")
        return (*chain, self.label)


def hook_of(meta: Mapping[str, str], event: Event, path: SwiftPath) -> Hook | None:
    """The hook that a container's metadata (WSGI strings) has for an event. Raises JobError (500) if it is none."""
    url = wsgi_to_str(meta.get(event.value, ""))
    if not url:
        return None
    try:
        zapp = parse_swift_url(url, path.account)
    except UrlError as error:
        raise JobError(500, f"X-Container-Meta-{event.value.title()} of container {path.container}: {error}") from error
    if not zapp.object:
        raise JobError(500, f"X-Container-Meta-{event.value.title()} of container {path.container} names no object: {url}")
    return Hook(event, zapp, path)
