"""The files of the console: complete, free of what turns text into markup or code, and served under a policy that says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from zerocloud.configuration import ConfigurationError
from zerocloud.console.files import INDEX, SCHEMA, File, page
from zerocloud.console.settings import Settings

SOURCE = Path(__file__).parents[3] / "zerocloud/console"
FILES = {file.name: file for file in page(Settings())}
OURS = [name for name in FILES if name.startswith("js/")]
MARKUP = (
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\(|new Function|srcdoc"
)


def text(name: str) -> str:
    return FILES[name].content.decode()


def resolved(base: str, target: str) -> str:
    return str((Path("/") / Path(base).parent / target).resolve().relative_to("/"))


@pytest.mark.parametrize("name", OURS)
def test_what_a_module_imports_is_there(name: str) -> None:
    found = re.findall(r"""(?:from|import)\s*\(?\s*"(\.[^"]+)\"""", text(name))
    for target in found:
        assert resolved(name, target) in FILES, target


@pytest.mark.parametrize("name", OURS)
def test_no_module_turns_text_into_markup_or_code(name: str) -> None:
    assert not re.search(MARKUP, text(name))


@pytest.mark.parametrize("name", OURS)
def test_modules_begin_by_saying_what_they_are_for_and_are_small(name: str) -> None:
    assert text(name).startswith("// ")
    assert text(name).count("\n") < 300


def test_the_page_names_files_that_are_there() -> None:
    for target in re.findall(r'(?:href|src)="([^"]+)"', text(INDEX)):
        assert target in FILES, target


def test_the_policy_on_content() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text(INDEX))[1]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"].strip() == "'self'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", text(INDEX))


def test_the_index_comes_last_and_has_the_settings() -> None:
    files = list(page(Settings('https://keys/v1?a=1&b="2"', ("https://keys", "https://other:8080"))))
    assert files[-1].name == INDEX
    index = files[-1].content.decode()
    assert 'content="https://keys/v1?a=1&amp;b=&quot;2&quot;"' in index
    assert "connect-src 'self' https://keys https://other:8080;" in index


def test_the_index_says_whether_jobs_are_run() -> None:
    told = 'name="zerocloud-execution" content="{}"'
    assert told.format("yes") in text(INDEX)
    (index,) = [file for file in page(Settings.read({"execution": "no"})) if file.name == INDEX]
    assert told.format("no") in index.content.decode()


def test_the_schema_is_the_published_one() -> None:
    published = json.loads((SOURCE.parents[1] / "doc" / SCHEMA).read_text())
    assert json.loads(FILES[SCHEMA].content) == published


def test_the_editor_is_built_of_what_its_lock_file_says() -> None:
    packages = json.loads((SOURCE / "editor/package-lock.json").read_text())["packages"]
    locked = {path.removeprefix("node_modules/"): about.get("version") for path, about in packages.items()}
    told = re.findall(r"(?m)^(@?[\w./-]+) (\d+\.\d+\.\d+)$", text("vendor/LICENSES.txt"))
    assert len(told) > 20
    assert all(locked[name] == version for name, version in told)


def test_every_file_has_a_type_and_an_etag() -> None:
    for file in FILES.values():
        assert isinstance(file, File)
        assert file.media_type
        assert re.fullmatch(r"[0-9a-f]{32}", file.etag)


@pytest.mark.parametrize("source", ["'unsafe-inline'", "https://a;script-src", "data:", "*", "https://a b", 'https://a"'])
def test_what_is_no_origin_is_refused(source: str) -> None:
    with pytest.raises(ConfigurationError):
        Settings.read({"connect_sources": f"https://good {source}"})


def test_settings_are_read() -> None:
    assert Settings.read({"auth_url": "/a", "connect_sources": "https://x http://y:1"}) == Settings(
        "/a", ("https://x", "http://y:1")
    )
    assert Settings.read({}) == Settings()
