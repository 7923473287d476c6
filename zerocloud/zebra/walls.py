"""Which walls the executor services have around a guest here: ``zerovm --self-check`` tells the details."""

from __future__ import annotations

import os

ALL_STAND = "all stand"


def summary() -> str:
    """``all stand``, or the names of those that are missing and why."""
    # Imported here, since it brings wasmtime with it, which no other command of Zebra's needs.
    from zerocloud.zerovm.service.listener import user_id
    from zerocloud.zerovm.service.options import Options
    from zerocloud.zerovm.service.selfcheck import missing, probe

    try:
        gaps = missing(probe(user_id(Options.user) if os.geteuid() == 0 else None))
    except OSError as error:
        return str(error)
    return f"missing: {gaps}" if gaps else ALL_STAND
