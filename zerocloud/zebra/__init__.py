"""Zebra, the playground: a whole ZeroCloud on one machine, with one command (``zebra up``) or one ``with`` block."""

from __future__ import annotations

from zerocloud.zebra.errors import (
    AlreadyRunning,
    DirectoryError,
    NotRunning,
    PortTaken,
    SettingsError,
    StartFailed,
    ZebraError,
)
from zerocloud.zebra.playground import Zebra

__all__ = [
    "Zebra",
    "ZebraError",
    "AlreadyRunning",
    "DirectoryError",
    "NotRunning",
    "PortTaken",
    "SettingsError",
    "StartFailed",
]
