"""The console as objects of a container, and the command that puts it there."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tests.cluster.browser import Page
from tests.cluster.conftest import Client
from zerocloud.cli.command import main
from zerocloud.zebra import Zebra


@pytest.fixture
def shell(zebra: Zebra) -> CliRunner:
    login = zebra.login()
    return CliRunner(env={"OS_STORAGE_URL": login.storage_url, "OS_AUTH_TOKEN": login.token})


def test_it_works_from_a_container(page: Page, client: Client, container: str, shell: CliRunner) -> None:
    done = shell.invoke(main, ["console", "deploy", container])
    assert done.exit_code == 0, done.output
    address = done.output.strip()
    assert address == f"{client.url}/{container}/index.html"
    # The browser has the session of the page that the proxy serves: both have one origin.
    page.driver.get(f"{address}#/store/~/{container}")
    page.press("index.html", "a")
    page.find(".editor")
    page.driver.get(f"{address}#/map")
    page.says("Run a job")
    assert not page.complaints()


def test_what_has_not_changed_is_left_alone(client: Client, container: str, shell: CliRunner) -> None:
    assert shell.invoke(main, ["console", "deploy", container]).exit_code == 0
    client.put(f"{container}/icon.svg", "something else")
    before = {name: client.request("HEAD", f"{container}/{name}").headers["X-Timestamp"] for name in client.names(container)}
    assert shell.invoke(main, ["console", "deploy", container]).exit_code == 0
    after = {name: client.request("HEAD", f"{container}/{name}").headers["X-Timestamp"] for name in client.names(container)}
    assert [name for name in after if before[name] != after[name]] == ["icon.svg"]


@pytest.mark.parametrize("words", [("a/b",), ("--connect", "https://a b; script-src *"), ("--connect", "'unsafe-inline'")])
def test_words_that_can_t_be_used(words: tuple[str, ...], shell: CliRunner) -> None:
    done = shell.invoke(main, ["console", "deploy", *words])
    assert done.exit_code == 2
    assert "Error:" in done.output
    assert "Traceback" not in done.output


def test_nobody_s_token(zebra: Zebra) -> None:
    runner = CliRunner(env={"OS_STORAGE_URL": zebra.login().storage_url, "OS_AUTH_TOKEN": "no such token"})
    done = runner.invoke(main, ["console", "deploy"])
    assert done.exit_code == 1
    assert "Error:" in done.output
