"""A real Keystone in a Zebra, one process beside the proxy: tokens of version 3, and Swift's ``keystoneauth`` behind them.

Keystone comes from PyPI with the extra ``keystone-server``. Only ``server.py`` imports it, and only in that process.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from zerocloud.zebra.errors import SettingsError

EXTRA = "zerocloud[keystone-server]"
NEEDED = ("keystone", "keystonemiddleware", "keystoneclient")


def require(find: Callable[[str], object] = find_spec) -> None:
    """Raises SettingsError if what a Zebra with a Keystone needs is not installed."""
    missing = [name for name in NEEDED if find(name) is None]
    if missing:
        raise SettingsError(f"--auth keystone needs {' and '.join(missing)}: pip install '{EXTRA}'")
