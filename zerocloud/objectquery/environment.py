"""What a program learns of the object it was placed at, as CGI variables (executing server, section 7). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from swift.common.swob import wsgi_to_str

from zerocloud.objectquery.binding import Backing, Bound

_TOLD = ("x-timestamp", "etag", "content-encoding")
_USER = "x-object-meta-"


def local_environment(bound: tuple[Bound, ...], path: str, size: int, metadata: Mapping[str, str]) -> dict[str, str]:
    """The variables for the device that is bound to the local object, if there is one; else none.

    ``metadata`` is the object's, as the disk file has it (WSGI strings), ``size`` its length in bytes.
    """
    for one in bound:
        if one.backing is Backing.LOCAL_OBJECT:
            return _common(one, path) | _readable(size, metadata)
        if one.backing is Backing.OUTPUT and one.channel.path == f"swift:/{path}":
            return _common(one, path) | _writable(one)
    return {}


def _common(one: Bound, path: str) -> dict[str, str]:
    return {"LOCAL_DOCUMENT_ROOT": f"/dev/{one.channel.device}", "LOCAL_OBJECT": "on", "LOCAL_PATH_INFO": path}


def _readable(size: int, metadata: Mapping[str, str]) -> dict[str, str]:
    variables = {"LOCAL_CONTENT_LENGTH": str(size)}
    for name, value in metadata.items():
        if name.lower() == "content-type":
            variables["LOCAL_CONTENT_TYPE"] = wsgi_to_str(value)
        elif name.lower() in _TOLD or name.lower().startswith(_USER):
            variables[f"LOCAL_HTTP_{_variable(wsgi_to_str(name))}"] = wsgi_to_str(value)
    return variables


def _writable(one: Bound) -> dict[str, str]:
    variables = {f"LOCAL_HTTP_X_OBJECT_META_{_variable(name)}": value for name, value in one.channel.meta.items()}
    if one.channel.content_type:
        variables["LOCAL_CONTENT_TYPE"] = one.channel.content_type
    return variables


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
