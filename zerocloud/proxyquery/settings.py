"""The options of the proxy filter, read once (HTTP API, section 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.configuration import ConfigurationError, Options

LEAST_PATIENCE = 0.1
NETWORK_TYPES = ("tcp", "opaque")


@dataclass(frozen=True)
class Settings:
    """How one proxy runs jobs. Times are in seconds, sizes in bytes.

    ``timeout`` limits a job that asks for none, ``maximum_timeout`` what it may ask for. ``host_slots`` is how many sessions a
    storage host runs at once: ``"count": "auto"`` makes so many nodes for each. ``window`` bounds the unconnected
    sessions of one job under way at a time, ``hold`` the nodes of a job whose outputs appear all together or not at all.
    """

    swift_dir: str
    timeout: float
    maximum_timeout: float
    interactive_timeout: float
    keep_jobs: bool
    keep_jobs_time: float
    accounting: bool
    stats_account: str
    connection_timeout: float
    admission_timeout: float
    node_timeout: float
    client_timeout: float
    maximum_upload_time: float
    network_chunk_size: int
    maximum_map: int
    maximum_operations: int
    maximum_input: int
    maximum_output: int
    maximum_nodes: int
    maximum_connections: int
    maximum_memory: int
    maximum_program: int
    prevalidate: bool
    maximum_retries: int
    host_slots: int
    window: int
    hold: int
    name_service_host: str
    name_service_maximum: int
    newest: bool
    ignore_replication: bool
    show_servers: bool
    default_content_type: str
    system_images: tuple[str, ...]
    use_cors: bool
    hooks: bool
    hooks_patience: float
    standalone_policies: tuple[str, ...]
    network_type: str
    spool_directory: str | None
    spool_memory: int
    spool_maximum: int

    @classmethod
    def read(cls, section: Mapping[str, str]) -> Settings:
        """Read a paste section. Raises ConfigurationError."""
        options = Options(section)
        timeout = options.seconds("zerovm_timeout", 60)
        settings = cls(
            swift_dir=options.text("swift_dir", "/etc/swift"),
            timeout=timeout,
            maximum_timeout=max(timeout, options.seconds("zerovm_max_timeout", 3600)),
            interactive_timeout=options.seconds("interactive_timeout", timeout),
            keep_jobs=options.boolean("zerovm_keep_jobs", True),
            keep_jobs_time=options.seconds("zerovm_keep_jobs_time", 7 * 86400),
            accounting=options.boolean("zerovm_accounting_enabled", False),
            stats_account=options.text("user_stats_account", "userstats"),
            connection_timeout=options.seconds("conn_timeout", 0.5),
            admission_timeout=options.seconds("zerovm_admission_timeout", 10),
            node_timeout=options.seconds("node_timeout", 10),
            client_timeout=options.seconds("client_timeout", 60),
            maximum_upload_time=options.seconds("max_upload_time", 86400),
            network_chunk_size=options.integer("network_chunk_size", 65536, 1),
            maximum_map=options.integer("zerovm_maxconfig", 65536, 1),
            maximum_operations=options.integer("zerovm_maxiops", 1 << 30, 1),
            maximum_input=options.integer("zerovm_maxinput", 1 << 30, 1),
            maximum_output=options.integer("zerovm_maxoutput", 1 << 30, 1),
            maximum_nodes=options.integer("zerovm_maxnodes", 10000, 1),
            maximum_connections=options.integer("zerovm_maxconnections", 100_000),
            maximum_memory=options.integer("zerovm_maxnexemem", 4 << 30, 1),
            maximum_program=options.integer("zerovm_maxnexe", 256 << 20, 1),
            prevalidate=options.boolean("zerovm_prevalidate", False),
            maximum_retries=options.integer("zerovm_maxretries", 10),
            host_slots=options.integer("zerovm_host_slots", 10, 1),
            window=options.integer("zerovm_window", 64, 1),
            hold=options.integer("zerovm_hold", 100),
            name_service_host=options.text("zerovm_ns_hostname"),
            name_service_maximum=options.integer("zerovm_ns_maxpool", 1000, 1),
            ignore_replication=options.boolean("zerovm_ignore_replication", False),
            newest=options.boolean("zerovm_uses_newest", False),
            show_servers=options.boolean("zerovm_show_servers", True),
            default_content_type=options.text("zerovm_default_content_type", "application/octet-stream"),
            system_images=options.words("zerovm_sysimage_devices"),
            hooks=options.boolean("zerovm_hooks", True),
            hooks_patience=options.seconds("zerovm_hooks_patience", 60),
            use_cors=options.boolean("zerovm_use_cors", False),
            standalone_policies=options.words("standalone_policies", "0"),
            network_type=options.text("zerovm_network_type", "tcp"),
            spool_directory=options.text("zerovm_spool_directory") or None,
            spool_memory=options.integer("zerovm_spool_memory", 1 << 20),
            spool_maximum=options.integer("zerovm_spool_maximum", 16 << 30, 1),
        )
        if settings.network_type not in NETWORK_TYPES:
            raise ConfigurationError(
                f"zerovm_network_type = {settings.network_type}: expected one of {', '.join(NETWORK_TYPES)}"
            )
        if settings.hooks_patience < LEAST_PATIENCE:
            raise ConfigurationError(
                f"zerovm_hooks_patience = {settings.hooks_patience:g}: expected {LEAST_PATIENCE:g} seconds or more"
            )
        return settings
