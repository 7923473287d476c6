"""Makes the folder of a new zapp from a template: all of it or nothing. Source: cli, section 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from .errors import ZpmError
from .project import STORE
from .zapp import ZAPP_YAML

TEMPLATES = ("python", "c", "rest")
UI = "ui"
FILLED = (ZAPP_YAML, "README.md")
FIELD = re.compile(r"@(name|ui)@")
UI_SECTION = """
# The zapp's page, which deploy puts beside it. Files that end in .tmpl are filled in.
ui:
  - "index.html.tmpl"
  - "style.css"
  - "zerocloud.js"
"""
UNFIT = re.compile(r'[\x00-\x1f\x7f,;*#="\\/\'@]')
"""Letters that can't be in the name of a node, or would need care in YAML."""


def create(folder: Path, template: str, with_ui: bool) -> list[Path]:
    """Make it; what was made. Raises ZpmError, and leaves everything as it was, if anything of it is there already."""
    name = folder.absolute().name
    if UNFIT.search(name) or not name:
        raise ZpmError(f"A zapp can't be called {name!r}: choose another folder")
    fields = {"name": name, "ui": UI_SECTION if with_ui else ""}
    sources = dict(_sources(template))
    if with_ui:
        sources.update(_sources(UI))
    made: list[Path] = []
    with ExitStack() as undo:
        try:
            _make_folder(folder, made, undo)
            for target, source in [(ZAPP_YAML, sources.pop(ZAPP_YAML)), *sorted(sources.items())]:
                _write(folder / target, _filled(source, fields), made, undo)
            _make_folder(folder / STORE, made, undo)
        except FileExistsError as error:
            raise ZpmError(f"'{error.filename}' already exists!") from error
        except OSError as error:
            raise ZpmError(f"'{error.filename}' can't be made: {error.strerror}") from error
        undo.pop_all()
    return made


def _sources(template: str) -> Iterator[tuple[str, Traversable]]:
    folder = files("zerocloud.zpm") / "templates" / template
    return ((entry.name, entry) for entry in folder.iterdir() if entry.is_file())


def _filled(source: Traversable, fields: dict[str, str]) -> str:
    text = source.read_text(encoding="utf-8")
    return FIELD.sub(lambda found: fields[found[1]], text) if source.name in FILLED else text


def _make_folder(folder: Path, made: list[Path], undo: ExitStack) -> None:
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            path.mkdir()
            undo.callback(path.rmdir)
            made.append(path)


def _write(path: Path, text: str, made: list[Path], undo: ExitStack) -> None:
    with path.open("x", encoding="utf-8") as file:
        undo.callback(path.unlink)
        file.write(text)
    made.append(path)
