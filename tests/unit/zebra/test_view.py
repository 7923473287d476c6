from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from rich.console import Console

from zerocloud.zebra import view
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.probe import Login
from zerocloud.zebra.settings import USERS, Settings, User

TEMPAUTH = Settings(1, False, "p", "s", "k", ports={"proxy": 1})
KEYSTONE = Settings(1, False, "p", "s", "k", ports={"proxy": 1, "keystone": 2}, auth="keystone")


def printed(renderable: object) -> str:
    console = Console(width=160, record=True, quiet=True)
    console.quiet = False
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_exports_are_safe_for_a_shell() -> None:
    user = User("test", "tester", "it's $(rm -rf /)")
    lines = view.exported(view.variables(TEMPAUTH, user, Login("http://127.0.0.1:1/v1/AUTH_test", "AUTH_tk")))
    values = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert values == {
        "ST_AUTH": "http://127.0.0.1:1/auth/v1.0",
        "ST_USER": "test:tester",
        "ST_KEY": "it's $(rm -rf /)",
        "OS_STORAGE_URL": "http://127.0.0.1:1/v1/AUTH_test",
        "OS_AUTH_TOKEN": "AUTH_tk",
    }
    assert view.s3_variables(TEMPAUTH, USERS[0])["AWS_ACCESS_KEY_ID"] == "test:tester"


def test_where_it_is_for_programs(tmp_path: Path) -> None:
    told = view.place(Layout.at(tmp_path), KEYSTONE)
    assert told == {
        "directory": str(tmp_path),
        "url": "http://127.0.0.1:1",
        "console": "http://127.0.0.1:1/console/",
        "keystone": "http://127.0.0.1:2/v3",
    }
    assert view.place(Layout.at(tmp_path), TEMPAUTH, console=False)["console"] is None


def test_exports_for_keystone(tmp_path: Path) -> None:
    lines = view.exported(view.variables(KEYSTONE, USERS[0], Login("http://127.0.0.1:1/v1/AUTH_x", "tk")))
    assert lines[:5] == [
        "export OS_AUTH_URL=http://127.0.0.1:2/v3",
        "export OS_IDENTITY_API_VERSION=3",
        "export OS_USERNAME=tester",
        "export OS_PASSWORD=testing",
        "export OS_PROJECT_NAME=test",
    ]
    assert view.s3_variables(KEYSTONE, USERS[0])["AWS_ACCESS_KEY_ID"] == "tester"
    text = printed(view.welcome(Layout.at(tmp_path), KEYSTONE, USERS[0], detached=True))
    assert "http://127.0.0.1:2/v3" in text
    assert "user tester, password testing, project test" in text


def test_the_welcome_names_commands_that_work_from_anywhere(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "my zebra")
    text = printed(view.welcome(layout, TEMPAUTH, USERS[0], detached=True))
    assert f"zebra down --dir '{layout.directory}'" in text
    assert "Ctrl-C" not in text
    assert "Ctrl-C" in printed(view.welcome(layout, TEMPAUTH, USERS[0], detached=False))


def test_the_table_shows_the_dead() -> None:
    common = {"address": "127.0.0.2", "ports": {"object": 6000}, "pid": 17}
    report = {
        "directory": "/z[bold]",
        "url": "http://127.0.0.1:1",
        "replicas": 3,
        "ec": True,
        "uptime": 3700,
        "walls": "all stand",
        "processes": [
            {"name": "node1", "state": "running", "ending": None, "uptime": 61, "memory": 40 << 20, **common},
            {"name": "node2", "state": "dead", "ending": "was killed by SIGKILL", "uptime": None, "memory": None, **common},
        ],
    }
    text = printed(view.status_table(report))
    for words in (
        "/z[bold]",
        "up 1h 1m",
        "40 MiB",
        "1m 1s",
        "was killed by SIGKILL",
        "object:6000",
        "all stand",
        "erasure-coded",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.4, "0s"), (59, "59s"), (60, "1m 0s"), (7260, "2h 1m"), (90000, "1d 1h")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert view.duration(seconds) == text
