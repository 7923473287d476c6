"""The devices that every node may have, and what each allows. Source: system map, section 2."""

from __future__ import annotations

from .plan import Access

READ_RANDOM = Access.READABLE | Access.RANDOM

DEVICES: dict[str, Access] = {
    "stdin": Access.READABLE,
    "input": READ_RANDOM,
    "script": READ_RANDOM,
    "image": Access.CDR,
    "stdout": Access.WRITABLE,
    "stderr": Access.WRITABLE,
    "output": Access.WRITABLE | Access.RANDOM,
    "debug": Access.NETWORK,
}

INPUTS = frozenset(name for name, access in DEVICES.items() if access & (Access.READABLE | Access.CDR))
OUTPUTS = frozenset(name for name, access in DEVICES.items() if access & (Access.WRITABLE | Access.NETWORK))

RESERVED = frozenset(("self", "nvram"))
"""Aliases that belong to the executor: the program itself and its configuration."""

ANSWERING = ("stdout", "stderr")
"""Writable devices that may go without a path: what is written there is (part of) the answer."""

MODES = ("file", "char", "pipe", "block")

_FORBIDDEN = frozenset(',;*#="\\')


def name_fault(name: str, limit: int, slashes: bool = False) -> str:
    """Why this can't be the name of a node (or, with ``slashes``, of a device), or an empty text.

    Names stand in manifest lines, configuration records, paths under ``/dev`` and headers: nothing that ends a field there may
    be in them.
    """
    if any(ord(c) < 0x20 or ord(c) == 0x7F or 0xD800 <= ord(c) < 0xE000 for c in name):
        return "it holds a control character or is not Unicode text"
    if len(name.encode()) > limit:
        return f"it has {len(name.encode())} bytes, the limit is {limit}"
    if name != name.strip():
        return "it begins or ends with a blank"
    bad = _FORBIDDEN.intersection(name)
    if bad:
        return f"it holds {min(bad)}"
    parts = name.split("/")
    if len(parts) > 1 and not slashes:
        return "it holds /"
    if any(part in ("", ".", "..") for part in parts):
        return "it is empty" if not name else "it has an empty, . or .. part"
    return ""
