"""The command line's answers to mistakes, before anything is started."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from zerocloud.zebra.command import main
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import Wish, save, settle


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"ZEBRA_DIR": "", **variables})


@pytest.fixture
def asleep(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    save(layout, settle(layout, Wish()))
    return layout


@pytest.mark.parametrize("command", ["status", "env", "logs", "down"])
def test_not_a_zebra(tmp_path: Path, command: str) -> None:
    result = run(command, "--dir", str(tmp_path))
    assert result.exit_code == 1
    assert f"Error: {tmp_path}: not a Zebra's directory" in result.output
    result = run(command, "--dir", str(tmp_path / "missing"))
    assert result.exit_code == 1
    assert "no such directory" in result.output


@pytest.mark.parametrize("command", ["status", "env"])
def test_not_running(asleep: Layout, command: str) -> None:
    result = run(command, "--dir", str(asleep.directory))
    assert result.exit_code == 3
    assert f"does not run; start it by 'zebra up --dir {asleep.directory}'" in result.output


def test_down_twice_is_no_mistake(asleep: Layout) -> None:
    result = run("down", "--dir", str(asleep.directory))
    assert result.exit_code == 0
    assert "nothing was running" in result.output


def test_destroy(asleep: Layout) -> None:
    result = run("down", "--destroy", "--dir", str(asleep.directory))
    assert result.exit_code == 0
    assert not asleep.directory.exists()


def test_down_tells_programs_what_it_did(asleep: Layout) -> None:
    place = {"directory": str(asleep.directory)}
    for words, gone in ((["down"], False), (["down", "--destroy"], True)):
        result = run(*words, "--json", "--dir", str(asleep.directory))
        assert (result.exit_code, json.loads(result.stdout)) == (0, {**place, "was_running": False, "gone": gone})


def test_destroy_nothing_but_a_zebra(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert run("down", "--destroy", "--dir", str(tmp_path)).exit_code == 1
    assert (tmp_path / "thesis.tex").exists()


def test_the_directory_of_the_environment(asleep: Layout) -> None:
    result = run("down", ZEBRA_DIR=str(asleep.directory))
    assert str(asleep.directory) in result.output


def test_the_directory_of_last_resort(asleep: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(asleep.directory)
    assert f"{asleep.directory / 'zebra'}: no such directory" in run("status").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json"], "goes with --detach"),
        (["--nodes", "0"], "--nodes 0: expected 1 to 64"),
        (["--port", "99999"], "--port 99999"),
        (["--ec", "--nodes", "1"], "--ec needs at least 3 nodes"),
        (["--set", "proxy"], "expected SERVER/SECTION/OPTION=VALUE"),
        (["--set", "proxy=1"], "expected SERVER/SECTION/OPTION"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = run("up", "--dir", str(tmp_path / "z"), *arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "z").exists()


def test_no_such_log(asleep: Layout) -> None:
    asleep.log_of("proxy").write_text("one\ntwo\n")
    asleep.log_of("node1").write_text("three\n")
    result = run("logs", "--dir", str(asleep.directory), "nodeX")
    assert result.exit_code == 2
    assert "there are node1, proxy" in result.output
    assert run("logs", "--dir", str(asleep.directory), "-n", "1", "proxy").output == "two\n"
    assert run("logs", "--dir", str(asleep.directory)).output == "node1: three\nproxy: one\nproxy: two\n"


def test_completion_knows_the_logs(asleep: Layout) -> None:
    asleep.log_of("node1").touch()
    asleep.log_of("proxy").touch()
    line = {"_ZEBRA_COMPLETE": "bash_complete", "COMP_WORDS": f"zebra logs --dir {asleep.directory} no", "COMP_CWORD": "4"}
    result = CliRunner().invoke(main, [], env=line, prog_name="zebra")
    assert result.output == "plain,node1\n"


def test_help_has_examples() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert 'eval "$(zebra env --dir /tmp/z)"' in result.output
    assert "zebra up --nodes 6 --port 8080" in run("up", "--help").output


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        result = run("up", "--dir", str(tmp_path / "z"), "--port", str(thief.getsockname()[1]))
    assert result.exit_code == 1
    assert "is taken by another process" in result.output
    assert not (tmp_path / "z").exists()
