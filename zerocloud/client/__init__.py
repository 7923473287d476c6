"""ZeroCloud for Python programs: sign in, run jobs, watch them, have them explained.

from zerocloud.client import connect, wait

with connect() as cloud:                                  # ST_* or OS_* variables, or clouds.yaml
    print(cloud.explain(job_map))
    answer = cloud.run(job_map)                           # waits; answer.body, answer.nodes
    job = cloud.submit(Path("words.zapp"))                # runs by itself
    for event in job.events():
        print(event.name, event.data)
    print(job.result().text)

:mod:`zerocloud.client.aio` is the same for programs with an event loop.
"""

from .connection import Connection, connect
from .errors import ClientError, JobCancelled, JobFailed, LoginError, NotFinished, NotReachable, Refused, WorkError
from .events import Event
from .futures import Future
from .jobs import Job, JobStatus
from .login import Login, log_in
from .results import Answer, Counters, NodeAnswer, NodeResult
from .waiting import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Waited, as_completed, wait
from .work import Source, Work

__all__ = [
    "connect",
    "Connection",
    "Work",
    "Source",
    "Answer",
    "NodeResult",
    "NodeAnswer",
    "Counters",
    "Job",
    "Future",
    "JobStatus",
    "Event",
    "wait",
    "as_completed",
    "Waited",
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "Login",
    "log_in",
    "ClientError",
    "LoginError",
    "NotReachable",
    "WorkError",
    "NotFinished",
    "Refused",
    "JobFailed",
    "JobCancelled",
]
