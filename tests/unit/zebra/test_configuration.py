from __future__ import annotations

import stat
from configparser import ConfigParser
from pathlib import Path

import pytest
from paste.deploy import loadwsgi

from zerocloud.zebra import configuration, settings
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import Settings, Wish


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "my zebra")
    layout.prepare()
    return layout


def settled(layout: Layout, **wish: object) -> Settings:
    known = settings.settle(layout, Wish(**wish))  # type: ignore[arg-type]
    return known.with_ports({server: 10000 + number for number, server in enumerate(known.servers)})


def read(layout: Layout, server: str) -> ConfigParser:
    parser = ConfigParser()
    parser.read_string(layout.configuration(server).read_text())
    return parser


def test_every_server_has_its_file_place_and_log(layout: Layout) -> None:
    known = settled(layout, nodes=2)
    configuration.write(layout, known)
    assert len(list(layout.etc.glob("*.conf"))) == 1 + 2 * 3 + 1
    for server in known.servers:
        default = read(layout, server).defaults()
        assert default["bind_ip"] == settings.address_of(server)
        assert default["bind_port"] == str(known.ports[server])
        assert default["swift_dir"] == str(layout.etc)
        assert default["log_custom_handlers"] == "zerocloud.zebra.serverlog.replace_syslog"
        assert default["conn_timeout"] == "5"
        assert stat.S_IMODE(layout.configuration(server).stat().st_mode) == 0o600


def test_nothing_points_outside_the_directory(layout: Layout) -> None:
    known = settled(layout)
    configuration.write(layout, known)
    for server in known.servers:
        parser = read(layout, server)
        for section in parser.values():
            for option, value in section.items():
                assert not value.startswith("/") or value.startswith(str(layout.directory)), (server, section.name, option)


def test_every_section_of_a_pipeline_says_what_it_is(layout: Layout) -> None:
    known = settled(layout)
    configuration.write(layout, known)
    for server in known.servers:
        parser = read(layout, server)
        *filters, application = parser["pipeline:main"]["pipeline"].split()
        for name in filters:
            assert "use" in parser[f"filter:{name}"] or "paste.filter_factory" in parser[f"filter:{name}"]
        assert parser[f"app:{application}"]["use"].startswith("egg:swift#")


def test_every_node_has_an_executor_of_its_own(layout: Layout) -> None:
    configuration.write(layout, settled(layout))
    seen = set()
    for node in range(1, 5):
        sections = [read(layout, f"{kind}-{node}")["filter:object_query"] for kind in ("object", "container")]
        assert dict(sections[0])["zerovm_socket"] == dict(sections[1])["zerovm_socket"] == str(layout.executor_socket(node))
        seen |= {sections[0][name] for name in ("zerovm_socket", "zerovm_log", "zerovm_cache", "devices")}
    assert len(seen) == 16


def test_plain_swift(layout: Layout) -> None:
    configuration.write(layout, settled(layout), filters=False)
    assert not [path for path in layout.etc.iterdir() if "egg:zerocloud" in path.read_text()]


def test_users(layout: Layout) -> None:
    configuration.write(layout, settled(layout))
    tempauth = read(layout, "proxy")["filter:tempauth"]
    assert tempauth["user_test_tester"] == "testing .admin"
    assert tempauth["user_test_tester3"] == "testing3"
    assert tempauth["active_fernet_key_id"] == "zebra"


def test_an_extra_policy(layout: Layout) -> None:
    assert "storage-policy:1" not in configuration.swift_conf(settled(layout))
    policy = configuration.swift_conf(settled(layout, ec=True))["storage-policy:1"]
    assert policy["policy_type"] == "erasure_coding"


def test_overrides_find_filters_applications_and_new_sections(layout: Layout) -> None:
    overrides = {
        "object/object_query/zerovm_timeout": "7",
        "proxy/proxy-server/node_timeout": "9",
        "proxy/DEFAULT/log_level": "DEBUG",
        "account/account-extra/a": "b",
    }
    configuration.write(layout, settled(layout, overrides=overrides))
    assert read(layout, "object-3")["filter:object_query"]["zerovm_timeout"] == "7"
    assert "zerovm_timeout" not in read(layout, "container-3")["filter:object_query"]
    assert read(layout, "proxy")["app:proxy-server"]["set node_timeout"] == "9"
    assert read(layout, "proxy").defaults()["log_level"] == "DEBUG"
    assert read(layout, "account-1")["account-extra"]["a"] == "b"


def test_an_override_holds_where_all_servers_have_the_option(layout: Layout) -> None:
    overrides = {"proxy/proxy-server/node_timeout": "9", "object/object-replicator/log_level": "DEBUG"}
    configuration.write(layout, settled(layout, overrides=overrides))
    context = loadwsgi.loadcontext(loadwsgi.APP, f"config:{layout.configuration('proxy')}", "proxy-server")
    assert context.config()["node_timeout"] == "9"
    assert read(layout, "object-1")["object-replicator"]["log_level"] == "DEBUG"


def test_a_put_outlasts_two_rounds_of_nodes_that_hang(layout: Layout) -> None:
    configuration.write(layout, settled(layout))
    shared = read(layout, "proxy").defaults()
    assert 2 * float(shared["node_timeout"]) < float(shared["client_timeout"])


def test_workers_of_a_proxy_keep_nothing_that_another_may_change(layout: Layout) -> None:
    known = settled(layout, nodes=1)
    for workers, kept in ((1, False), (2, True)):
        configuration.write(layout, known, proxy_workers=workers)
        assert read(layout, "proxy").has_option("filter:cache", "max_bytes") is kept
