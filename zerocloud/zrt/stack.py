"""The native stack that guests run on: room for their deepest calls, and for ours on top of them."""

from __future__ import annotations

import resource

GUEST_BYTES = 8 << 20
"""What one guest may use before it traps; CPython needs no less."""
_OWN_BYTES = 4 << 20
_LEAST_BYTES = 512 << 10


def reserve_stack() -> int:
    """Let the stack of this process's main thread grow as far as guests need; how much of it is theirs, in bytes.

    Less than :data:`GUEST_BYTES` only where this process's hard limit leaves no more.
    """
    wanted = GUEST_BYTES + _OWN_BYTES
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    return max(_LEAST_BYTES, wanted - _OWN_BYTES)
