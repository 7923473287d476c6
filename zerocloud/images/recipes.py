"""The images that can be built here, by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .archive import Description, ImageError
from .python import build_python, python_key
from .ruby import build_ruby, ruby_key


@dataclass(frozen=True)
class Recipe:
    """How an image is built. ``key`` tells images apart that would be built differently; both raise ImageError."""

    build: Callable[[Path], Description]
    key: Callable[[], str]


RECIPES = {"python": Recipe(build_python, python_key), "ruby": Recipe(build_ruby, ruby_key)}


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises ImageError."""
    if name not in RECIPES:
        raise ImageError(f"There is no recipe for an image {name}; there is: {', '.join(sorted(RECIPES))}")
    return RECIPES[name]


def build(name: str, path: Path) -> Description:
    """Build an image. Raises ImageError, OSError."""
    return recipe(name).build(path)
