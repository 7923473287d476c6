"""What every way in works with: one request, taken apart, and what may be asked of the cluster for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zerocloud.sysmap import Limits, SystemMapSyntaxError, parse_document

from ..environment import request_environment
from ..errors import MapError
from ..intake import Brought, Intake, Kept
from ..request import JobRequest
from ..settings import Settings
from ..subrequests import Pipeline

JSON = "application/json"
GZIP = "application/x-gzip"
TAR_TYPES = frozenset(("application/x-tar", "application/x-gtar", "application/x-ustar", GZIP))


@dataclass(frozen=True)
class Door:
    """One request for a job. Names are native strings, empty where the path has none; ``timeout`` is in seconds."""

    environ: Mapping[str, Any]
    method: str
    account: str
    container: str
    object: str
    settings: Settings
    limits: Limits
    pipeline: Pipeline
    intake: Intake
    timeout: float

    def job(
        self, document: Any, image: Kept | None = None, compressed: bool = False, payload: Kept | None = None
    ) -> JobRequest:
        """The job request of what was found."""
        brought = Brought(self.intake, image, compressed, payload)
        return JobRequest(self.account, document, request_environment(self.environ), self.timeout, brought)

    def parse(self, text: bytes) -> Any:
        """The JSON value of a map. Raises MapError (422)."""
        try:
            return parse_document(text, self.limits)
        except SystemMapSyntaxError as error:
            raise MapError(422, error) from error

    def payload(self) -> Kept | None:
        """The client's body, for nodes that read a device without a path; None if there is none. Raises JobError."""
        sent = self.environ.get("CONTENT_LENGTH") or ""
        chunked = "chunked" in self.environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        return self.intake.body(self.environ) if chunked or (sent.isdigit() and int(sent)) else None


def plain_type(header: str | None) -> str:
    """A content type without its parameters, in small letters."""
    return (header or "").partition(";")[0].strip().lower()
