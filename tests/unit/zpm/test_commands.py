"""zpm's other commands, and what all have in common."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.unit.zpm.conftest import ZAPP
from zerocloud.client import Login, LoginError
from zerocloud.zpm import options
from zerocloud.zpm import watch as watching
from zerocloud.zpm.again import again
from zerocloud.zpm.command import COMMANDS, main
from zerocloud.zpm.errors import ZpmError
from zerocloud.zpm.new import create

TEMPAUTH = {"ST_AUTH": "http://h/auth/v1.0", "ST_USER": "u", "ST_KEY": "k"}
KEYSTONE = {"OS_AUTH_URL": "http://k", "OS_TENANT_NAME": "t", "OS_USERNAME": "u", "OS_PASSWORD": "p"}


def run(*words, **more):
    return CliRunner().invoke(main, words, prog_name="zpm", **more)


def test_without_a_command_the_usage_is_told():
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: zpm")
    assert result.stderr.endswith("zpm: error: too few arguments\n")


def test_help():
    listed = run("--help").stdout.partition("Commands:\n")[2]
    assert re.findall(r"^  (\w+) ", listed, re.MULTILINE)[: len(COMMANDS)] == sorted(COMMANDS)
    assert run("help").stdout == run("--help").stdout
    assert "Usage: zpm bundle" in run("help", "bundle").stdout
    result = run("help", "bundel")
    assert (result.exit_code, result.stderr) == (1, "no such command: bundel\n")
    assert "Commands:" in result.stdout
    for name in COMMANDS:
        assert run(name, "--help").exit_code == 0


def test_version():
    assert run("version").stdout == run("--version").stdout
    assert re.fullmatch(r"zpm version \d\S+\n", run("version").stdout)


def test_new_prints_what_it_makes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("new", "hello", "--with-ui")
    assert result.exit_code == 0
    printed = re.findall(r"^Created '(.*)'$", result.stdout, re.MULTILINE)
    assert printed[:2] == ["hello", "hello/zapp.yaml"]
    assert set(printed[2:]) == {
        f"hello/{name}" for name in ("README.md", "main.py", "index.html.tmpl", "style.css", "zerocloud.js", ".zapp")
    }
    assert 'name: "hello"' in (tmp_path / "hello/zapp.yaml").read_text()
    assert "zpm execute hello.zapp" in (tmp_path / "hello/README.md").read_text()
    assert run("bundle").stderr == "Error:\nno zapp.yaml file found\n"
    monkeypatch.chdir(tmp_path / "hello")
    result = run("bundle")
    assert (result.exit_code, result.stdout) == (0, "created hello.zapp\n")
    assert "page" not in json.loads(run("bundle", "--json").stdout)["members"]


def test_new_makes_all_or_nothing(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/main.py").write_text("mine")
    with pytest.raises(ZpmError, match=r"main.py' already exists!"):
        create(tmp_path / "here", "python", True)
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["main.py"]
    with pytest.raises(ZpmError, match="can't be called"):
        create(tmp_path / "a,b", "python", False)
    assert not (tmp_path / "a,b").exists()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here/main.py").unlink()
    assert run("new", "-t", "rest").exit_code == 0
    assert (tmp_path / "here/service.py").exists()


@pytest.mark.parametrize("words", [("execute", "none.zapp"), ("deploy", "c", "none.zapp")])
def test_a_zapp_that_is_not_there_is_told_before_anybody_signs_in(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert "'none.zapp' does not exist" in result.stderr


def test_auth(monkeypatch):
    monkeypatch.setattr(options, "log_in", lambda variables: Login("http://h/v1/AUTH_x", variables["ST_USER"]))
    result = run("auth", "-A", "http://h", "-U", "me", "-K", "k")
    assert result.stdout == "Auth token: me\nStorage URL: http://h/v1/AUTH_x\n"
    result = run("auth", "-A", "http://h", "-U", "me", "-K", "k", "--json")
    assert json.loads(result.stdout) == {"token": "me", "storage_url": "http://h/v1/AUTH_x"}


def test_without_credentials(monkeypatch):
    for name in (*TEMPAUTH, *KEYSTONE, "OS_STORAGE_URL", "OS_AUTH_TOKEN", "OS_CLOUD"):
        monkeypatch.delenv(name, raising=False)
    result = run("auth")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error:\nThere are no credentials")


def chosen(environment, *words):
    """The variables that are used with these options."""
    found = {}

    @click.command()
    @options.login
    def command():
        found.update(options.chosen_variables(environment))

    CliRunner().invoke(command, words, catch_exceptions=False)
    return found


def test_options_win_over_the_environment():
    assert chosen(TEMPAUTH) == TEMPAUTH
    assert chosen(TEMPAUTH, "-U", "me") == {**TEMPAUTH, "ST_USER": "me"}
    ready = {"OS_STORAGE_URL": "http://h/v1/a", "OS_AUTH_TOKEN": "t", "OS_CLOUD": "c"}
    found = chosen({**ready, **TEMPAUTH}, "-K", "other")
    assert found == {**TEMPAUTH, "ST_KEY": "other", "OS_STORAGE_URL": "http://h/v1/a"}
    assert chosen(TEMPAUTH, "--os-auth-url", "http://k") == {"OS_AUTH_URL": "http://k"}


@pytest.mark.parametrize(
    ("version", "more"),
    [("1.0", {}), ("2.0", {"OS_IDENTITY_API_VERSION": "2.0"}), ("3", {"OS_IDENTITY_API_VERSION": "3"})],
)
def test_a_version_chooses_among_both(version, more):
    found = chosen({**TEMPAUTH, **KEYSTONE, "OS_AUTH_TOKEN": "t"}, "-V", version)
    assert found == {**(TEMPAUTH if version == "1.0" else KEYSTONE), **more}


@pytest.mark.parametrize(("version", "missing"), [("1.0", "ST_KEY"), ("2.0", "OS_PASSWORD"), ("3", "OS_USERNAME")])
def test_a_version_tells_what_it_requires(version, missing):
    environment = {name: value for name, value in {**TEMPAUTH, **KEYSTONE}.items() if name != missing}
    with pytest.raises(ZpmError, match=f"Version {version[0]} auth requires .*{missing}"):
        chosen(environment, "-V", version)


def test_a_cloud_by_its_name_wins_and_stands_alone():
    assert chosen(TEMPAUTH, "--os-cloud", "mine") == {"OS_CLOUD": "mine"}
    for more in (("-V", "3"), ("-U", "me")):
        with pytest.raises(ZpmError, match="leave the other options"):
            chosen({}, "--os-cloud", "mine", *more)


def test_changes_are_noticed(tmp_path):
    files = [tmp_path / name for name in "abc"]
    for path in files[:2]:
        path.write_text("1")
    steps = iter(
        [
            lambda: None,
            lambda: files[0].write_text("22"),
            lambda: files[2].write_text("new"),
            lambda: files[1].unlink(),
        ]
    )
    found = watching.changes(lambda: files, lambda: next(steps)())
    assert [next(found) for _ in range(3)] == [[files[0]], [files[2]], [files[1]]]


def test_work_is_done_again_and_mistakes_are_waited_out(root, capsys):
    steps = iter(
        [
            lambda: (root / "p.wasm").write_text("changed"),
            lambda: (root / "zapp.yaml").write_text("execution:"),
            lambda: (root / "lib/c.txt").write_text("changed, too"),
        ]
    )

    def pause():
        try:
            next(steps)()
        except StopIteration:
            raise KeyboardInterrupt from None

    done = []

    def work():
        done.append(1)
        if len(done) == 2:
            raise LoginError("the token has expired")

    again(root, work, pause)
    assert len(done) == 3
    told = capsys.readouterr().err
    assert "p.wasm changed" in told
    assert "zapp.yaml changed" in told
    assert "c.txt changed" in told
    assert "Error:\nthe token has expired" in told


def test_what_a_build_reads_is_watched_and_what_it_makes_is_not(root, capsys):
    (root / "zapp.yaml").write_text(ZAPP + "build: make\n")
    (root / "p.c").write_text("source")
    (root / ".git").mkdir()
    steps = iter(
        [
            lambda: (root / "p.c").write_text("source, changed"),
            lambda: (root / ".git/index").write_text("of no interest"),
            lambda: (root / "hello.zapp").write_text("ours"),
        ]
    )

    def pause():
        try:
            next(steps)()
        except StopIteration:
            raise KeyboardInterrupt from None

    done = []

    def work():
        done.append(1)
        (root / "p.wasm").write_text("compiled anew")

    again(root, work, pause)
    assert done == [1]
    assert "p.c changed" in capsys.readouterr().err


def test_the_page_names_every_command_and_option():
    page = (Path(__file__).parents[3] / "doc/zpm.md").read_text()
    context = click.Context(main)
    for name in COMMANDS:
        assert f"`zpm {name}" in page, name
        command = main.get_command(context, name)
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.opts[-1] in page or parameter.opts[0] in page, (name, parameter.opts)
