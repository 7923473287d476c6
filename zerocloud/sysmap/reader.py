"""Typed reading of JSON objects: every mistake is noted where it stands, and reading goes on with the default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .problems import Pointer, Problems, did_you_mean, shown

_SIZE = re.compile(r"([0-9]{1,18})\s*([KMGT]?)(i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def is_ignored(key: str) -> bool:
    """Whether a key is there for tools only (``$schema`` and all that begin with ``x-``)."""
    return key == "$schema" or key.startswith("x-")


def parse_size(value: object) -> int | None:
    """Bytes from a whole number or a text such as ``64M`` (K, M, G, T: powers of 1024), or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    matched = _SIZE.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    return int(matched[1]) * _UNITS[matched[2].upper()] if matched else None


class JsonObject:
    """One object of the document. A key whose value is null counts as absent."""

    def __init__(self, value: Mapping[str, object], pointer: Pointer, problems: Problems) -> None:
        self.pointer = pointer
        self.problems = problems
        self._value = {key: item for key, item in value.items() if item is not None}
        self._keys = value.keys()

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def given(self, *keys: str) -> str:
        """The first of these keys that is present, else the last."""
        return next((key for key in keys if key in self._keys), keys[-1])

    def get(self, key: str) -> object:
        """The bare value, None if absent."""
        return self._value.get(key)

    def wrong(self, key: str, reason: str, cure: str = "") -> None:
        """Note a mistake in the value of ``key``; without a key, in the object as a whole."""
        self.problems.add((*self.pointer, key) if key else self.pointer, reason, cure)

    def expect_keys(self, known: Iterable[str], elsewhere: Mapping[str, str]) -> None:
        """Note every key that is not ``known``. ``elsewhere`` says of keys where they belong."""
        known = tuple(known)
        for key in self._keys:
            if key not in known and not is_ignored(key):
                cure = f"It belongs into {elsewhere[key]}" if key in elsewhere else did_you_mean(key, known)
                self.wrong(key, f"Unknown key {shown(key)}", cure)

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        value = self._value.get(key, default)
        if isinstance(value, str):
            return value
        self.wrong(key, f"{key} must be a string, not {shown(value)}")
        return default

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self._value.get(key, default)
        if isinstance(value, str) and (value in choices or key not in self._value):
            return value
        cure = did_you_mean(value, choices) if isinstance(value, str) else ""
        self.wrong(key, f"{key} must be {' or '.join(choices)}, not {shown(value)}", cure)
        return default

    def boolean(self, key: str) -> bool:
        """true or false; false if absent."""
        value = self._value.get(key, False)
        if not isinstance(value, bool):
            self.wrong(key, f"{key} must be true or false, not {shown(value)}")
        return value is True

    def integer(self, key: str, default: int, minimum: int, maximum: int) -> int:
        """A whole number within bounds."""
        value = self._value.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            self.wrong(key, f"{key} must be a whole number, {minimum} or more, not {shown(value)}")
        elif value > maximum:
            self.wrong(key, f"{key} is {shown(value)}, the limit is {maximum}")
        else:
            return value
        return default

    def size(self, key: str, default: int, minimum: int = 0, maximum: int = 2**63 - 1) -> int:
        """Bytes: a whole number or a text such as ``64M``, within bounds."""
        value = self._value.get(key, default)
        size = parse_size(value)
        if size is None or size < minimum:
            self.wrong(key, f'{key} must be bytes, {minimum} or more, such as 4096 or "64M", not {shown(value)}')
        elif size > maximum:
            self.wrong(key, f"{key} is {shown(value)}, the limit is {maximum} bytes")
        else:
            return size
        return default

    def seconds(self, key: str, maximum: float) -> float | None:
        """A duration above zero; None if absent."""
        value = self._value.get(key)
        if value is None:
            return None
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
            self.wrong(key, f"{key} must be seconds, above 0, not {shown(value)}")
        elif value > maximum:
            self.wrong(key, f"{key} is {shown(value)} seconds, the limit is {maximum:.12g}")
        else:
            return float(value)
        return None

    def child(self, key: str) -> JsonObject | None:
        """An object; None if absent or of another type."""
        value = self._value.get(key)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return JsonObject(value, (*self.pointer, key), self.problems)
        self.wrong(key, f"{key} must be an object, not {shown(value)}")
        return None

    def items(self, key: str) -> Iterator[tuple[int, object]]:
        """The elements of a list with their indexes; none if absent or of another type."""
        value = self._value.get(key, ())
        if isinstance(value, (list, tuple)):
            yield from enumerate(value)
        else:
            cure = f'Write ["{shown(value)}"]' if isinstance(value, str) else ""
            self.wrong(key, f"{key} must be a list, not {shown(value)}", cure)

    def pairs(self, key: str) -> Iterator[tuple[str, object]]:
        """The keys and values of an object; none if absent or of another type."""
        child = self.child(key)
        if child is not None:
            yield from child._value.items()
