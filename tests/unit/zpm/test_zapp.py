"""zapp.yaml: what it means, and its mistakes with their lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sysmap.schema_checker import is_valid
from zerocloud.zpm.errors import ZappError
from zerocloud.zpm.grammar import FLAT_GROUP, HELP, META, TOP, zapp_schema
from zerocloud.zpm.marks import MarkedError, read_marked
from zerocloud.zpm.system_map import escape, with_packages
from zerocloud.zpm.zapp import read_zapp

ROOT = Path(__file__).parents[3]
GOOD = """\
project_type: python
meta: {name: hello, Version: 0.1}
execution:
  groups:
    - name: a
      path: file://python:python
      args: "main.py 'two words' x,y"
      env: {A: "1"}
      count: 2
      connect: [b]
      devices: [{name: python}, {name: stdout}]
    - name: b
      path: swift://~/programs/path/to/b.wasm
      x-note: [1]
help: {description: d, args: [[who, Whom]]}
bundling: ["*.py"]
ui: ["index.html.tmpl"]
dependencies: [jinja2, [PyYAML, yaml], "x>=1"]
build: make
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(ZappError) as caught:
        read_zapp(text, "z")
    return str(caught.value).splitlines()


def test_the_system_map():
    first, second = read_zapp(GOOD).job_map
    assert first == {
        "name": "a",
        "exec": {
            "path": "file://python:python",
            "args": r"main.py two\x20words x\x2cy",
            "env": {"A": "1"},
            "name": "python",
        },
        "count": 2,
        "connect": ["b"],
        "devices": [{"name": "python"}, {"name": "stdout"}],
    }
    assert second == {"name": "b", "exec": {"path": "swift://~/programs/path/to/b.wasm", "name": "path/to/b.wasm"}}


def test_the_rest():
    zapp = read_zapp(GOOD)
    assert (zapp.name, zapp.bundling, zapp.ui, zapp.build) == ("hello", ("*.py",), ("index.html.tmpl",), "make")
    assert zapp.dependencies == ("jinja2", "PyYAML", "x>=1")


def test_packages_are_on_the_path_of_programs_that_have_no_other():
    job = [{"exec": {"path": "p"}}, {"exec": {"path": "p", "env": {"PYTHONPATH": "/mine"}}}]
    found = [group["exec"]["env"]["PYTHONPATH"] for group in with_packages(job)]
    assert found == ["/lib/python/site-packages", "/mine"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_arguments_survive_the_guest(words):
    import re
    import shlex

    escaped = escape(shlex.join(words))
    assert not set(escaped) & set('",\n')
    back = [re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), word) for word in escaped.split(" ") if word]
    assert back == words


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("meta: {name: hello, Version: 0.1}\n", "", ["z:1: There is no meta. Write meta: and below it name: NAME"]),
        ("name: hello", "nam: hello", ["z:2: meta has no name"]),
        ("name: hello", "name: a/b", ["z:2: a/b can't be a file's name"]),
        ("name: hello", "name: .hidden", ["z:2: .hidden can't be a file's name"]),
        ("bundling:", "bundlin:", ['z:16: Unknown key bundlin. Did you mean "bundling"?']),
        ("      count: 2", "      conut: 2", ['z:9: Unknown key conut. Did you mean "count"?']),
        ("      count: 2", "      count: -2", ["z:9: Invalid node count: -2"]),
        (
            "      count: 2",
            "      exec: {}",
            ["z:9: A group of a zapp.yaml has no exec. Put path, args and env into the group"],
        ),
        (
            "file://python:python",
            "swfit://a/b",
            ["z:6: Must specify executable path for a: Unknown scheme in URL: swfit://a/b. Did you mean"],
        ),
        ("'two words'", "'two words", ["z:7: The arguments can't be split: No closing quotation"]),
        ("{name: stdout}", "{name: stdout, paht: x}", ['z:11: Unknown key paht. Did you mean "path"?']),
        ("[[who, Whom]]", "[[who]]", ["z:15: An argument is a pair of texts: [id, label]"]),
        ('["*.py"]', '"*.py"', ['z:16: bundling must be a list, not *.py. Write ["*.py"]']),
        ('["*.py"]', "[5]", ["z:16: bundling has texts, not 5"]),
        ("[jinja2,", "[--index-url=x,", ["z:18: A dependency is the name of a package, not --index-url=x"]),
        ("project_type: python", "project_type: pyton", ["z:1: project_type must be python or c or other, not pyton. "]),
        ("meta: {", "meta: [", ["z:2: "]),
        ("bundling:", "help: {}\nbundling:", ["z:16: the key help is given twice"]),
        ("build: make", "build: &a [*a]", ["z:19: "]),
        ("build: make", "build: 2001-99-99", ["z:1: "]),
        ("build: make", "build: !!python/object:os.system x", ["z:19: could not determine a constructor"]),
    ],
)
def test_mistakes_have_lines(old, new, told):
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    assert len(found) == len(told), found
    assert all(line.startswith(start) for line, start in zip(found, told, strict=True)), found


def test_all_mistakes_at_once_in_their_order():
    text = GOOD.replace("count: 2", "count: x").replace("name: hello", "name: ''").replace("build:", "biuld:")
    assert [line.split(":")[1] for line in mistakes(text)] == ["2", "9", "19"]


@pytest.mark.parametrize(
    "text", ["", "5", "[]", "execution:", "execution: {groups: []}", "execution: {groups: [5]}", "a: b: c", "\0"]
)
def test_texts_that_are_no_zapp(text):
    assert all(line.startswith("z:") for line in mistakes(text))


def test_a_short_text_that_stands_for_billions():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (line,) = mistakes("\n".join(lines))
    assert "more than 20000 values" in line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
)


@given(st.fixed_dictionaries({}, optional={key.name: JSON for key in TOP}))
def test_any_value_is_a_zapp_or_has_mistakes(value):
    try:
        read_zapp(yaml.safe_dump(value))
    except ZappError as error:
        told = str(error)
    else:
        told = "zapp.yaml:"
    assert told.startswith("zapp.yaml:")


@given(st.text())
def test_any_text_is_yaml_or_is_not(text):
    try:
        line = read_marked(text).line(())
    except MarkedError as error:
        line = error.line
    assert line >= 1


def test_the_published_schema_is_the_one_of_the_code():
    published = json.loads((ROOT / "doc/zapp.schema.json").read_text())
    assert published == zapp_schema()
    value = yaml.safe_load(GOOD)
    assert is_valid(value, published, published)
    del value["meta"]["name"]
    assert not is_valid(value, published, published)


@pytest.mark.parametrize("template", ["python", "c", "rest"])
def test_templates_are_valid(template):
    text = (ROOT / f"zerocloud/zpm/templates/{template}/zapp.yaml").read_text().replace("@name@", "n").replace("@ui@", "")
    assert read_zapp(text).name == "n"
    assert is_valid(yaml.safe_load(text), zapp_schema(), zapp_schema())


def test_every_key_is_described():
    page = (ROOT / "doc/zpm.md").read_text()
    for key in (*TOP, *META, *HELP):
        assert f"`{key.name}`" in page or f"`meta.{key.name}`" in page or f"`help.{key.name}`" in page, key.name
    assert {key.name for key in FLAT_GROUP} >= {"path", "args", "env", "name", "devices", "count"}
