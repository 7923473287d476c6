"""Fills in the templates of a zapp's page. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import simplejson

SUFFIX = ".tmpl"
FIELD = re.compile(rb"\{\{ *(\w+) *\}\}")


def rendered(template: bytes, zapp: Mapping[str, Any], credentials: Mapping[str, str]) -> bytes:
    """A template with ``{{ auth_opts }}`` and ``{{ zapp }}`` as JSON that is safe inside a script, and ``{{ name }}`` as
    HTML. Other fields stay as they are."""
    values = {
        b"auth_opts": script_json(credentials),
        b"zapp": script_json(zapp),
        b"name": escape(str(zapp["meta"]["name"])).encode(),
    }
    return FIELD.sub(lambda found: values.get(found[1], found[0]), template)


def script_json(value: Any) -> bytes:
    """JSON that neither ends a script element nor a line of it."""
    text: str = simplejson.dumps(value, default=str)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
