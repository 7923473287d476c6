"""Writing through a zapp: what it makes of the client's bytes is what is stored, and nothing if it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from swift.common.swob import Request, wsgi_to_str
from swift.common.utils import FileLikeIter, close_if_possible

from ..errors import JobError, Refused
from ..report_headers import JOB
from ..subrequests import Pipeline
from .hook import Hook

BY_REFERENCE = ("HTTP_X_COPY_FROM", "HTTP_X_SYMLINK_TARGET", "HTTP_X_OBJECT_MANIFEST")
"""Headers of a PUT whose bytes are not those of the object."""
OF_THE_BYTES = ("HTTP_ETAG", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_CONTENT_ENCODING")
"""Headers about what the client sent, which is not what is stored."""
META = "x-object-meta-"


def write_through(
    request: Any,
    hook: Hook,
    info: Mapping[str, Any],
    pipeline: Pipeline,
    run: Callable[[dict[str, Any], Hook], Any],
    put: Callable[[Any], Any],
) -> Any:
    """The response of the PUT of what the zapp made, or of the zapp if it failed. Raises JobError, Refused, ClientGone."""
    if any(key in request.environ for key in BY_REFERENCE) or "multipart-manifest" in request.params:
        raise JobError(
            501, f"Container {hook.object.container} stores what its zapp makes of the bytes: send these, no reference"
        )
    denied = pipeline.authorize("PUT", hook.object, wsgi_to_str(info["write_acl"] or ""))
    if denied is not None:
        raise Refused(denied)
    response = run(request.environ, hook)
    if not 200 <= response.status_int < 300:
        return response
    try:
        stored = put(Request(_environ(request.environ, response)))
    finally:
        close_if_possible(response.app_iter)
    stored.headers[JOB] = response.headers[JOB]
    return stored


def _environ(asked: Mapping[str, Any], made: Any) -> dict[str, Any]:
    """The client's PUT with the zapp's bytes, type and metadata in place of its own."""
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in made.headers.items() if _is_meta(name)}
    return {
        **{key: value for key, value in asked.items() if key not in OF_THE_BYTES},
        **meta,
        "wsgi.input": FileLikeIter(made.app_iter),
        "CONTENT_LENGTH": str(made.content_length),
        "CONTENT_TYPE": made.headers["Content-Type"],
    }


def _is_meta(name: str) -> bool:
    return name.lower().startswith(META)
