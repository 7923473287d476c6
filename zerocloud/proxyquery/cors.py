"""Lets pages of other origins read what zapps answer, as far as their containers allow (HTTP API, section 4).

Source: the Fetch standard, section 3.2.

The containers' settings are Swift's: ``X-Container-Meta-Access-Control-Allow-Origin`` and ``-Expose-Headers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swift.common.swob import str_to_wsgi, wsgi_to_str

ALLOW, EXPOSE = "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"
ALWAYS_EXPOSED = ("cache-control", "content-type", "etag", "expires", "last-modified", "x-trans-id", "x-zerovm-job")
ANY = "*"


def allow(response: Any, origin: str, settings: Mapping[str, Any]) -> None:
    """Add the headers that let a page of ``origin`` read a response; none if its container does not allow it.

    ``settings`` are the container's, as Swift's ``get_container_info`` has them under ``cors``.
    """
    allowed = wsgi_to_str(settings.get("allow_origin") or "").split()
    if ANY not in allowed and origin not in allowed:
        return
    response.headers[ALLOW] = ANY if allowed == [ANY] else str_to_wsgi(origin)
    if allowed != [ANY]:
        vary = response.headers.get("Vary")
        response.headers["Vary"] = f"{vary}, Origin" if vary else "Origin"
    ours = (name.lower() for name in response.headers if name.lower().startswith("x-nexe-"))
    asked = wsgi_to_str(settings.get("expose_headers") or "").lower().split()
    response.headers[EXPOSE] = str_to_wsgi(", ".join(sorted({*ALWAYS_EXPOSED, *ours, *asked})))


def preflight_path(account: str, container: str) -> str:
    """Where Swift answers whether a page may ask for an address of a container: a path for the environment of a request."""
    path: str = str_to_wsgi(f"/v1/{account}/{container}")
    return path


__all__ = ["allow", "preflight_path"]
