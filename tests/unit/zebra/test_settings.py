from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zebra import settings
from zerocloud.zebra.errors import DirectoryError, SettingsError
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import Settings, Wish


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    return layout


def test_a_fresh_zebra(layout: Layout) -> None:
    known = settings.settle(layout, Wish())
    assert (known.nodes, known.ec, known.replicas) == (4, False, 3)
    assert len(known.servers) == 13
    assert known.servers[:4] == ("proxy", "account-1", "container-1", "object-1")
    other = settings.settle(layout, Wish())
    assert len({known.hash_prefix, known.hash_suffix, other.hash_prefix, other.hash_suffix}) == 4
    assert known.fernet_key != other.fernet_key


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish(proxy_workers=0), "--proxy-workers 0: expected 1 to 16"),
        (Wish(proxy_workers=17), "expected 1 to 16"),
        (Wish(proxy_workers=2, together=True), "one process for everything"),
    ],
)
def test_workers_that_can_not_be(wish: Wish, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        settings.check_wish(wish)


def test_settings_survive_a_restart(layout: Layout) -> None:
    known = settings.settle(layout, Wish(nodes=2, overrides={"proxy/app/a": "1"})).with_ports({"proxy": 80})
    settings.save(layout, known)
    assert stat.S_IMODE(layout.mark.stat().st_mode) == 0o600
    assert settings.load(layout) == known
    assert settings.settle(layout, Wish()) == known
    assert settings.settle(layout, Wish(nodes=2, overrides={"proxy/app/b": "2"})).overrides == {
        "proxy/app/a": "1",
        "proxy/app/b": "2",
    }
    assert settings.settle(layout, Wish(overrides={"proxy/app/a": ""})).overrides == {}


def test_what_cannot_change(layout: Layout) -> None:
    settings.save(layout, settings.settle(layout, Wish(nodes=3)))
    with pytest.raises(SettingsError, match="made with --nodes 3, which can't become 4"):
        settings.settle(layout, Wish(nodes=4))
    with pytest.raises(SettingsError, match="made without --ec, and"):
        settings.settle(layout, Wish(ec=True))


@pytest.mark.parametrize(("nodes", "replicas"), [(1, 1), (2, 2), (3, 3), (64, 3)])
def test_fewer_nodes_than_three_keep_fewer_copies(layout: Layout, nodes: int, replicas: int) -> None:
    assert settings.settle(layout, Wish(nodes=nodes)).replicas == replicas


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(nodes=0), "--nodes 0: expected 1 to 64"),
        (Wish(nodes=65), "expected 1 to 64"),
        (Wish(port=0), "--port 0: expected 1 to 65535"),
        (Wish(port=65536), "expected 1 to 65535"),
        (Wish(nodes=2, ec=True), "--ec needs at least 3 nodes, there are 2"),
        (Wish(overrides={"proxy/app": "1"}), "SERVER/SECTION/OPTION"),
        (Wish(overrides={"nobody/app/a": "1"}), "SERVER one of proxy, account"),
        (Wish(overrides={"proxy/app/a": "1\n[evil]"}), "control characters"),
    ],
)
def test_impossible_wishes(layout: Layout, wish: Wish, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings.settle(layout, wish)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"format": 2}', '{"format": 1, "nodes": 4}', '{"format": 1, "x": 4}']
)
def test_a_mark_that_is_not_one(layout: Layout, text: str) -> None:
    layout.mark.write_text(text)
    with pytest.raises(DirectoryError, match=r"zebra\.json"):
        settings.load(layout)


@given(st.text(max_size=60))
def test_any_text_as_mark_gives_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    layout = Layout.at(tmp_path_factory.mktemp("mark"))
    layout.mark.write_text(text, errors="replace")
    with pytest.raises(DirectoryError):
        settings.load(layout)


def test_addresses_and_users() -> None:
    assert settings.address_of("proxy") == "127.0.0.1"
    assert settings.address_of("object-17") == "127.0.0.17"
    assert settings.user_called("test2:tester2").key == "testing2"
    assert ".admin" not in settings.user_called("test:tester3").groups
    with pytest.raises(SettingsError, match="test:tester,"):
        settings.user_called("nobody")


def test_the_url_is_the_proxy_s() -> None:
    known = Settings(1, False, "p", "s", "k", ports={"proxy": 4711})
    assert known.url == "http://127.0.0.1:4711"
