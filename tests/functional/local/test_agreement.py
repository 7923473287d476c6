"""What works in a cluster works over folders; ``tests/cluster/test_agreement.py`` is the other side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agreement import CASES, Case, check, stored
from zerocloud.client import Connection
from zerocloud.local.world import LocalSwift


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with LocalSwift(tmp_path_factory.mktemp("data")) as local, local.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def container(cloud: Connection) -> Iterator[str]:
    with stored(cloud, "agreement") as name:
        yield name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_job_over_folders(cloud: Connection, container: str, case: Case) -> None:
    check(cloud, container, case)
