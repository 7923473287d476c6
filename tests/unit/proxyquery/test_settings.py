"""Every option of the filter's section reaches its own field."""

import dataclasses

import pytest

from zerocloud.configuration import ConfigurationError
from zerocloud.proxyquery.settings import Settings

CHANGED = {
    "swift_dir": ("swift_dir", "/srv/swift", "/srv/swift"),
    "timeout": ("zerovm_timeout", "11", 11.0),
    "maximum_timeout": ("zerovm_max_timeout", "12", 12.0),
    "interactive_timeout": ("interactive_timeout", "35", 35.0),
    "keep_jobs": ("zerovm_keep_jobs", "no", False),
    "keep_jobs_time": ("zerovm_keep_jobs_time", "36", 36.0),
    "accounting": ("zerovm_accounting_enabled", "yes", True),
    "stats_account": ("user_stats_account", "AUTH_stats", "AUTH_stats"),
    "connection_timeout": ("conn_timeout", "1.3", 1.3),
    "admission_timeout": ("zerovm_admission_timeout", "14", 14.0),
    "ignore_replication": ("zerovm_ignore_replication", "yes", True),
    "node_timeout": ("node_timeout", "15", 15.0),
    "client_timeout": ("client_timeout", "16", 16.0),
    "maximum_upload_time": ("max_upload_time", "17", 17.0),
    "network_chunk_size": ("network_chunk_size", "18", 18),
    "maximum_map": ("zerovm_maxconfig", "19", 19),
    "maximum_operations": ("zerovm_maxiops", "20", 20),
    "maximum_input": ("zerovm_maxinput", "21", 21),
    "maximum_output": ("zerovm_maxoutput", "22", 22),
    "maximum_nodes": ("zerovm_maxnodes", "23", 23),
    "maximum_connections": ("zerovm_maxconnections", "32", 32),
    "maximum_memory": ("zerovm_maxnexemem", "33", 33),
    "maximum_retries": ("zerovm_maxretries", "34", 34),
    "maximum_program": ("zerovm_maxnexe", "36", 36),
    "prevalidate": ("zerovm_prevalidate", "yes", True),
    "hooks": ("zerovm_hooks", "no", False),
    "hooks_patience": ("zerovm_hooks_patience", "37", 37.0),
    "use_cors": ("zerovm_use_cors", "yes", True),
    "host_slots": ("zerovm_host_slots", "31", 31),
    "window": ("zerovm_window", "24", 24),
    "hold": ("zerovm_hold", "25", 25),
    "name_service_host": ("zerovm_ns_hostname", "10.0.0.26", "10.0.0.26"),
    "name_service_maximum": ("zerovm_ns_maxpool", "27", 27),
    "newest": ("zerovm_uses_newest", "yes", True),
    "show_servers": ("zerovm_show_servers", "no", False),
    "default_content_type": ("zerovm_default_content_type", "text/x-28", "text/x-28"),
    "system_images": ("zerovm_sysimage_devices", "python r", ("python", "r")),
    "standalone_policies": ("standalone_policies", "gold 1", ("gold", "1")),
    "network_type": ("zerovm_network_type", "opaque", "opaque"),
    "spool_directory": ("zerovm_spool_directory", "/srv/spool", "/srv/spool"),
    "spool_memory": ("zerovm_spool_memory", "29", 29),
    "spool_maximum": ("zerovm_spool_maximum", "30", 30),
}


def test_every_option_reaches_its_own_field():
    settings = Settings.read({option: text for option, text, _ in CHANGED.values()})
    assert dataclasses.asdict(settings) == {field: value for field, (_, _, value) in CHANGED.items()}


def test_defaults_are_those_of_the_documentation():
    settings = Settings.read({})
    assert (settings.timeout, settings.maximum_timeout, settings.window, settings.hold) == (60.0, 3600.0, 64, 100)
    assert (settings.maximum_map, settings.maximum_input, settings.maximum_output) == (65536, 1 << 30, 1 << 30)
    assert (settings.connection_timeout, settings.client_timeout, settings.maximum_upload_time) == (0.5, 60.0, 86400.0)
    assert (settings.network_type, settings.show_servers, settings.newest) == ("tcp", True, False)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("zerovm_timeout", "soon"),
        ("zerovm_timeout", "-1"),
        ("zerovm_max_timeout", "inf"),
        ("zerovm_window", "0"),
        ("zerovm_hooks_patience", "0"),
        ("zerovm_maxnodes", "many"),
        ("zerovm_uses_newest", "perhaps"),
        ("zerovm_network_type", "udp"),
    ],
)
def test_a_bad_value_is_told_with_its_option(option, value):
    with pytest.raises(ConfigurationError, match=f"{option} = {value}"):
        Settings.read({option: value})


def test_a_default_above_the_maximum_raises_the_maximum():
    assert Settings.read({"zerovm_timeout": "5000"}).maximum_timeout == 5000
