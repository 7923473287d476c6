"""The colours of the console, light and dark: contrast as WCAG 2.2 asks for at level AA (1.4.3 and 1.4.11), from the sheets."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "zerocloud/console/static"
SHEETS = {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL) for path in (STATIC / "css").glob("*.css")}
COLOURS = {
    name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", "\n".join(SHEETS.values()))
}
RULES = [
    (sheet, selector.strip(), dict(re.findall(r"(?:^|;)\s*([\w-]+):\s*([^;]+)", body)))
    for sheet, text in SHEETS.items()
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text)
]
TEXT, PARTS = 4.5, 3.0
GROUNDS = ("page", "surface", "field", "hover")
"""What text lies on where its own rule says nothing of it; ``hover`` is below rows and lines pointed at."""

DECORATION = {"line", "hover", "field", "surface", "accent-soft", "good-soft", "bad-soft", "warn-soft"}
"""What need not be seen to understand a drawing: its panels and rulers, and the tints behind shapes that have an outline."""


def channel(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def used(value: str) -> list[str]:
    return re.findall(r"var\(--([\w-]+)\)", value)


def too_faint(front: str, behind: str, least: float) -> list[str]:
    return [
        f"--{front} on --{behind}, {theme}: {found:.2f}"
        for theme, one, other in zip(("light", "dark"), COLOURS[front], COLOURS[behind], strict=True)
        if (found := contrast(one, other)) < least
    ]


def test_the_measure_is_that_of_the_recommendation() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert len(COLOURS) > 25


def test_texts() -> None:
    faint = []
    for _, selector, rule in RULES:
        fronts = used(rule.get("color", "")) + (used(rule.get("fill", "")) if "text" in selector or "label" in selector else [])
        own = used(rule.get("background", ""))
        faint += [
            f"{selector}: {found}"
            for front, behind in itertools.product(fronts, own or GROUNDS)
            for found in too_faint(front, behind, TEXT)
        ]
    assert faint == []


def test_texts_keep_their_colour_on_every_tint() -> None:
    tints = [name for name in COLOURS if name.endswith("-soft")]
    assert [found for tint in tints for found in too_faint("text", tint, TEXT)] == []


def test_code() -> None:
    """The editor's words, also on the line of the cursor and where something is selected."""
    code = [name for name in COLOURS if name.startswith("code-")]
    pairs = itertools.product((*code, "text"), ("field", "hover", "selection"))
    assert [found for front, behind in pairs for found in too_faint(front, behind, TEXT)] == []


def test_edges_of_what_can_be_used_and_shapes_that_mean_something() -> None:
    fronts = set()
    for _, _, rule in RULES:
        for name in ("stroke", "fill", "outline", "border-color", "border-left-color"):
            fronts |= set(used(rule.get(name, "")))
    fronts |= {"edge", "accent", "wait", "transfer", "run", "publish"}
    pairs = itertools.product(sorted(fronts - DECORATION), ("page", "surface", "field"))
    assert [found for front, behind in pairs for found in too_faint(front, behind, PARTS)] == []


def test_controls_have_an_edge_that_can_be_seen() -> None:
    (controls,) = [rule for _, selector, rule in RULES if re.match(r"button,\s*a\.button,\s*input,\s*select$", selector)]
    assert used(controls["border"]) == ["edge"]


def test_the_place_of_the_focus_is_always_shown() -> None:
    hidden = [selector for _, selector, rule in RULES if rule.get("outline") == "none"]
    assert hidden == ["main:focus"]  # where a link to the content leads; nothing can be done to it
