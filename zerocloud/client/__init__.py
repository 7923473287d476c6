"""ZeroCloud for Python programs: sign in, run jobs, have them explained.

from zerocloud.client import connect

with connect() as cloud:                                  # ST_* or OS_* variables
    print(cloud.explain(job_map))
    answer = cloud.run(job_map)
"""

from .connection import Answer, Connection, connect
from .errors import ClientError, LoginError, NotReachable, Refused
from .login import Login, log_in

__all__ = [
    "connect",
    "Connection",
    "Answer",
    "Login",
    "log_in",
    "ClientError",
    "LoginError",
    "NotReachable",
    "Refused",
]
