"""Every option of the storage servers' filter, read once into one frozen object (HTTP API, section 16)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.configuration import ConfigurationError, Options
from zerocloud.zerovm.service.pools import DEFAULT_POOLS, parse_pools

EXECUTOR = (sys.executable, "-m", "zerocloud.zerovm.command")


@dataclass(frozen=True)
class Settings:
    """How sessions are run on this server. Sizes are bytes, durations seconds.

    ``devices``, ``mount_check`` and ``bind_address`` are the server's own ``devices``, ``mount_check`` and ``bind_ip``.
    ``executor`` is the command that starts the executor service, listening on ``socket``; its standard error and log go to
    ``service_log``; it compiles into ``cache`` and ends ``linger`` seconds after the last worker of this host has gone.
    ``pools`` and ``service_options`` are passed to it as they stand. ``system_images`` maps names of tar images to their files;
    ``warm_ahead`` has their warm guests made when the server begins to work, not after the first session that misses one.
    ``max_operations``, ``max_input`` and ``max_output`` are the limits of each channel; ``max_input`` is also that of a
    request's body and of a local object. ``kept_programs`` bytes of programs are kept for the next sessions. ``client_timeout``
    is how long one read of the body may take, ``max_upload_time`` how long all of them together.
    """

    devices: str
    mount_check: bool
    bind_address: str
    executor: tuple[str, ...]
    socket: str
    service_log: str
    cache: str
    linger: float
    service_options: tuple[str, ...]
    pools: str
    pool_names: frozenset[str]
    system_images: Mapping[str, str]
    warm_ahead: bool
    max_operations: int
    max_input: int
    max_output: int
    max_executable: int
    max_memory: int
    kept_programs: int
    timeout: int
    client_timeout: float
    max_upload_time: float
    chunk_size: int
    pulse: float
    log_requests: bool
    debug: bool

    @classmethod
    def read(cls, conf: Mapping[str, str]) -> Settings:
        """The settings of a paste section (with those of ``[DEFAULT]``). Raises ConfigurationError."""
        options = Options(conf)
        pools = options.text("zerovm_threadpools", DEFAULT_POOLS)
        return cls(
            devices=options.text("devices", "/srv/node"),
            mount_check=options.boolean("mount_check", True),
            bind_address=options.text("bind_ip", "0.0.0.0"),  # noqa: S104 (the servers' own default)
            executor=options.words("zerovm_exename") or EXECUTOR,
            socket=options.text("zerovm_socket", "/var/run/zerocloud/zerovm.socket"),
            service_log=options.text("zerovm_log", "/dev/null"),
            cache=options.text("zerovm_cache"),
            linger=options.seconds("zerovm_linger", 10),
            service_options=options.words("zerovm_service_options"),
            pools=pools,
            pool_names=_pool_names(pools),
            system_images=_images(options.words("zerovm_sysimage_devices")),
            warm_ahead=options.boolean("zerovm_warm_ahead", True),
            max_operations=options.integer("zerovm_maxiops", 1 << 30, minimum=1),
            max_input=options.integer("zerovm_maxinput", 1 << 30, minimum=1),
            max_output=options.integer("zerovm_maxoutput", 1 << 30, minimum=1),
            max_executable=options.integer("zerovm_maxnexe", 256 << 20, minimum=1),
            kept_programs=options.integer("zerovm_kept_programs", 64 << 20),
            max_memory=options.integer("zerovm_maxnexemem", 4 << 30, minimum=1),
            timeout=options.integer("zerovm_timeout", 60, minimum=1),
            client_timeout=options.seconds("client_timeout", 60),
            max_upload_time=options.seconds("max_upload_time", 86400),
            chunk_size=options.integer("network_chunk_size", 65536, minimum=512),
            pulse=options.seconds("zerovm_pulse", 5),
            log_requests=options.boolean("log_requests", True),
            debug=options.boolean("zerovm_debug", False),
        )


def _images(words: tuple[str, ...]) -> dict[str, str]:
    if len(words) % 2:
        raise ConfigurationError(f"zerovm_sysimage_devices = {' '.join(words)}: expected pairs of a name and a path")
    return dict(zip(words[::2], words[1::2], strict=True))


def _pool_names(text: str) -> frozenset[str]:
    try:
        return frozenset(parse_pools(text))
    except ValueError as error:
        raise ConfigurationError(f"zerovm_threadpools = {text}: {error}") from None
