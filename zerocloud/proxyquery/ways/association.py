"""File association: an object is opened by the program that its account has registered for its type (HTTP API, section 5).

The template is a system map in ``.zvm/<content type>/config``. Its placeholders ``{.name}`` and ``{.name=default}`` are filled
in from the request's query. A value never changes the map's structure: within a string it is escaped, and elsewhere it must be
a number, ``true``, ``false`` or ``null``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from swift.common.swob import wsgi_to_str

from zerocloud.sysmap import SwiftPath

from ..errors import JobError, SourceError
from ..request import JobRequest
from .door import Door

TEMPLATES = ".zvm"
PROGRAMS = frozenset(("application/x-nexe", "application/wasm"))
OBJECT_PATH = "object_path"

DEFAULT = """[{"name": "executable",
  "exec": {"path": "{.object_path}", "args": "{.args}"},
  "devices": [{"name": "stdout", "content_type": "{.content_type=text/plain}"}, {"name": "stderr"}]}]"""
"""How a program without a template is run."""

_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|\{\.[^}]*\}', re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\.([^}=]*)(?:=([^}]*))?\}")
_SCALAR = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,15})?|true|false|null")
_MOST_FIELDS = 1000


def associated(door: Door, path: SwiftPath, kind: str, registered: str | None) -> JobRequest:
    """The job that opens an object, by the template that is ``registered`` for its content type.

    Raises JobError: 404 if there is none, and the object is no program.
    """
    if registered is None and kind not in PROGRAMS:
        raise JobError(404, f"No application registered for {kind}")
    query = wsgi_to_str(str(door.environ.get("QUERY_STRING", "")))
    try:
        values = dict(reversed(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)))
    except ValueError as error:
        raise JobError(400, f"The query has more than {_MOST_FIELDS} fields") from error
    values[OBJECT_PATH] = "swift://" + "/".join(quote(part) for part in (path.account, path.container, path.object))
    return door.job(door.parse(substitute(registered if registered is not None else DEFAULT, values).encode()))


def substitute(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders filled in: by ``values``, else by their defaults, else by nothing.

    Raises JobError (400) for a value that can't stand where it is wanted.
    """

    def fill(part: re.Match[str]) -> str:
        text = part.group()
        if text.startswith('"'):
            return _PLACEHOLDER.sub(lambda found: _in_string(found, values), text)
        found = _PLACEHOLDER.fullmatch(text)
        return text if found is None else _bare(found, values)

    return _PARTS.sub(fill, template)


def _in_string(found: re.Match[str], values: Mapping[str, str]) -> str:
    name, default = found.groups()
    return json.dumps(values[name])[1:-1] if name in values else default or ""


def _bare(found: re.Match[str], values: Mapping[str, str]) -> str:
    name, default = found.groups()
    if name not in values:
        return default or ""
    if not _SCALAR.fullmatch(values[name]):
        raise JobError(400, f"The parameter {name[:80]} must be a number, true, false or null here")
    return values[name]


def template(door: Door, kind: str) -> str | None:
    """The account's template for a type. Raises JobError (413, or the status of what went wrong)."""
    path = SwiftPath(door.account, TEMPLATES, f"{kind}/config")
    fetched = door.pipeline.get(path)
    if fetched.status == 404:
        fetched.close()
        return None
    if fetched.status != 200:
        fetched.close()
        raise SourceError.refused(fetched.status, path)
    if (fetched.length or 0) > door.settings.maximum_map:
        fetched.close()
        raise JobError(413, f"Config file at {path.path} is too large: the limit is {door.settings.maximum_map} bytes")
    kept = door.intake.fetched(fetched, path.path, door.settings.maximum_map)
    return kept.head(kept.size).decode("utf-8", "replace")
