"""The configuration files of Swift's servers, as values: section to option to text. Pure; writing them is the caller's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zerocloud.zebra import upkeep
from zerocloud.zebra.keystone.configuration import keystone_conf, proxy_filters
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.pipelines import CHAIN_FILTER, CONSOLE_FILTER, PROXY_FILTER, QUEUE_FILTER, STORAGE_FILTER, pipeline
from zerocloud.zebra.settings import KEYSTONE, POLICIES, USERS, Settings, address_of, parse_overrides

Sections = dict[str, dict[str, str]]

# One busy interpreter holds three servers, and two cores hold everything: Swift's 0.5 s to connect and 10 s to answer, meant
# for separate machines, would take a node that is merely busy for a dead one. But while a PUT waits for a node that hangs, and
# then for a second one, the nodes that have answered wait for its body, and give up after their client_timeout.
PATIENCE = {"conn_timeout": "5", "node_timeout": "20", "client_timeout": "60"}

EC_POLICY = "ec21"

# Seconds: the executor services should be gone soon after their nodes.
EXECUTOR_LINGER = "0.5"

_PROXY_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "cache": {"paste.filter_factory": "zerocloud.zebra.cache:filter_factory"},
    CONSOLE_FILTER: {"paste.filter_factory": "zerocloud.console:filter_factory"},
    QUEUE_FILTER: {"use": "egg:zerocloud#zero_queue"},
    CHAIN_FILTER: {"use": "egg:zerocloud#job_chain"},
    "proxy-logging": {"use": "egg:swift#proxy_logging"},
    "container-quotas": {"use": "egg:swift#container_quotas"},
    "account-quotas": {"use": "egg:swift#account_quotas"},
    "s3api": {"s3_acl": "false", "location": "us-east-1"},
    "versioned_writes": {"allow_versioned_writes": "true", "allow_object_versioning": "true"},
    "proxy-server": {"use": "egg:swift#proxy", "account_autocreate": "true", "allow_account_management": "true"},
}

# Swift's background daemons. A Zebra runs only the container updater (upkeep.py), but these files serve any of them.
_DAEMONS = {
    "account": ("replicator", "auditor", "reaper"),
    "container": ("replicator", "updater", "auditor", "sharder"),
    "object": ("replicator", "updater", "auditor", "reconstructor"),
}


def swift_conf(settings: Settings) -> Sections:
    """``swift.conf``: the hash that names partitions, and the storage policies."""
    sections: Sections = {
        "swift-hash": {
            "swift_hash_path_prefix": settings.hash_prefix,
            "swift_hash_path_suffix": settings.hash_suffix,
        },
        "storage-policy:0": {"name": "default", "policy_type": "replication"},
    }
    if settings.ec:
        sections["storage-policy:1"] = {
            "name": EC_POLICY,
            "policy_type": "erasure_coding",
            "ec_type": "liberasurecode_rs_vand",
            "ec_num_data_fragments": "2",
            "ec_num_parity_fragments": "1",
            "ec_object_segment_size": "1048576",
        }
    sections[f"storage-policy:{POLICIES.index(settings.policy)}"]["default"] = "yes"
    return sections


def servers(layout: Layout, settings: Settings, filters: bool = True, proxy_workers: int = 1) -> Iterator[tuple[str, Sections]]:
    """The configuration of every one of Swift's servers, by its name (``proxy``, ``account-1``, …)."""
    for server in settings.swift_servers:
        kind = server.partition("-")[0]
        sections = _proxy(layout, settings, filters, proxy_workers) if kind == "proxy" else _storage(layout, server, filters)
        sections["DEFAULT"] = {
            "swift_dir": str(layout.etc),
            "bind_ip": address_of(server),
            "bind_port": str(settings.ports[server]),
            "workers": "0",
            "log_name": server,
            "log_level": "INFO",
            "log_custom_handlers": "zerocloud.zebra.serverlog.replace_syslog",
            **PATIENCE,
            **sections["DEFAULT"],
        }
        _override(sections, kind, settings.overrides)
        yield server, sections


def _pipeline_sections(names: Sequence[str], options: Mapping[str, Mapping[str, str]]) -> Sections:
    *names, application = names
    sections: Sections = {"DEFAULT": {}, "pipeline:main": {"pipeline": " ".join((*names, application))}}
    for name in dict.fromkeys(names):
        given = options.get(name, {})
        named = "use" in given or "paste.filter_factory" in given
        sections[f"filter:{name}"] = {**({} if named else {"use": f"egg:swift#{name}"}), **given}
    sections[f"app:{application}"] = dict(options[application])
    return sections


def _proxy(layout: Layout, settings: Settings, filters: bool, workers: int) -> Sections:
    # Stateless tokens: they outlive a restart, and need no cache.
    login = {f"user_{user.account}_{user.name}": " ".join((user.key, *user.groups)) for user in USERS}
    tempauth = {**login, "fernet_key_zebra": settings.fernet_key, "active_fernet_key_id": "zebra"}
    jobs = {"use": "egg:zerocloud#proxy_query", "zerovm_spool_directory": str(layout.temporary)}
    keys = {"encryption_root_secret": settings.encryption_secret}
    options = {**_PROXY_OPTIONS, "tempauth": tempauth, PROXY_FILTER: jobs, "keymaster": keys}
    if settings.auth == KEYSTONE:
        options |= proxy_filters(settings)
        origin = settings.keystone_url.removesuffix("/v3")
        options[CONSOLE_FILTER] = {
            **_PROXY_OPTIONS[CONSOLE_FILTER],
            "auth_url": settings.keystone_url,
            "connect_sources": origin,
        }
    if workers > 1:  # caches of their own would let one worker answer with what another has changed; so they keep nothing
        options["cache"] = {**_PROXY_OPTIONS["cache"], "max_bytes": "1"}
    names = pipeline("proxy", filters, bool(settings.encryption_secret), settings.auth == KEYSTONE)
    return _pipeline_sections(names, options)


def _storage(layout: Layout, server: str, filters: bool) -> Sections:
    kind, _, number = server.partition("-")
    node = int(number)
    recon = {"recon_cache_path": str(layout.recon(node))}
    executor = {
        "use": "egg:zerocloud#object_query",
        "zerovm_socket": str(layout.executor_socket(node)),
        "zerovm_log": str(layout.executor_log(node)),
        "zerovm_cache": str(layout.compiled(node)),
        "zerovm_linger": EXECUTOR_LINGER,
    }
    options = {"recon": recon, STORAGE_FILTER: executor, f"{kind}-server": {"use": f"egg:swift#{kind}"}}
    sections = _pipeline_sections(pipeline(kind, filters), options)
    # 'fallocate_reserve' 0: Swift would call a disk with less than 1 % left full, a playground's disk often is.
    sections["DEFAULT"] = {"devices": str(layout.node(node)), "mount_check": "false", "fallocate_reserve": "0"}
    for daemon in _DAEMONS[kind]:
        sections[f"{kind}-{daemon}"] = dict(recon)
    if kind == "container":
        sections[upkeep.SECTION].update(interval=upkeep.INTERVAL_SECONDS, log_level="WARNING")
    if kind == "object":
        sections["object-replicator"]["sync_method"] = "ssync"
    return sections


def _override(sections: Sections, kind: str, overrides: Mapping[str, str]) -> None:
    for server, section, option, value in parse_overrides(overrides):
        if server == kind:
            full = next((name for name in sections if name in (section, f"filter:{section}", f"app:{section}")), section)
            # PasteDeploy passes over an option of a filter or an application that [DEFAULT] has, too, unless it is "set".
            hidden = option in sections["DEFAULT"] and full.startswith(("filter:", "app:"))
            sections.setdefault(full, {})[f"set {option}" if hidden else option] = value


def render(sections: Sections) -> str:
    """The text of a configuration file."""
    lines = ["# Written by 'zebra up' at every start: changes here are lost. Use 'zebra up --set' instead."]
    for name, options in sections.items():
        lines += ["", f"[{name}]", *(f"{option} = {value}" for option, value in options.items())]
    return "\n".join(lines) + "\n"


def write(layout: Layout, settings: Settings, filters: bool = True, proxy_workers: int = 1) -> None:
    """Write ``swift.conf`` and the file of every server, Keystone's included."""
    every = servers(layout, settings, filters, proxy_workers)
    texts = {layout.configuration(name): render(sections) for name, sections in every}
    texts[layout.etc / "swift.conf"] = render(swift_conf(settings))
    if settings.auth == KEYSTONE:
        texts[layout.configuration(KEYSTONE)] = render(keystone_conf())
    for path, text in texts.items():
        path.touch(mode=0o600)
        path.write_text(text)
