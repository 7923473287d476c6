"""Functions as source: what is sent with them, and what is refused."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from typing import Any

import pytest

from tests import guests
from zerocloud.client import WorkError
from zerocloud.client.source import source_of

WORDS = re.compile("[a-z]+")
STOP = frozenset({"the"})
LIMITS = {"least": 2}


class Own:
    pass


OWN = Own()


def helper(text: str) -> list[str]:
    return [word for word in text.split() if len(word) >= LIMITS["least"]]


def counts(text: str) -> str:
    return json.dumps(Counter(helper(text)))


def recursive(n: int) -> int:
    return n and recursive(n - 1)


def with_object() -> Any:
    return OWN


def with_pattern() -> Any:
    return WORDS


def with_missing() -> Any:
    return missing  # noqa: F821


@functools.cache
def decorated() -> None: ...


def shadows() -> int:
    OWN = [1]
    return OWN[0]


def namespace(function: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(source_of(function), found)
    return found


def test_what_a_function_uses_comes_along():
    assert namespace(counts)["counts"]("a bb bb") == '{"bb": 2}'
    assert namespace(recursive)["recursive"](3) == 0
    assert namespace(shadows)["shadows"]() == 1


def test_values_of_a_closure_come_along():
    factor = 3

    def times(n: int) -> int:
        return factor * n

    assert namespace(times)["times"](2) == 6


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda: 1, "def"),
        (with_object, "OWN can't be sent: a Own"),
        (with_pattern, "WORDS can't be sent: a Pattern"),
        (with_missing, "missing, which is not defined"),
        (decorated, "can't be sent"),
    ],
)
def test_what_can_not_be_sent_is_refused_with_the_reason(function, said):
    with pytest.raises(WorkError, match=re.escape(said)):
        source_of(function)


def imports_own() -> Any:
    import tests.guests

    return tests.guests


def imports_if_there() -> Any:
    try:
        import nowhere
    except ImportError:
        nowhere = None
    import pandas.errors

    return nowhere, pandas.errors


def uses_own() -> Any:
    return guests.compiled


@pytest.mark.parametrize("function", [imports_own, uses_own])
def test_modules_that_are_not_there_are_told_here(function: Any) -> None:
    with pytest.raises(WorkError, match=r"module tests\S* is neither in the library nor in the image python"):
        source_of(function)


def test_what_can_be_done_without_may_be_missing() -> None:
    assert "import nowhere" in source_of(imports_if_there)
