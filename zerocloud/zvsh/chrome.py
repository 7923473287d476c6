"""A trace of calls in the form that browsers show on a time line (``chrome://tracing``, Perfetto)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from zerocloud.zerovm.tracing import Call


def render_chrome(calls: Iterable[Call]) -> str:
    """JSON with one complete event for each call, in microseconds."""
    events = [
        {
            "name": call.name,
            "cat": "wasi",
            "ph": "X",
            "pid": 1,
            "tid": 1,
            "ts": round((call.end - call.seconds) * 1e6, 3),
            "dur": round(call.seconds * 1e6, 3),
            "args": {"arguments": list(call.arguments), "result": call.answer},
        }
        for call in calls
    ]
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, indent=1)
