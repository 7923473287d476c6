"""What a program learns of the object that its node is attached to, as CGI variables (executing server, section 7). Pure.

A storage server tells of what it opens itself, the proxy of what it sends along, and of what it will store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PATH = "LOCAL_PATH_INFO"
"""Which object it is."""
_TOLD = ("x-timestamp", "etag", "content-encoding")
_USER = "x-object-meta-"
_SAYABLE = re.compile(r"[^\s\0=,#]+")


def sayable(variables: Mapping[str, str]) -> dict[str, str]:
    """Those that a guest's configuration can say: not all that HTTP allows in a header's name, such as ``#``, can be in one.

    Who may write objects must not be able to make the jobs of others fail by what they call their metadata.
    """
    return {name: value for name, value in variables.items() if _SAYABLE.fullmatch(name) and "\0" not in value}


def input_variables(device: str, path: str, size: int, metadata: Mapping[str, str]) -> dict[str, str]:
    """Those of an object that is read: ``/account/container/object``, of ``size`` bytes.

    ``metadata`` is what Swift keeps with it, or the headers of an answer that has it; names in any case, native strings.
    """
    variables = {**_common(device, path), "LOCAL_CONTENT_LENGTH": str(size)}
    for name, value in metadata.items():
        known = name.lower()
        if known == "content-type":
            variables["LOCAL_CONTENT_TYPE"] = value
        elif known in _TOLD or known.startswith(_USER):
            variables[f"LOCAL_HTTP_{_variable(name)}"] = value.strip('"') if known == "etag" else value
    return sayable(variables)


def output_variables(device: str, path: str, content_type: str | None, meta: Mapping[str, str]) -> dict[str, str]:
    """Those of an object that is written, with the type and the metadata that it will have unless the program sets others."""
    variables = {f"LOCAL_HTTP_X_OBJECT_META_{_variable(name)}": value for name, value in meta.items()}
    if content_type:
        variables["LOCAL_CONTENT_TYPE"] = content_type
    return sayable({**_common(device, path), **variables})


def _common(device: str, path: str) -> dict[str, str]:
    return {"LOCAL_DOCUMENT_ROOT": f"/dev/{device}", "LOCAL_OBJECT": "on", PATH: path}


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
