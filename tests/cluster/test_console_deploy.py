"""The console as objects of a container, and the command that puts it there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import simplejson
from click.testing import CliRunner

from tests.cluster.browser import Page
from tests.cluster.conftest import Client
from zerocloud.cli.command import main
from zerocloud.zebra import Zebra
from zerocloud.zebra.probe import Login


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

    # Deployed again, it only manages files.
    client.put(f"{container}/program.wasm", "")
    assert shell.invoke(main, ["console", "deploy", container, "--no-execution"]).exit_code == 0
    page.driver.get(f"{address}?again#/store/~/{container}")
    page.press("Actions for program.wasm")
    page.says("Metadata and type…")
    assert "Run" not in page.text
    assert [link.text for link in page.all("nav.pages a")] == ["Store"]
    page.driver.get(f"{address}?again#/map")
    page.says("There is no such page.")
    assert not page.complaints()


class Keystone(BaseHTTPRequestHandler):
    """As much of an identity service as a browser asks of one; its token is TempAuth's."""

    login: Login
    asked: ClassVar[list[dict]] = []

    def do_OPTIONS(self) -> None:
        self.answer(200, b"")

    def do_POST(self) -> None:
        asked = simplejson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(asked)
        if asked["auth"]["identity"]["password"]["user"]["password"] != "secret":
            return self.answer(401, b"{}")
        endpoints = [{"interface": "internal", "url": "http://inside"}, {"interface": "public", "url": self.login.storage_url}]
        catalog = [{"type": "compute", "endpoints": []}, {"type": "object-store", "endpoints": endpoints}]
        return self.answer(201, simplejson.dumps({"token": {"catalog": catalog}}).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "content-type")
        self.send_header("Access-Control-Expose-Headers", "X-Subject-Token")
        self.send_header("X-Subject-Token", self.login.token)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def keystone(zebra: Zebra) -> Iterator[str]:
    handler = type("Handler", (Keystone,), {"login": zebra.login()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_signing_in_at_a_keystone(page: Page, client: Client, container: str, shell: CliRunner, keystone: str) -> None:
    done = shell.invoke(main, ["console", "deploy", container, "--auth-url", f"{keystone}/v3", "--connect", keystone])
    assert done.exit_code == 0, done.output
    page.driver.get(done.output.strip())
    page.press("Sign out")
    page.fill("user", "ada")
    page.fill("key", "wrong")
    page.fill("project", "engines")
    page.press("Sign in")
    page.says("Keystone does not know this user, password and project.")
    page.fill("key", "secret")
    page.press("Sign in")
    page.says("New container")
    page.says("engines:ada")
    scope = {"project": {"name": "engines", "domain": {"name": "Default"}}}
    assert Keystone.asked[-1]["auth"]["scope"] == scope
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
