"""A program validated and compiled without a session: what is asked for when it is stored (HTTP API, section 15)."""

from __future__ import annotations

import io

from zerocloud.objectquery.refusal import ExecutorLost, Refusal
from zerocloud.zerovm.client import Connection, ServiceLost, ServiceRefused
from zerocloud.zerovm.report import FAILED, PASSED, Report
from zerocloud.zerovm.states import EndState


def validate(program: io.FileIO | None, connection: Connection, seconds: float) -> Report:
    """Whether the program can be run here; if so it is in the cache of compiled ones from now on.

    ``connection`` has a slot, which this takes. Raises :class:`Refusal` (400) without a program, and ExecutorLost, also when
    it takes longer than ``seconds``.
    """
    if program is None:
        raise Refusal(400, "No executable found in request")
    try:
        connection.validate(program.fileno(), seconds)
    except ServiceRefused as refused:
        return Report(validator=FAILED, state=f"{EndState.REFUSED.value}: {refused}")
    except ServiceLost as lost:
        raise ExecutorLost(f"The program could not be validated: {lost}") from lost
    return Report(validator=PASSED, state=EndState.EXITED.value)
