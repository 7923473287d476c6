"""Patterns: system map, section 6."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.sysmap.wildcards import Glob, TooFewCaptures

PATTERNS = st.lists(st.text("ab/", max_size=3), min_size=1, max_size=5).map(lambda literals: Glob(tuple(literals)))


@given(PATTERNS, st.text("ab/", max_size=12))
def test_captures_are_those_of_a_greedy_regular_expression(glob, name):
    expected = re.fullmatch("(.*)".join(map(re.escape, glob.literals)), name, re.DOTALL)
    assert glob.match(name) == (expected.groups() if expected else None)


@given(PATTERNS, st.lists(st.text("ab/", max_size=3), min_size=4, max_size=6))
def test_what_is_filled_in_matches(glob, captures):
    name = glob.fill(captures)
    assert glob.match(name) is not None
    assert glob.fill(glob.match(name)) == name
    assert name.startswith(glob.prefix)


def test_no_pattern_is_slow():
    glob = Glob(("", *["a"] * 400, "b"))
    started = time.perf_counter()
    for _ in range(100):
        assert glob.match("a" * 1024) is None
        assert glob.match("a" * 1023 + "b") is not None
    assert time.perf_counter() - started < 2


def test_too_few_captures():
    with pytest.raises(TooFewCaptures, match=r"a\*b\* has 2 wildcards, but there are 1 texts"):
        Glob(("a", "b", "")).fill(("x",))
