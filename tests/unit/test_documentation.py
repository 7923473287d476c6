"""What the pages name exists: the files they link to, the targets of make, the libraries the project depends on."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "doc").rglob("*.md"))]


def requirements(section: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", line)[0].lower() for line in section}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http:", "https:", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_in_the_text_exist(page: Path) -> None:
    for name in re.findall(r"`((?:zerocloud|doc|etc|tests|benchmarks)/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), name


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = requirements(project["dependencies"]).union(*map(requirements, extras))
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "doc/dependencies.md").read_text(), re.MULTILINE)
    assert {name.lower() for row in rows for name in re.findall(r"`([^`]+)`", row)} == wanted


def test_the_readme_names_targets_that_make_has() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^    make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets
