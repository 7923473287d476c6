"""One typed reader for the options of a paste section.

Every filter reads its section once, here, into one frozen object; nothing else calls ``conf.get``.
"""

from __future__ import annotations

from collections.abc import Mapping

TRUE = frozenset(("true", "1", "yes", "on", "t", "y"))
FALSE = frozenset(("false", "0", "no", "off", "f", "n"))


class ConfigurationError(ValueError):
    """An option that can't be used. The text names the option, the value and what was expected."""


class Options:
    """The options of one section, each read by the method that names its type."""

    def __init__(self, section: Mapping[str, str]) -> None:
        self._section = section

    def text(self, name: str, default: str = "") -> str:
        """A string, stripped."""
        return str(self._section.get(name, default)).strip()

    def words(self, name: str, default: str = "") -> tuple[str, ...]:
        """A list separated by blanks."""
        return tuple(self.text(name, default).split())

    def boolean(self, name: str, default: bool) -> bool:
        """``true``, ``1``, ``yes``, ``on``, ``t``, ``y`` or their opposites, in any case."""
        value = self.text(name, str(default)).lower()
        if value not in TRUE | FALSE:
            raise ConfigurationError(f"{name} = {value}: expected yes or no")
        return value in TRUE

    def integer(self, name: str, default: int, minimum: int = 0) -> int:
        """A whole number not below ``minimum``."""
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise ConfigurationError(f"{name} = {value}: expected a whole number") from None
        if number < minimum:
            raise ConfigurationError(f"{name} = {value}: expected {minimum} or more")
        return number

    def seconds(self, name: str, default: float) -> float:
        """A duration in seconds, not negative."""
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            raise ConfigurationError(f"{name} = {value}: expected seconds") from None
        if not 0 <= number < float("inf"):
            raise ConfigurationError(f"{name} = {value}: expected seconds, 0 or more")
        return number
