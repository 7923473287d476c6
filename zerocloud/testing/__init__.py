"""pytest fixtures for tests of jobs against a ZeroCloud of their own, which runs on this machine without root.

In ``conftest.py``:

    pytest_plugins = ["zerocloud.testing"]

and in a test:

    def test_words(zerocloud, zerocloud_container):
        zerocloud.request("PUT", f"/{zerocloud_container}/text", data=b"a b a")
        assert zerocloud.run(job_map(zerocloud_container)).text == "a 2, b 1"
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from zerocloud.client import Connection, Login
from zerocloud.zebra import Zebra

__all__ = ["zerocloud_cluster", "zerocloud", "zerocloud_container"]

NODES = 3


@pytest.fixture(scope="session")
def zerocloud_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    """A cluster for the whole run, all its servers in one process; nothing of it is left afterwards.

    Define a fixture of this name to have another one: more nodes, other settings, or one that runs already.
    """
    with Zebra(tmp_path_factory.mktemp("zerocloud") / "zebra", NODES, together=True, destroy=True) as cluster:
        yield cluster


@pytest.fixture
def zerocloud(zerocloud_cluster: Zebra) -> Iterator[Connection]:
    """A connection of the user ``test:tester``."""
    login = zerocloud_cluster.login()
    with Connection(Login(login.storage_url, login.token)) as connection:
        yield connection


@pytest.fixture
def zerocloud_container(zerocloud: Connection) -> Iterator[str]:
    """The name of a container of the test's own, which is removed with all that is in it."""
    name = f"test-{secrets.token_hex(8)}"
    zerocloud.request("PUT", f"/{name}")
    yield name
    while names := zerocloud.request("GET", f"/{name}").text.splitlines():
        for entry in names:
            zerocloud.request("DELETE", f"/{name}/{quote(entry)}")
    zerocloud.request("DELETE", f"/{name}")
