"""Stores and maps for property tests: maps that often can be planned, and the same with something else in one place."""

from __future__ import annotations

import copy

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)

NAMES = st.text("ab1/-.", min_size=1, max_size=6).filter(lambda name: not name.endswith("/"))
CONTAINERS = st.text("ab-", min_size=1, max_size=2)
OBJECTS = st.dictionaries(NAMES, st.integers(0, 100), max_size=8)
STORES = st.dictionaries(CONTAINERS, OBJECTS, max_size=4).map(
    lambda containers: {"a": {**containers, "c": {"o": 9, "p1": 25, "p2": 0}}}
)
PATTERNS = st.text("ab1*/-.", min_size=1, max_size=5)

FIXED = st.sampled_from(("swift://~/c/o", "swift://a/c/%6f", "swift://a/c/p1"))
WILD = st.one_of(
    st.sampled_from(("swift://~/c/*", "swift://~/c/p*", "swift://a/*/p*")),
    st.builds("swift://~/{}/{}".format, st.text("ab*", min_size=1, max_size=2), PATTERNS),
)
STRANGE = st.one_of(
    st.builds(
        "{}://{}".format, st.sampled_from(("swift", "file", "zvm", "tcp", "s3")), st.text("~./ac*%4:\n\ud800é", max_size=12)
    ),
    st.builds("zvm://{}:{}".format, st.text("mr-1", max_size=3), st.text("x*/,", max_size=3)),
)


def device(name: str, paths: st.SearchStrategy | None = None, **more: st.SearchStrategy) -> st.SearchStrategy:
    """A device of this name, with one of the paths if there are any."""
    given = {} if paths is None else {"path": paths}
    return st.fixed_dictionaries({"name": st.just(name), **given}, optional={"mode": st.just("file"), "x-note": JSON, **more})


SPLITS = st.fixed_dictionaries({"size": st.sampled_from((7, 10, "1K"))}, optional={"on": st.sampled_from(("line", "bytes"))})
READERS = st.one_of(
    device("stdin"),
    device("stdin", FIXED),
    device("stdin", WILD),
    device("stdin", FIXED | WILD, split=SPLITS),
    device("input", FIXED | WILD | st.lists(FIXED | WILD, min_size=1, max_size=3)),
    device("input", st.just("swift://a/c")),
    device("script", FIXED),
)
OUTPUTS = st.sampled_from(("out", "*", "*/*", "1*", "*.b")).flatmap(
    lambda end: st.builds("swift://~/{}/{}{}".format, st.sampled_from(("x", "y")), st.text("xyz", max_size=2), st.just(end))
)
WRITERS = st.one_of(
    device("stdout"),
    device("stdout", OUTPUTS, content_type=st.just("text/plain"), meta=st.just({"a": "b"}), min_size=st.integers(0, 9)),
    device("stderr", OUTPUTS),
    device("output", OUTPUTS),
    device("stderr", st.builds("zvm://{}:{}".format, st.sampled_from(("m", "r", "s")), st.sampled_from(("stdin", "x/*", "y")))),
)
OTHERS = device("py") | device("debug", st.just("tcp://h:5")) | device("image", FIXED)


def some(devices: st.SearchStrategy, least: int, most: int) -> st.SearchStrategy:
    """A few devices of different names."""
    return st.lists(devices, min_size=least, max_size=most, unique_by=lambda device: device["name"])


def fitting(group: dict) -> dict:
    """The group without an ``each`` that its devices don't allow."""
    spread = [
        d["name"] for d in group["devices"] if "*" in str(d.get("path")) or "split" in d or isinstance(d.get("path"), list)
    ]
    if group["devices"][0]["name"] != "input" or len(spread) != 1:
        group.pop("each", None)
    return group


def groups(name: str, names: tuple[str, ...]) -> st.SearchStrategy:
    """Groups of this name, connected to some of these names."""
    devices = st.tuples(some(READERS, 0, 2), some(WRITERS, 1, 2), some(OTHERS, 0, 1))
    program = st.fixed_dictionaries(
        {"path": st.sampled_from(("swift://~/c/e", "file://py:e"))},
        optional={"args": st.just("x y"), "env": st.just({"A": "b", "C": 1, "D": None}), "name": st.just("x")},
    )
    orders = {
        "replicate": st.integers(0, 2),
        "attach": st.sampled_from(("stdout", "stdin", "default")),
        "location": st.just("here"),
        "each": st.just({"objects": 2}),
        "timeout": st.just(1.5),
        "memory": st.just("64M"),
        "retries": st.integers(0, 2),
        "on_error": st.just("continue"),
        "on_exit": st.just("ignore"),
        "x-note": JSON,
    }
    shape = {"count": st.integers(1, 3) | st.just("auto"), "connect": st.lists(st.sampled_from(names), max_size=2)}
    listed = devices.map(lambda lists: [device for found in lists for device in found])
    needed = {"name": st.just(name), "exec": program, "devices": listed}
    return st.fixed_dictionaries(needed, optional={**shape, **orders}).map(fitting)


def maps(*names: str) -> st.SearchStrategy:
    """Maps of groups of these names."""
    return st.tuples(*(groups(name, names) for name in names)).map(lambda groups: copy.deepcopy(list(groups)))


PLANNABLE_MAPS = maps("m") | maps("m", "r") | maps("m", "r", "s")


def places(value: object, path: tuple = ()) -> list[tuple]:
    """The paths to everything within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@st.composite
def damaged(draw):
    """A map with another value, of the same kind or any, in some places."""
    document = draw(PLANNABLE_MAPS)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(document)[1:] or [(0,)]))
        target = document
        for step in path:
            target = target[step]
        target[last] = draw(JSON | STRANGE | WILD | st.sampled_from(("m", "stdin", "self", -1, 10**400)))
    return document


MAPS = st.one_of(PLANNABLE_MAPS, damaged(), damaged(), JSON)
