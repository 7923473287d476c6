"""``zerocloud image``: what is said of images, without the large ones."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from zerocloud.cli.command import main
from zerocloud.images import Description, File, write_image


@pytest.fixture(autouse=True)
def _own_shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEROCLOUD_CACHE", str(tmp_path / "shelf"))


def run(*words):
    return CliRunner().invoke(main, ["image", *map(str, words)])


def test_what_is_not_built_is_listed_too():
    assert "python: not built" in run("list").output
    assert json.loads(run("list", "--json").output)[0]["path"] is None


def test_an_image_is_verified(tmp_path):
    path = tmp_path / "small.tar"
    write_image(path, Description("small", "7", "bin/p"), [File("bin/p", b"\0asm")])
    assert "small 7, 1 members, all as described" in run("verify", path).output
    path.write_bytes(path.read_bytes().replace(b"\0asm", b"\0ASM"))
    done = run("verify", path)
    assert (done.exit_code, "bin/p is not what" in done.stderr) == (1, True)


def test_only_what_there_is_a_recipe_for():
    done = run("build", "cobol")
    assert (done.exit_code, "python" in done.stderr) == (2, True)


def test_a_file_that_is_not_there(tmp_path):
    done = run("install", tmp_path / "none.tar")
    assert (done.exit_code, done.stderr) == (1, f"Error: {tmp_path}/none.tar: No such file or directory\n")
