"""The console in a browser: zapps are deployed, run with arguments, and found again."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
import requests
import simplejson

from tests import guests
from tests.cluster.browser import Page
from tests.cluster.conftest import Client
from tests.cluster.test_console_jobs import ends
from zerocloud.zebra import Zebra

ABOUT = """meta: {name: shout, Summary: <b>Says</b> what it is told.}
help: {args: [[what, What to say]]}
ui: [page/*]
"""
MAP = [
    {
        "name": "shout",
        "exec": {"path": "file://bin/shout.wasm", "args": "first"},
        "devices": [{"name": "stdout", "content_type": "text/plain"}],
    }
]


def bundle(path: Path, kind: int, compressed: bool, map_name: str = "boot/system.map") -> Path:
    deep = f"page/{'long/' * 30}style.css"
    files = {
        map_name: simplejson.dumps(MAP).encode(),
        "zapp.yaml": ABOUT.encode(),
        "bin/shout.wasm": guests.compiled("arguments"),
        deep: b"a {}",
        "page/index.html.tmpl": b"{{ zapp.meta.name }}",
    }
    with tarfile.open(path, "w:gz" if compressed else "w", format=kind) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def zapps(page: Page, zebra: Zebra) -> Page:
    page.driver.get(f"{zebra.proxy_url}/console/#/zapps")
    page.until(lambda: page.find("h1").text == "Zapps")
    return page


def deploy(page: Page, path: Path, container: str) -> None:
    page.press("Deploy a zapp…")
    page.find("[name=zapp]").send_keys(str(path))
    page.fill("container", container)
    page.press("Deploy")


def test_a_zapp_is_deployed_and_run(zapps: Page, client: Client, container: str, tmp_path: Path) -> None:
    deploy(zapps, bundle(tmp_path / "shout.zapp", tarfile.GNU_FORMAT, True), container)
    zapps.says("page/index.html.tmpl: templates of pages are filled in by zpm deploy only")
    names = client.names(container)
    assert {"boot/system.map", "shout.zapp"} < set(names)
    assert any(name.endswith("long/style.css") for name in names)
    with tarfile.open(fileobj=io.BytesIO(client.get(f"{container}/shout.zapp").content), mode="r:") as stored:
        assert "bin/shout.wasm" in stored.getnames()
    zapps.says("<b>Says</b> what it is told.")
    field = zapps.until(lambda: zapps.driver.find_element("css selector", ".zapp input[aria-label='What to say']"))
    field.send_keys('a, "b" c')
    zapps.press("Run")
    ends(zapps, "succeeded")
    # Unlike the map below it, the answer has the words as they were typed.
    zapps.says('a, "b" c')
    assert not zapps.complaints()


def test_what_is_no_zapp(zapps: Page, client: Client, container: str, tmp_path: Path) -> None:
    (tmp_path / "text.zapp").write_text("just a text" * 100)
    deploy(zapps, tmp_path / "text.zapp", container)
    zapps.says("no tar archive")
    zapps.press("Cancel")
    deploy(zapps, bundle(tmp_path / "other.zapp", tarfile.PAX_FORMAT, False, "boot/other"), container)
    zapps.says("it has no boot/system.map")
    zapps.press("Cancel")
    client.put(f"{container}/something", "")
    deploy(zapps, bundle(tmp_path / "shout.zapp", tarfile.PAX_FORMAT, False), container)
    zapps.says("is not empty")
    zapps.press("Cancel")
    assert client.names(container) == ["something"]


def app(files: list[tuple[str, str]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, text in files:
            archive.writestr(name, text)
    return packed.getvalue()


def test_an_app_is_added_opened_and_removed(zapps: Page, client: Client, tmp_path: Path) -> None:
    told = {
        "name": "My <b>App</b>",
        "version": "1.2",
        "author": "Ada",
        "icon": "../../secret",
        "homepage": "javascript:alert(1)",
    }
    client.put_container(".gui", X_Container_Read="test2:tester2")
    lying = bytearray(app([("app/manifest.json", "{}"), ("app/index.html", "much more")], zipfile.ZIP_STORED))
    at = lying.rindex(b"PK\1\2") + 24  # the size of the last file, as the directory has it
    lying[at : at + 4] = bytes(4)
    page = ("app/index.html", "<h1>hello</h1>" * 100)
    manifest = ("app/manifest.json", simplejson.dumps(told))
    for packed, said in (
        (app([("other.txt", "x"), page]), "it has no manifest.json"),
        (app([manifest, page, ("app/../../x/y", "x")]), "app/../../x/y: a file of an app can't have this name"),
        (bytes(lying), "This zip archive is damaged"),
        (app([("app/css/manifest.json", "{}"), manifest, page, ("app/css/a.css", "h1 {}")]), "My <b>App</b>"),
    ):
        (tmp_path / "app.zip").write_bytes(packed)
        zapps.press("Add an app…")
        zapps.find("[name=app]").send_keys(str(tmp_path / "app.zip"))
        zapps.press("Add")
        zapps.says(said)
        if said != told["name"]:
            zapps.press("Cancel")
    zapps.says("Version 1.2 by Ada")
    assert not zapps.all("article.app img, article.app p a")
    address = zapps.find("article.app a.button").get_attribute("href")
    opened = requests.get(address, timeout=30)
    assert (opened.text, opened.headers["Content-Type"]) == ("<h1>hello</h1>" * 100, "text/html")
    assert client.get(".gui").headers["X-Container-Read"] == "test2:tester2,.r:*"
    assert client.get(".gui/app-locations").json() == ["My-b-App-b"]
    zapps.picture("apps")
    zapps.press("Remove My <b>App</b>…")
    zapps.press("Remove")
    zapps.says("No apps yet.")
    zapps.until(lambda: client.names(".gui") == ["app-locations"])
    client.request("DELETE", ".gui/app-locations")
    client.request("DELETE", ".gui")
    assert not zapps.complaints()
