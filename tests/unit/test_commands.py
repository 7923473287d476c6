"""All commands: the pages name each of them and each option and nothing else, and no mistake of a user is a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from zerocloud.cli.command import main as zerocloud
from zerocloud.local.commands import main as zapp
from zerocloud.zebra.command import main as zebra
from zerocloud.zpm.command import main as zpm
from zerocloud.zvsh.command import main as zvsh

ROOT = Path(__file__).parents[2]
PAGES = {
    "zapp": "doc/local.md",
    "zerocloud": "doc/client.md",
    "zebra": "doc/zebra.md",
    "zpm": "doc/zpm.md",
    "zvsh": "doc/executor.md",
}
MAINS: dict[str, click.Command] = {"zapp": zapp, "zerocloud": zerocloud, "zebra": zebra, "zpm": zpm, "zvsh": zvsh}
EVERYWHERE = {"--help", "--version"}


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """All commands below this one that do something, each with the words that call it."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        below = command.get_command(context, word)
        assert below is not None
        yield from leaves(f"{name} {word}", below)


ALL = dict(pair for name, command in MAINS.items() for pair in leaves(name, command))


def options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


@pytest.mark.parametrize("words", ALL)
def test_the_page_names_the_command_and_its_options(words: str) -> None:
    name, *rest = words.split()
    page = (ROOT / PAGES[name]).read_text()
    # Either `zerocloud job show`, or a row or sentence on `zerocloud job` with `show`.
    assert f"`{words}" in page or re.search(rf"`{name} {rest[0]}`.*`{rest[-1]}`", page)
    missing = [one.opts for one in options(ALL[words]) if not any(re.search(rf"`[^`\n]*{word}\b", page) for word in one.opts)]
    assert missing == []


WITHOUT_JSON = {"zerocloud cc", "zebra logs", "zpm help", "zpm version", "zvsh"}
"""What they print is the compiler's, the servers', the program's, or for people only."""


@pytest.mark.parametrize("words", ALL)
def test_programs_can_read_what_it_says(words: str) -> None:
    assert ("--json" in [word for one in options(ALL[words]) for word in one.opts]) == (words not in WITHOUT_JSON)


@pytest.mark.parametrize("name", ["zapp", "zerocloud", "zebra", "zpm"])
def test_the_page_names_no_command_that_does_not_exist(name: str) -> None:
    pages = "".join(page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "doc").glob("*.md"))])
    known = {words.split()[1] for words in ALL if words.startswith(f"{name} ")}
    assert set(re.findall(rf"(?:`|^    |\(){name} ([a-z][a-z-]*)", pages, re.MULTILINE)) <= known


@pytest.mark.parametrize("name", ["zapp", "zerocloud", "zebra", "zpm"])
def test_the_tables_name_no_option_that_does_not_exist(name: str) -> None:
    rows = re.findall(r"^\| `-.*?\|", (ROOT / PAGES[name]).read_text(), re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(--[a-z-]+)", row)}
    known = {word for words, command in ALL.items() if words.startswith(name) for one in options(command) for word in one.opts}
    assert named <= known


@pytest.mark.parametrize("words", sorted(ALL.keys() - {"zpm help", "zpm version"}))
def test_the_help_has_examples(words: str) -> None:
    name, *rest = words.split()
    result = CliRunner().invoke(MAINS[name], [*rest, "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(rf"Examples?:\n(?s:.*)  (eval \S+)?{words}", result.stdout)


@pytest.mark.parametrize("name", ["zapp", "zerocloud", "zebra", "zpm"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands(name: str, shell: str) -> None:
    variables = {
        f"_{name.upper()}_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": f"{name} ",
        "COMP_CWORD": "1" if shell != "fish" else "",
    }
    told = CliRunner().invoke(MAINS[name], env=variables, prog_name=name).stdout
    assert {words.split()[1] for words in ALL if words.startswith(f"{name} ")} <= set(re.split(r"[\s,]+", told))


@pytest.mark.parametrize("line", ["zerocloud run", "zapp run", "zpm execute", "zvsh"])
def test_the_shell_completes_files(line: str) -> None:
    name = line.split()[0]
    variables = {f"_{name.upper()}_COMPLETE": "bash_complete", "COMP_WORDS": f"{line} na", "COMP_CWORD": str(len(line.split()))}
    assert CliRunner().invoke(MAINS[name], env=variables, prog_name=name).stdout == "file,na\n"


@pytest.mark.parametrize(
    ("line", "meant"),
    [("zerocloud rnu", "run"), ("zpm versoin", "version"), ("zebra dwon", "down"), ("zvsh --zvm-debgu x", "--zvm-debug")],
)
def test_a_word_that_is_nearly_right(line: str, meant: str) -> None:
    name, *rest = line.split()
    result = CliRunner().invoke(MAINS[name], rest)
    assert result.exit_code == 2
    assert "No such" in result.stderr
    assert meant in result.stderr


NOWHERE = {"OS_STORAGE_URL": "http://127.0.0.1:9/v1/AUTH_a", "OS_AUTH_TOKEN": "t"}
"""A server that can't be reached: nothing listens on the port discard."""

BAD_JSON = [
    "zerocloud run bad.json",
    "zerocloud explain bad.json",
    "zerocloud explain bad.json --cluster",
    "zerocloud explain good.json --listing bad.json",
    "zebra status --dir bad",
    "zebra up --dir bad",
    "zebra doctor --dir bad",
    "zebra env --dir bad",
    "zebra down --dir bad",
    "zebra logs --dir bad",
    "zpm execute bad.json",
    "zpm deploy c bad.json",
    "zvsh ./bad.json",
]
NO_FILE = [
    "zerocloud cc none.c",
    "zerocloud run none.json",
    "zerocloud run swift://~/c/o --payload none",
    "zerocloud explain none.json",
    "zerocloud explain good.json --listing none.json",
    "zerocloud image verify none.tar",
    "zerocloud image build none",
    "zpm bundle",
    "zpm execute none.zapp",
    "zpm deploy c none.zapp",
    "zvsh ./none",
    "zvsh --zvm-image none.tar program",
]
NO_SERVER = [
    "zerocloud run good.json",
    "zerocloud run good.json --json",
    "zerocloud run good.json --detach",
    "zerocloud explain good.json --cluster",
    "zerocloud self-check",
    "zerocloud self-check --json",
    "zerocloud job list",
    "zerocloud job list --json",
    "zerocloud job show last",
    "zerocloud job watch j",
    "zerocloud job logs j",
    "zerocloud job cancel j",
    "zerocloud job wait j",
    "zerocloud job rerun j",
    "zerocloud console deploy",
    "zpm execute good.zapp",
    "zpm execute --container c",
    "zpm deploy c good.zapp",
    "zpm auth -A http://127.0.0.1:9/auth/v1.0 -U u -K k",
]


@pytest.mark.parametrize("line", [*BAD_JSON, *NO_FILE, *NO_SERVER])
def test_a_mistake_is_a_sentence_and_an_exit_code(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.json").write_text('[{"name": \x00')
    Path("good.json").write_text("[]")
    Path("good.zapp").write_bytes(b"")
    Path("bad").mkdir()
    Path("bad/zebra.json").write_text("{]")
    name, *rest = line.split()
    result = CliRunner().invoke(MAINS[name], rest, env={**NOWHERE, "ZEBRA_DIR": ""})
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code != 0
    assert result.output.strip()
    assert "Traceback" not in result.output
