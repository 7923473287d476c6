"""A world of its own for each test, which leaves nothing open."""

import gc
import os

import pytest

from tests.functional.proxyquery.harness import World


@pytest.fixture
def world(tmp_path):
    yield from watched(World(tmp_path), tmp_path)


@pytest.fixture
def wide(tmp_path):
    """A world with so many servers that objects may have none in common."""
    yield from watched(World(tmp_path, servers=8), tmp_path)


def watched(one, tmp_path):
    """A world that must leave nothing open."""
    before = set(os.listdir("/proc/self/fd"))
    yield one
    one.settle()
    gc.collect()
    left = {os.readlink(f"/proc/self/fd/{fd}") for fd in set(os.listdir("/proc/self/fd")) - before if _open(fd)}
    one.close()
    assert not [body.name for body in one.pipeline.open], "a response of the pipeline was left open"
    assert not [name for name in left if str(tmp_path) in name], "a spool was left open"


def _open(fd):
    return os.path.exists(f"/proc/self/fd/{fd}") or os.path.islink(f"/proc/self/fd/{fd}")
