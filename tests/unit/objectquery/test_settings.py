import dataclasses

import pytest

from zerocloud.configuration import ConfigurationError
from zerocloud.objectquery.settings import Settings

CHANGED = {
    "devices": ("devices", "/srv/x", "/srv/x"),
    "mount_check": ("mount_check", "no", False),
    "bind_address": ("bind_ip", "10.0.0.7", "10.0.0.7"),
    "executor": ("zerovm_exename", "/opt/zerovm -x", ("/opt/zerovm", "-x")),
    "socket": ("zerovm_socket", "/run/a", "/run/a"),
    "service_log": ("zerovm_log", "/var/log/a", "/var/log/a"),
    "cache": ("zerovm_cache", "/var/cache/a", "/var/cache/a"),
    "linger": ("zerovm_linger", "3.5", 3.5),
    "service_options": ("zerovm_service_options", "--nice 9", ("--nice", "9")),
    "pools": ("zerovm_threadpools", "default = WaitPool(1,2);", "default = WaitPool(1,2);"),
    "system_images": ("zerovm_sysimage_devices", "python /p.tar r /r.tar", {"python": "/p.tar", "r": "/r.tar"}),
    "warm_ahead": ("zerovm_warm_ahead", "no", False),
    "max_operations": ("zerovm_maxiops", "11", 11),
    "max_input": ("zerovm_maxinput", "12", 12),
    "max_output": ("zerovm_maxoutput", "13", 13),
    "max_executable": ("zerovm_maxnexe", "14", 14),
    "kept_programs": ("zerovm_kept_programs", "20", 20),
    "max_memory": ("zerovm_maxnexemem", "15", 15),
    "timeout": ("zerovm_timeout", "16", 16),
    "client_timeout": ("client_timeout", "17", 17.0),
    "max_upload_time": ("max_upload_time", "18", 18.0),
    "chunk_size": ("network_chunk_size", "1900", 1900),
    "pulse": ("zerovm_pulse", "2.5", 2.5),
    "log_requests": ("log_requests", "false", False),
    "debug": ("zerovm_debug", "yes", True),
}


def test_every_option_reaches_its_own_field():
    settings = Settings.read({option: text for option, text, _ in CHANGED.values()})
    expected = {field: value for field, (_, _, value) in CHANGED.items()} | {"pool_names": frozenset(("default",))}
    assert dataclasses.asdict(settings) == expected


def test_defaults_are_those_of_the_documentation():
    settings = Settings.read({})
    assert (settings.timeout, settings.max_input, settings.max_output, settings.max_operations) == (
        60,
        1 << 30,
        1 << 30,
        1 << 30,
    )
    assert settings.pool_names == {"default", "cluster"}
    assert settings.devices == "/srv/node"
    assert settings.mount_check


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("zerovm_sysimage_devices", "python", "pairs"),
        ("zerovm_threadpools", "cluster = WaitPool(1,1);", "default"),
        ("zerovm_threadpools", "default = Pool(1)", "default = Pool"),
        ("zerovm_maxinput", "1G", "whole number"),
        ("zerovm_timeout", "0", "1 or more"),
        ("mount_check", "perhaps", "yes or no"),
    ],
)
def test_a_bad_option_is_named(option, value, word):
    with pytest.raises(ConfigurationError, match=option) as caught:
        Settings.read({option: value})
    assert word in str(caught.value)
