"""What a user of a running cluster gets wrong: every command says it in one line, and ends with exit code 1."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from zerocloud.cli.command import main as zerocloud
from zerocloud.zebra import Zebra
from zerocloud.zpm.command import main as zpm

MAINS: Mapping[str, click.Command] = {"zerocloud": zerocloud, "zpm": zpm}
UNSET = ("OS_CLOUD", "OS_STORAGE_URL", "OS_AUTH_TOKEN", "OS_AUTH_URL", "ST_AUTH", "ST_USER", "ST_KEY")
JOB = [{"name": "n", "exec": {"path": "swift://~/none/program.wasm"}, "devices": [{"name": "stdout"}]}]

COMMANDS = ["zerocloud run job.json --quiet", "zerocloud job list", "zpm execute job.zapp"]


@pytest.fixture
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("job.json").write_text(json.dumps(JOB))
    Path("typo.json").write_text(json.dumps([{**JOB[0], "conut": 2}]))
    with tarfile.open("job.zapp", "w") as archive:
        archive.add("job.json", "boot/system.map")


def told(line: str, variables: Mapping[str, str]) -> str:
    """What the command says of a mistake, its exit code being 1."""
    name, *rest = line.split()
    result = CliRunner().invoke(MAINS[name], rest, env={**dict.fromkeys(UNSET), **variables})
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    text = result.stderr.removeprefix("Error:").strip()
    assert len(text.splitlines()) == 1, text
    return text


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize("line", COMMANDS)
def test_who_is_not_let_in(line: str, zebra: Zebra) -> None:
    mine, other = zebra.login(), zebra.login("test2:tester2")
    door = {"ST_AUTH": f"{zebra.proxy_url}/auth/v1.0", "ST_USER": "test:tester"}
    assert "wrong user or password" in told(line, {**door, "ST_KEY": "wrong"})
    assert "sign in again" in told(line, {"OS_STORAGE_URL": mine.storage_url, "OS_AUTH_TOKEN": "expired"})
    assert "no right to /v1/AUTH_test" in told(line, {"OS_STORAGE_URL": mine.storage_url, "OS_AUTH_TOKEN": other.token})


@pytest.mark.usefixtures("_files")
def test_what_is_not_there_and_what_no_map_says(zebra: Zebra) -> None:
    login = zebra.login()
    me = {"OS_STORAGE_URL": login.storage_url, "OS_AUTH_TOKEN": login.token}
    assert "/AUTH_test/none" in told("zerocloud run job.json --quiet", me)
    assert 'Did you mean "count"' in told("zerocloud run typo.json --quiet", me)
