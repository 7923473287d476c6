"""The configuration of the process: what it is told, and the files that Swift's own start-up reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import simplejson

from zerocloud.zebra.configuration import Sections

from .names import Folders

DEVICE = "local"
PIPELINE = "catch_errors healthcheck door zero_queue job_chain proxy_query proxy-server"
LONGEST_TIMEOUT = 24 * 3600
LINGER_SECONDS = 0.1
QUEUE = 10_000
GANG = 256
"""Connected nodes that can run at once: they have to, and a machine without others to help must take them all."""


@dataclass(frozen=True)
class Settings:
    """What the process is told. ``images`` are the files of system images, by their names.

    ``place`` is a folder for what it needs itself. ``token`` has to come with requests; where it is empty, everybody on this
    machine may send some, and those that are not for Swift's own paths go to the container ``served``. ``port`` 0 is any.
    ``slots`` is how many sessions run at once.
    """

    place: str
    account: str
    root: str = ""
    token: str = ""
    served: str = ""
    port: int = 0
    slots: int = 2
    cache: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    debug: bool = False

    def to_json(self) -> str:
        """As :meth:`from_json` takes it."""
        return str(simplejson.dumps(asdict(self)))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """What :meth:`to_json` wrote."""
        return cls(**simplejson.loads(text))

    @property
    def etc(self) -> Path:
        """Where the files go: Swift's ``swift_dir``."""
        return Path(self.place) / "etc"

    @property
    def devices(self) -> Path:
        """Where sessions' own files go."""
        return Path(self.place) / "devices"

    @property
    def socket(self) -> str:
        """Where the executor service listens."""
        return f"{self.place}/zerovm.sock"

    @property
    def log(self) -> Path:
        """What the process tells."""
        return Path(self.place) / "log"


def files(settings: Settings, storage_port: int) -> Iterator[tuple[str, Sections]]:
    """The configuration files, by their names."""
    folders = {"account": settings.account, "hidden": f"{settings.place}/hidden", "root": settings.root}
    yield (
        "swift.conf",
        {
            "swift-hash": {"swift_hash_path_prefix": "zerocloud", "swift_hash_path_suffix": "local"},
            "storage-policy:0": {"name": "default", "default": "yes", "policy_type": "replication"},
        },
    )
    common = _common(settings)
    jobs = {
        "use": "egg:zerocloud#proxy_query",
        "zerovm_spool_directory": settings.place,
        "zerovm_sysimage_devices": " ".join(settings.images),
        "zerovm_host_slots": str(settings.slots),
        "zerovm_max_timeout": str(LONGEST_TIMEOUT),
    }
    yield (
        "proxy-server.conf",
        {
            "DEFAULT": {**common, "bind_ip": "127.0.0.1", "bind_port": str(settings.port or 1)},
            "pipeline:main": {"pipeline": PIPELINE},
            "filter:catch_errors": {"use": "egg:swift#catch_errors"},
            "filter:healthcheck": {"use": "egg:swift#healthcheck"},
            "filter:door": {
                "paste.filter_factory": "zerocloud.local.door:filter_factory",
                "token": settings.token,
                "served": settings.served,
            },
            "filter:zero_queue": {"use": "egg:zerocloud#zero_queue"},
            "filter:job_chain": {"use": "egg:zerocloud#job_chain"},
            "filter:proxy_query": jobs,
            "app:proxy-server": {"paste.app_factory": "zerocloud.local.swift:app_factory", **folders},
        },
    )
    storage = {
        "paste.app_factory": "zerocloud.local.storage:app_factory",
        **folders,
        "zerovm_socket": settings.socket,
        "zerovm_log": f"{settings.place}/zerovm.log",
        "zerovm_cache": settings.cache,
        "zerovm_linger": str(LINGER_SECONDS),
        "zerovm_threadpools": f"default = WaitPool({settings.slots},{QUEUE}); cluster = PriorityPool({GANG},{QUEUE});",
        "zerovm_sysimage_devices": " ".join(f"{name} {path}" for name, path in settings.images.items()),
        "zerovm_warm_ahead": "no",
        "zerovm_debug": str(settings.debug),
    }
    yield (
        "object-server.conf",
        {
            "DEFAULT": {
                **common,
                "bind_ip": "127.0.0.1",
                "bind_port": str(storage_port),
                "devices": str(settings.devices),
                "mount_check": "false",
            },
            "pipeline:main": {"pipeline": "object-server"},
            "app:object-server": storage,
        },
    )


def folders_of(conf: Mapping[str, Any]) -> Folders:
    """The folders that a section of one of these files names."""
    root = str(conf.get("root") or "")
    return Folders(Path(conf["account"]), Path(conf["hidden"]), Path(root) if root else None)


def _common(settings: Settings) -> dict[str, str]:
    return {
        "swift_dir": str(settings.etc),
        "workers": "0",
        "log_level": "INFO" if settings.debug else "WARNING",
        "log_custom_handlers": "zerocloud.zebra.serverlog.replace_syslog",
        "conn_timeout": "5",
        "node_timeout": "60",
        "client_timeout": "60",
    }
