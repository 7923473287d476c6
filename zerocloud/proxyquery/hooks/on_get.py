"""Reading through a zapp: a GET of an object is answered with what the zapp makes of it.

The answer is whole before it is sent, so its length, its digest and every part of it are known: HEAD, ranges and conditions
are about what the client gets, not about the object that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from swift.common.swob import wsgi_to_str
from swift.common.utils import config_true_value

from zerocloud.sysmap import SwiftPath

from ..access import authorize_execution
from ..errors import JobError, Refused
from ..reply import serve_parts
from ..subrequests import Pipeline
from .hook import Hook

RAW = "X-Zerovm-Raw"


def read_through(
    request: Any, hook: Hook, info: Mapping[str, Any], pipeline: Pipeline, run: Callable[[dict[str, Any], Hook], Any]
) -> Any:
    """The response of the zapp; None if the account's owner wants the object as it is. Raises JobError, Refused, ClientGone."""
    if config_true_value(request.headers.get(RAW)):
        authorize_execution(pipeline, request.environ, SwiftPath(hook.object.account))
        return None
    if "version-id" in request.params:
        raise JobError(
            501, f"Objects of container {hook.object.container} are read through a zapp, which reads the current version"
        )
    denied = pipeline.authorize(request.method, hook.object, wsgi_to_str(info["read_acl"] or ""))
    if denied is not None:
        raise Refused(denied)
    response = run(request.environ, hook)
    response.request = request
    serve_parts(response)
    return response
