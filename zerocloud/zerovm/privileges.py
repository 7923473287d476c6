"""Rights that a guest's process has no use for."""

from __future__ import annotations

import os
import pwd

from zerocloud.zerovm.service.kernel import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl

_NOBODY = 65534
_SIGKILL = 9


def drop_privileges() -> None:
    """Stop being root, for good; and never get rights by executing something. Raises OSError."""
    if os.geteuid() == 0:
        user, group = _nobody()
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        prctl(PR_SET_PDEATHSIG, _SIGKILL)  # the kernel forgets it when the user changes
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return _NOBODY, _NOBODY
    return entry.pw_uid, entry.pw_gid
