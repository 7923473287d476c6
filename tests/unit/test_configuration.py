"""The typed reader of a paste section names the option and the value that is wrong."""

import pytest

from zerocloud.configuration import ConfigurationError, Options


def test_values_are_typed() -> None:
    options = Options({"n": " 7 ", "s": "0.5", "b": "Yes", "w": "a b  c", "t": " text "})
    assert options.integer("n", 1) == 7
    assert options.seconds("s", 1) == 0.5
    assert options.boolean("b", False) is True
    assert options.words("w") == ("a", "b", "c")
    assert options.text("t") == "text"


def test_defaults_hold_where_nothing_is_set() -> None:
    options = Options({})
    assert options.integer("n", 3) == 3
    assert options.seconds("s", 1.5) == 1.5
    assert options.boolean("b", True) is True
    assert options.words("w", "x y") == ("x", "y")


@pytest.mark.parametrize(
    ("reader", "value", "says"),
    [
        (lambda o: o.integer("n", 1), "many", "n = many: expected a whole number"),
        (lambda o: o.integer("n", 1, minimum=2), "1", "n = 1: expected 2 or more"),
        (lambda o: o.seconds("n", 1), "-1", "n = -1: expected seconds"),
        (lambda o: o.seconds("n", 1), "nan", "n = nan: expected seconds"),
        (lambda o: o.boolean("n", True), "maybe", "n = maybe: expected yes or no"),
    ],
)
def test_a_wrong_value_is_named(reader, value, says) -> None:
    with pytest.raises(ConfigurationError, match=says):
        reader(Options({"n": value}))
