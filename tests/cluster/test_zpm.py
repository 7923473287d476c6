"""zpm against a real cluster: a C program from its source to its answer, and a service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import guests
from tests.cluster.browser import Page
from tests.cluster.conftest import Client
from tests.cluster.jobs import nothing_left
from zerocloud import zpm as zpm_package
from zerocloud.zebra import Zebra

SERVICE = """\
meta: {name: echo}
execution:
  groups:
    - name: echo
      path: file://copy.wasm
      devices: [{name: stdin}, {name: stdout, content_type: message/http}]
bundling: ["copy.wasm"]
"""

ARGUMENTS = """\
meta: {name: told}
execution:
  groups: [{name: n, path: "file://arguments.wasm", devices: [{name: stdout, content_type: text/plain}]}]
help: {description: Tells <b>what</b> it is told., args: [[what, What to say]]}
bundling: [arguments.wasm]
ui: [index.html.tmpl, style.css, zerocloud.js]
"""


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra) -> Iterator[None]:
    with nothing_left(zebra):
        yield


class Zpm:
    """The command, as a user of the cluster calls it."""

    def __init__(self, zebra: Zebra) -> None:
        login = zebra.login()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # zapps may build with "python"
        self.variables = {**os.environ, "OS_STORAGE_URL": login.storage_url, "OS_AUTH_TOKEN": login.token, "PATH": path}

    def __call__(self, folder: Path, *words: str) -> str:
        command = (sys.executable, "-m", "zerocloud.zpm", *words)
        done = subprocess.run(command, cwd=folder, env=self.variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def zpm(zebra: Zebra) -> Zpm:
    return Zpm(zebra)


def test_from_the_template_to_the_answer(zpm: Zpm, client: Client, container: str, tmp_path: Path) -> None:
    zpm(tmp_path, "new", "greet", "--template", "c", "--with-ui")
    folder = tmp_path / "greet"
    zpm(folder, "bundle")
    assert zpm(folder, "execute", "greet.zapp") == "Hello, world!\n"
    told = zpm(folder, "deploy", f"{container}/greet", "greet.zapp", "--public", "--execute")
    url = told.split()[3]
    assert told.endswith("Hello, world!\n")
    page = requests.get(url, timeout=60)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert "The greet App" in page.text
    assert zpm(folder, "execute", "--container", f"{container}/greet") == "Hello, world!\n"
    assert client.get(f"{container}/greet/zerocloud.js").headers["Content-Type"].startswith(("text/", "application/"))
    client.request("POST", container, X_Remove_Container_Read="x")


def test_the_page_runs_the_zapp(zpm: Zpm, zebra: Zebra, page: Page, container: str, tmp_path: Path) -> None:
    (tmp_path / "zapp.yaml").write_text(ARGUMENTS)
    (tmp_path / "arguments.wasm").write_bytes(guests.compiled("arguments"))
    for source in (Path(zpm_package.__file__).parent / "templates/ui").iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    zpm(tmp_path, "bundle")
    told = zpm(tmp_path, "deploy", container, "told.zapp", "--force", "--public")
    page.driver.get(told.split()[3])
    page.says("Tells <b>what</b> it is told.")
    page.find("#field-1").send_keys('two words, and a "quote"')
    page.press("Execute")
    page.says("Failed: ")  # there was no token
    page.find("#field-0").send_keys(zebra.login().token)
    page.press("Execute")
    page.says('two words, and a "quote"')


def test_a_service(zpm: Zpm, zebra: Zebra, client: Client, container: str, tmp_path: Path) -> None:
    (tmp_path / "zapp.yaml").write_text(SERVICE)
    (tmp_path / "copy.wasm").write_bytes(guests.compiled("copy"))
    zpm(tmp_path, "bundle")
    zpm(tmp_path, "deploy", container, "echo.zapp", "--force")
    url = client.url.replace("/v1/", "/open/") + f"/{container}/echo.zapp"
    sent = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/x-echo\r\n\r\nhello"
    answer = client.session.post(url, data=sent, timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0], answer.text) == (202, "text/x-echo", "hello")
