"""A folder with a zapp, and zpm's command line against a transport of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.client.transport import Transport, connection
from zerocloud.zpm.command import main
from zerocloud.zpm.commands import auth, deploy, execute

ZAPP = """\
meta: {name: hello}
execution:
  groups: [{name: n, path: "file://p.wasm", devices: [{name: stdout}]}]
bundling: ["*.wasm", "lib"]
ui: ["page/*"]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It is the current folder."""
    files = {
        "zapp.yaml": ZAPP,
        "p.wasm": "program",
        "lib/a/b.txt": "b",
        "lib/c.txt": "c",
        "page/index.html.tmpl": "<h1>{{ name }}</h1><script>x({{ zapp }}, {{ auth_opts }}, {{ other }})</script>",
        "page/style.css": "{{ name }}",
    }
    for name, text in files.items():
        path = tmp_path / "hello" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path / "hello")
    return tmp_path / "hello"


@pytest.fixture
def zpm(monkeypatch: pytest.MonkeyPatch):
    """Runs a command line. ``told`` is what the cluster answers."""

    def invoke(*words, told=None):
        transport = Transport(told)
        for module in (auth, deploy, execute):
            monkeypatch.setattr(module, "connection", lambda: connection(transport))
        return CliRunner().invoke(main, [*map(str, words)], prog_name="zpm"), transport

    return invoke
