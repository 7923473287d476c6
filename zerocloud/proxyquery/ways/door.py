"""What every way in works with: one request, taken apart, and what may be asked of the cluster for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zerocloud.sysmap import Limits, SystemMapSyntaxError, parse_document

from ..environment import request_environment
from ..errors import MapError
from ..intake import Brought, Content, Intake, Kept
from ..request import PAYLOAD, JobRequest
from ..settings import Settings
from ..subrequests import Pipeline
from ..zapps import Zapps

JSON = "application/json"
GZIP = "application/x-gzip"
OPEN_DEVICES = frozenset(("stdin", "input", "script"))
TAR_TYPES = frozenset(("application/x-tar", "application/x-gtar", "application/x-ustar", GZIP))


@dataclass(frozen=True)
class Door:
    """One request for a job. Names are native strings, empty where the path has none; ``timeout`` is in seconds."""

    environ: dict[str, Any]
    method: str
    account: str
    container: str
    object: str
    settings: Settings
    limits: Limits
    pipeline: Pipeline
    intake: Intake
    zapps: Zapps
    timeout: float

    def job(
        self,
        document: Any,
        image: Content | None = None,
        compressed: bool = False,
        payload: Kept | None = None,
        name: str = "",
    ) -> JobRequest:
        """The job request of what was found; ``name`` is that of the image, if it has one."""
        brought = Brought(self.intake, image, compressed, payload, name)
        return JobRequest(self.account, document, request_environment(self.environ), self.timeout, brought)

    def parse(self, text: bytes) -> Any:
        """The JSON value of a map. Raises MapError (422)."""
        try:
            return parse_document(text, self.limits)
        except SystemMapSyntaxError as error:
            raise MapError(422, error) from error

    def payload(self, document: Any) -> Kept | None:
        """The client's body, for a map with devices that read it; None if there is none or nobody wants it. Raises JobError."""
        if not wants_payload(document):
            return None
        sent = self.environ.get("CONTENT_LENGTH") or ""
        chunked = "chunked" in self.environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked or (sent.isdigit() and int(sent)):
            return self.intake.body(self.environ)
        return self.handed_over(document)

    def handed_over(self, document: Any) -> Kept | None:
        """What the job before, in a chain, has left of its client's body; None if there is none or nobody wants it."""
        left = self.environ.get(PAYLOAD)
        if left is None or not left.remaining or not wants_payload(document):
            return None
        return self.intake.read(left, left.remaining)


def open_devices(document: Any) -> Iterator[Any]:
    """The devices of a map that read what the request brings, since they have no path. What is wrong in it is passed over."""
    for group in document if isinstance(document, list) else ():
        devices = group.get("file_list", group.get("devices")) if isinstance(group, dict) else None
        for device in devices if isinstance(devices, list) else ():
            if isinstance(device, dict) and not device.get("path") and device.get("device", device.get("name")) in OPEN_DEVICES:
                yield device


def wants_payload(document: Any) -> bool:
    """Whether a map has any of them."""
    return next(open_devices(document), None) is not None


def plain_type(header: str | None) -> str:
    """A content type without its parameters, in small letters."""
    return (header or "").partition(";")[0].strip().lower()
