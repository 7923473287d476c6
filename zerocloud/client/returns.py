"""What functions return, on its way from a guest's interpreter to this one: a line of JSON for each call. Pure."""

from __future__ import annotations

import base64
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import simplejson

from .errors import ClientError, WorkError

JSON, PICKLE, FRAME = "json", "pickle", "frame"


@dataclass(frozen=True)
class Form:
    """How a value travels. ``dump`` is the guest's expression that makes JSON of ``value``; ``load`` takes what JSON holds."""

    dump: str
    load: Callable[[Any], Any]


def _frame(text: str) -> Any:
    try:
        import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError as error:
        raise ClientError("Frames need pandas on this side, too: pip install pandas") from error
    return pandas.read_csv(io.StringIO(text))


FORMS = {
    JSON: Form("value", lambda value: value),
    PICKLE: Form(
        "__import__('base64').b64encode(__import__('pickle').dumps(value, 4)).decode()",
        lambda text: pickle.loads(base64.b64decode(text)),  # noqa: S301 (the caller asked for it)
    ),
    FRAME: Form("value.to_csv(index=False)", _frame),
}
"""JSON is for everybody. A pickle may run code where it is read: for functions whose data one trusts. A data frame comes as
CSV, so the types of its columns are found out again."""


def form(name: str) -> Form:
    """The form of that name. Raises WorkError."""
    if name not in FORMS:
        raise WorkError(f"returns={name!r}: what functions return can come as {', '.join(FORMS)}")
    return FORMS[name]


def loaded(line: bytes, how: Form, node: str) -> Any:
    """The value that a line holds. Raises ClientError."""
    try:
        return how.load(simplejson.loads(line))
    except ClientError:
        raise
    except Exception as error:
        raise ClientError(f"What node {node} returned can't be read: {error}") from error
