"""``zapp`` and ``zvapp``, as one types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from tests import guests
from zerocloud.cli.image import command as image_command

ZAPP = [sys.executable, "-c", "from zerocloud.local.commands import main; main(prog_name='zapp')"]
ZVAPP = [sys.executable, "-c", "from zerocloud.local.commands import zvapp; zvapp()"]
MAP = [
    {
        "name": "cat",
        "exec": {"path": "swift://~/programs/copy.wasm"},
        "devices": [{"name": "stdin", "path": "swift://~/texts/*"}, {"name": "stdout", "content_type": "text/plain"}],
    }
]
YAML = """
project_type: c
meta: {name: "service"}
execution:
  groups:
    - name: service
      path: file://copy.wasm
      devices: [{name: stdin}, {name: stdout, content_type: text/plain}]
bundling: ["copy.wasm"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "programs/copy.wasm": guests.compiled("copy"),
        "programs/loop.wasm": guests.compiled("loop"),
        "texts/1": b"one\n",
        "texts/2": b"two\n",
        "job.json": json.dumps(MAP).encode(),
        "bad.json": b"[1",
        "packed/boot/system.map": json.dumps([{**MAP[0], "exec": {"path": "file://copy.wasm"}}]).encode(),
        "packed/copy.wasm": guests.compiled("copy"),
        "service/zapp.yaml": YAML.encode(),
        "service/copy.wasm": guests.compiled("copy"),
        "empty/file": b"",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def run(folder: Path, *words: str, command: list[str] = ZAPP, **keys: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, timeout=120, **keys)  # type: ignore[call-overload]


@pytest.mark.parametrize("words", [["run", "job.json"], ["run", "packed"], ["run", "-"]])
def test_every_form_of_a_job(folder: Path, words: list[str]) -> None:
    done = run(folder, *words, input=(folder / "job.json").read_text())
    assert (done.stdout, done.stderr, done.returncode) == ("one\ntwo\n", "", 0)


def test_the_old_name_and_the_old_options(folder: Path) -> None:
    (folder / "root").mkdir()
    (folder / "root/AUTH_local").symlink_to(folder)
    for place in (["--swift-account-path", "."], ["--swift-root-path", "root"]):
        done = run(folder, "job.json", *place, command=ZVAPP)
        assert (done.stdout, done.returncode) == ("one\ntwo\n", 0), done.stderr


def test_the_plan_alone(folder: Path) -> None:
    done = run(folder, "run", "job.json", "--dry-run")
    assert [node["name"] for node in json.loads(done.stdout)["nodes"]] == ["cat-1", "cat-2"]


def test_what_each_node_did_and_what_the_servers_log(folder: Path) -> None:
    done = run(folder, "run", "job.json", "--summary", "--debug", "-o", "out")
    assert (folder / "out").read_text() == "one\ntwo\n"
    assert "cat-1" in done.stderr
    assert "Channel=fd:1,/dev/stdin" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["run", "none.json"], 2, "none.json: there is no such file"),
        (["run", "bad.json"], 1, "Could not parse system map"),
        (["run", "empty"], 1, "has neither a zapp.yaml nor a boot/cluster.map"),
        (["run", "job.json", "--data", "nowhere"], 1, "nowhere is no folder"),
        (["run", "job.json", "--image", "mine=none.tar"], 1, "there is no file none.tar"),
        (["run", "job.json", "--image", "none"], 1, "There is no image none; there is: "),
        (["run", "job.json", "--json", "-o", "x"], 2, "leave --output out"),
        (["serve", "empty"], 1, "no zapp.yaml file found"),
        (["run"], 1, "has neither a zapp.yaml"),
    ],
)
def test_a_mistake_is_a_sentence(folder: Path, words: list[str], code: int, says: str) -> None:
    done = run(folder, *words)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_of_a_folder_is_built_kept_and_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROCLOUD_CACHE", str(folder / "shelf"))
    monkeypatch.chdir(folder)

    def image(*arguments: str) -> Result:
        return CliRunner().invoke(image_command, arguments)

    built = image("build", "tools", "--from", "programs", "--program", "copy.wasm", "--version", "7")
    assert (built.exit_code, built.stdout) == (0, "tools.tar: tools 7, 10.0 KiB\n")
    assert image("install", "tools.tar").stdout == "tools 7 is ready: zebra up --image tools\n"
    assert f"tools: 7, {folder}/shelf/images/kept/tools.tar" in image("list").stdout
    group = {**MAP[0], "exec": {"path": "file://tools:copy.wasm"}}
    group["devices"] = [*MAP[0]["devices"], {"name": "tools"}]
    (folder / "tools.json").write_text(json.dumps([group]))
    done = run(folder, "run", "tools.json", "--data", ".")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr
    assert image("install", "none.tar").exit_code == 1
    assert image("install", "none").exit_code == 1


def test_ctrl_c_ends_it_and_leaves_nothing(folder: Path) -> None:
    (folder / "loop.json").write_text(json.dumps([{"name": "n", "exec": {"path": "swift://~/programs/loop.wasm"}}]))
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    with subprocess.Popen([*ZAPP, "run", "loop.json"], cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
        while not list((folder / "tmp").glob("*/zerovm.sock")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert list((folder / "tmp").iterdir()) == []


@contextmanager
def served(folder: Path) -> Iterator[str]:
    command = [*ZAPP, "serve", "service", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["folder"] == str(folder / "service")
        yield told["url"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize("words", [[], ["--no-reload"]], ids=["reload", "no-reload"])
def test_a_server_that_has_ended_is_no_success(folder: Path, words: list[str]) -> None:
    command = [*ZAPP, "serve", "service", "--port", "0", *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("Serving ")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        (server,) = [pid for pid in children if b"zerocloud.local.server" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(int(server), signal.SIGKILL)
        assert process.wait(60) == 1
        assert "Error: The server has ended" in process.stderr.read()


def test_a_zapp_is_served_and_served_anew(folder: Path) -> None:
    with served(folder) as url:
        answer = requests.post(f"{url}any/path", data=b"hello", timeout=60)
        assert (answer.text, answer.headers["Content-Type"]) == ("hello", "text/plain")
        assert requests.post(url, data=b"x", headers={"Origin": "http://elsewhere.example"}, timeout=60).status_code == 403
        assert requests.post(url, data=b"x", headers={"Host": "elsewhere.example"}, timeout=60).status_code == 403
        (folder / "service/zapp.yaml").write_text(YAML.replace("text/plain", "text/x-new"))
        while requests.post(url, data=b"x", timeout=60).headers["Content-Type"] != "text/x-new":
            pass
