"""What all jobs of a proxy process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zerocloud.swiftadapter import ErrorLimits

from .jobs.recorder import Recorder
from .nameservice import NameServers
from .programs import Programs
from .settings import Settings
from .zapps import Zapps


@dataclass(frozen=True)
class Cluster:
    """The cluster as its proxy knows it: ``policies`` are the storage policies for nodes that are attached to nothing."""

    settings: Settings
    limits: ErrorLimits
    policies: tuple[int, ...]
    name_servers: NameServers
    logger: Any
    recorder: Recorder
    programs: Programs = field(default_factory=Programs)
    zapps: Zapps = field(default_factory=Zapps)
