"""What works over folders works in a cluster; ``tests/functional/local/test_agreement.py`` is the other side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agreement import CASES, Case, check, stored
from zerocloud.client import Connection, Login
from zerocloud.zebra import Zebra


@pytest.fixture(scope="module")
def cloud(zebra: Zebra) -> Iterator[Connection]:
    login = zebra.login()
    with Connection(Login(login.storage_url, login.token)) as connection:
        yield connection


@pytest.fixture(scope="module")
def container(cloud: Connection) -> Iterator[str]:
    with stored(cloud, "agreement") as name:
        yield name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job_on_a_cluster(cloud: Connection, container: str, case: Case) -> None:
    check(cloud, container, case)
