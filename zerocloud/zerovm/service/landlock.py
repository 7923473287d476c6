"""Landlock: a process takes away from itself, and from all it will fork, the right to open files, connect and signal.

Descriptors that are open already stay usable. The rules can only become stricter. Older kernels know fewer rights: what this
kernel knows is asked first (``abi``), and the rest is left to the other walls.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Mapping

from zerocloud.zerovm.service.kernel import system_call

READ_FILE = 1 << 2
READ_DIRECTORY = 1 << 3
CACHE_RIGHTS = READ_FILE | READ_DIRECTORY | 1 << 1 | 1 << 5 | 1 << 8
"""Read and list; write, remove and make regular files."""

_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_RIGHTS_NOW = 16
_NETWORK_RIGHTS = 0b11
_SCOPES = 0b11
_VERSION_FLAG = 1
_PATH_BENEATH = 1


def abi() -> int:
    """The version of Landlock that this kernel has; 0 for none."""
    try:
        return system_call("landlock_create_ruleset", None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def make_ruleset(allowed: Mapping[int, int], version: int) -> int:
    """A descriptor of rules that deny everything but ``allowed``: descriptors of files and directories, and rights below them.

    Everything means: all rights on files, TCP from version 4, abstract sockets and signals to the outside from version 6.
    Raises OSError.
    """
    files = (1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS_NOW)) - 1
    network = _NETWORK_RIGHTS if version >= 4 else 0
    scopes = _SCOPES if version >= 6 else 0
    attributes = struct.pack("=QQQ", files, network, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = system_call("landlock_create_ruleset", ctypes.c_char_p(attributes), len(attributes), 0)
    try:
        for descriptor, rights in allowed.items():
            rule = struct.pack("=Qi", rights & files, descriptor)
            system_call("landlock_add_rule", ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def restrict(allowed: Mapping[int, int], version: int) -> None:
    """Put this process under such rules. It must have renounced new privileges. Raises OSError."""
    ruleset = make_ruleset(allowed, version)
    try:
        system_call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
