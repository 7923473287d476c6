"""Patterns: system map, section 6."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.sysmap.wildcards import Glob, TooFewCaptures

from .work import counted

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


@pytest.mark.parametrize("ending", ["a", "b"])
def test_each_part_of_a_pattern_is_looked_for_once(ending):
    glob = Glob(("", *["a"] * 400, "b"))
    calls, captures = counted(lambda: glob.match("a" * 1023 + ending))
    assert (captures is not None) == (ending == "b")
    assert calls < 5 * len(glob.literals)


def test_too_few_captures():
    with pytest.raises(TooFewCaptures, match=r"a\*b\* has 2 wildcards, but there are 1 texts"):
        Glob(("a", "b", "")).fill(("x",))
