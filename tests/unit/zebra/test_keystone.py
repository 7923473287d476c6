"""Keystone's part in a Zebra, without a Keystone: its configuration, and what it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.fernet import Fernet

from zerocloud.zebra import configuration, keystone, settings
from zerocloud.zebra.errors import SettingsError, ZebraError
from zerocloud.zebra.keystone.configuration import environment
from zerocloud.zebra.keystone.people import People, roles
from zerocloud.zebra.keystone.server import make_keys
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.probe import store_in
from zerocloud.zebra.settings import USERS, Settings, Wish
from zerocloud.zebra.supervisor import groups


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    return layout


@pytest.fixture
def known(layout: Layout) -> Settings:
    fresh = settings.settle(layout, Wish(nodes=1, auth="keystone"))
    return fresh.with_ports({server: 10000 + number for number, server in enumerate(fresh.servers)})


def test_what_is_missing_is_named() -> None:
    keystone.require(lambda name: name)
    with pytest.raises(SettingsError, match=r"needs keystonemiddleware: pip install 'zerocloud\[keystone-server\]'"):
        keystone.require(lambda name: None if name == "keystonemiddleware" else name)


def test_it_is_a_process_and_a_port_of_its_own(known: Settings) -> None:
    assert known.servers[-1] == "keystone"
    assert known.keystone_url == f"http://127.0.0.1:{known.ports['keystone']}/v3"
    for together in (True, False):
        assert groups(known, together)[-1] == ("keystone", ["keystone"])


def test_who_knows_the_users_can_not_change(layout: Layout, known: Settings) -> None:
    settings.save(layout, known)
    assert settings.settle(layout, Wish()).auth == "keystone"
    with pytest.raises(SettingsError, match="made with --auth keystone, which can't become tempauth"):
        settings.settle(layout, Wish(auth="tempauth"))
    with pytest.raises(SettingsError, match="--auth ldap: expected tempauth or keystone"):
        settings.check_wish(Wish(auth="ldap"))


def test_the_proxy_asks_keystone(layout: Layout, known: Settings) -> None:
    configuration.write(layout, known)
    proxy = dict(configuration.servers(layout, known))["proxy"]
    pipeline = proxy["pipeline:main"]["pipeline"].split()
    at = pipeline.index("authtoken")
    assert pipeline[at : at + 4] == ["authtoken", "s3api", "s3token", "keystoneauth"]
    assert "tempauth" not in pipeline
    assert pipeline.count("s3api") == 1
    assert proxy["filter:authtoken"]["password"] == proxy["filter:s3token"]["password"] == known.service_password
    assert proxy["filter:zero_console"]["auth_url"] == known.keystone_url
    assert proxy["filter:zero_console"]["connect_sources"] + "/v3" == known.keystone_url
    assert known.url in environment(known)["OS_CORS__ALLOWED_ORIGIN"].split(",")
    assert str(layout.directory) not in layout.configuration("keystone").read_text()


def test_without_it_there_is_none(layout: Layout) -> None:
    known = settings.settle(layout, Wish(nodes=1))
    configuration.write(layout, known.with_ports(dict.fromkeys(known.servers, 1)))
    assert not known.service_password
    assert not layout.configuration("keystone").exists()


class Books:
    """Keystone's API, as far as it is asked: things of any kind, grants, and how often it made a thing."""

    def __init__(self) -> None:
        self.things: dict[str, list[dict[str, Any]]] = {}
        self.grants: set[str] = set()
        self.made = 0

    def ask(self, method: str, path: str, value: Any) -> Any:
        parts = urlsplit(path)
        kind = parts.path.split("/")[2]
        known = self.things.setdefault(kind, [])
        if method == "GET":
            wanted = dict(parse_qsl(parts.query))
            return {kind: [thing for thing in known if all(thing.get(name) == word for name, word in wanted.items())]}
        if method == "POST":
            self.made += 1
            known.append({"id": f"{kind}-{self.made}", **value[kind[:-1]]})
            return {kind[:-1]: known[-1]}
        if method == "PATCH":
            next(thing for thing in known if path.endswith(thing["id"])).update(value["endpoint"])
        else:
            self.grants.add(path)
        return None


def test_people_are_made_once_and_the_address_follows(known: Settings) -> None:
    books = Books()
    People(books.ask).settle(known, USERS)
    made, grants = books.made, set(books.grants)
    assert {user["name"] for user in books.things["users"]} == {"tester", "tester2", "tester3", "admin", "swift"}
    assert len(books.things["projects"]) == 4
    assert len(grants) == 6
    moved = known.with_ports({**known.ports, "proxy": 5})
    People(books.ask).settle(moved, USERS)
    assert (books.made, books.grants) == (made, grants)
    assert [endpoint["url"] for endpoint in books.things["endpoints"]] == ["http://127.0.0.1:5/v1/AUTH_%(project_id)s"]


def test_another_store_in_the_catalog_stays(known: Settings) -> None:
    books = Books()
    elsewhere = books.ask("POST", "/v3/services", {"service": {"type": "object-store", "name": "another"}})["service"]["id"]
    url = "http://elsewhere.example/v1/%(project_id)s"
    there = {"service_id": elsewhere, "interface": "public", "url": url}
    books.ask("POST", "/v3/endpoints", {"endpoint": there})
    People(books.ask).settle(known, USERS)
    assert [endpoint["url"] for endpoint in books.things["endpoints"]] == [url, f"{known.url}/v1/AUTH_%(project_id)s"]


def test_keys_are_made_once_and_nobody_else_s(tmp_path: Path) -> None:
    make_keys(tmp_path / "k")
    keys = {path.name: path.read_bytes() for path in (tmp_path / "k").iterdir()}
    assert sorted(keys) == ["0", "1"]
    assert all(Fernet(key) for key in keys.values())
    assert [path.stat().st_mode & 0o077 for path in (tmp_path / "k", tmp_path / "k/0")] == [0, 0]
    make_keys(tmp_path / "k")
    assert {path.name: path.read_bytes() for path in (tmp_path / "k").iterdir()} == keys


def test_a_catalog_may_have_other_stores(known: Settings) -> None:
    def store(*endpoints: tuple[str, str]) -> dict[str, Any]:
        return {"type": "object-store", "endpoints": [{"interface": kind, "url": url} for kind, url in endpoints]}

    ours = f"{known.url}/v1/AUTH_1"
    others = [store(), store(("public", "http://elsewhere.example/v1/AUTH_1")), {"type": "identity", "endpoints": []}]
    assert store_in([*others, store(("internal", "http://inside.example/v1/AUTH_1"), ("public", ours))], known.url) == ours
    with pytest.raises(ZebraError, match=f"no object store at {known.url}"):
        store_in(others, known.url)


def test_roles() -> None:
    assert [roles(user) for user in USERS] == [("member",), ("reader",), ("member",), ("member", "ResellerAdmin")]
