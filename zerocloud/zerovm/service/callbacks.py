"""Room for callbacks from native code, made before the walls: behind seccomp no memory can be made executable.

ctypes keeps the executable pages of its callbacks for ever and hands freed places out again. Freeing every second one leaves
free places in pages that stay in use, whichever way the C library underneath counts them.
"""

from __future__ import annotations

import ctypes

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_GUEST_IMPORTS = 128
"""More than all functions that a guest can import."""


def reserve_callbacks() -> list[object]:
    """Make room for one guest's callbacks; it lasts while the result is kept."""
    made = [_CALLBACK(lambda *_: None) for _ in range(2 * _GUEST_IMPORTS)]
    return list(made[::2])
