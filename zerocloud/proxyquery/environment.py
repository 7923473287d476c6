"""The guest's environment: what CGI/1.1 (RFC 3875) tells of the client's request (HTTP API, section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from swift.common.swob import wsgi_to_str

from zerocloud.attached import output_variables, sayable
from zerocloud.sysmap import Access, Node, SwiftPath

WITHHELD = (
    "x-account-sysmeta-",
    "x-container-sysmeta-",
    "x-object-sysmeta-",
    "x-object-transient-sysmeta-",
    "x-backend",
    "x-auth",
    "x-service-token",
    "authorization",
    "content-type",
    "content-length",
    "x-storage-token",
    "cookie",
)
"""Beginnings of the names of headers that no guest sees: credentials, and what Swift's servers tell each other."""


def request_environment(environ: Mapping[str, Any]) -> dict[str, str]:
    """What all nodes of the job are told of the request. Empty values are left out."""
    path = _text(environ.get("PATH_INFO", ""))
    query = _text(environ.get("QUERY_STRING", ""))
    host, _, port = _text(environ.get("HTTP_HOST", "")).rpartition(":")
    if not port.isdigit():
        host, port = f"{host}:{port}" if host else port, "80"
    found = {
        "REQUEST_METHOD": _text(environ.get("REQUEST_METHOD", "")),
        "REMOTE_USER": _text(remote_user(environ)).split(",")[0],
        "QUERY_STRING": query,
        "PATH_INFO": "/" + path.lstrip("/").partition("/")[2],
        "REQUEST_URI": quote(path) + (f"?{query}" if query else ""),
        "SERVER_PROTOCOL": _text(environ.get("SERVER_PROTOCOL", "")),
        "SERVER_SOFTWARE": "zerocloud",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
    }
    found |= sayable(dict(_headers(environ)))
    return {name: value for name, value in found.items() if value}


def remote_user(environ: Mapping[str, Any]) -> str:
    """Who asks, as the authentication tells it, in WSGI's form: TempAuth's groups, or Keystone's name of the user."""
    user = environ.get("REMOTE_USER", "")
    return user if isinstance(user, str) else str(environ.get("HTTP_X_USER_NAME", ""))  # keystoneauth has its project there


def node_environment(request: Mapping[str, str], node: Node) -> dict[str, str]:
    """What one node is told: of the object that it writes and is attached to, its map's ``env``, and above them the request."""
    script = {"SCRIPT_NAME": node.exe_name or node.name, "SCRIPT_FILENAME": node.exe.url}
    return {**_written_object(node), **node.env, **script, **request}


def _written_object(node: Node) -> dict[str, str]:
    for channel in node.channels if node.access == "PUT" else ():
        if channel.access & Access.WRITABLE and isinstance(channel.path, SwiftPath) and channel.path.path == node.path_info:
            return output_variables(channel.device, node.path_info, channel.content_type, channel.meta)
    return {}


def _headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        # Keystone's middleware leaves None in headers of what a token does not tell, such as a domain.
        if key.startswith("HTTP_") and isinstance(value, str) and not key[5:].lower().replace("_", "-").startswith(WITHHELD):
            yield _text(key), _text(value)


def _text(value: str) -> str:
    """A WSGI string as a native one; bytes that are not UTF-8 become U+FFFD."""
    native: str = wsgi_to_str(value)
    return native.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
