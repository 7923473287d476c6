"""The language is pure, and its public names are those of ``__all__``."""

from __future__ import annotations

import ast
from pathlib import Path

import zerocloud.sysmap as sysmap

FOLDER = Path(sysmap.__file__).parent
STANDARD = "__future__ bisect collections dataclasses difflib enum functools itertools json re typing unicodedata urllib"
ALLOWED = {*STANDARD.split(), "simplejson"}


def test_public_names():
    assert len(set(sysmap.__all__)) == len(sysmap.__all__)
    assert all(getattr(sysmap, name).__doc__ for name in sysmap.__all__ if name != "Path")


def test_no_input_or_output():
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= ALLOWED, file.name
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module.partition(".")[0] in ALLOWED, file.name
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("open", "print", "input", "exec", "eval"), file.name
