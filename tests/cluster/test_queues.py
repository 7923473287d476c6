"""Queues on a real cluster: many clients at once, over HTTP, and a storage node less."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from zerocloud.zebra import Zebra

PATIENCE = 240
"""Seconds; a claim whose answer was lost with a node comes back after one minute."""


class Queue:
    """One client of one queue."""

    def __init__(self, zebra: Zebra, name: str, client: str, user: str = "test:tester") -> None:
        login = zebra.login(user)
        base, _, account = login.storage_url.rpartition("/v1/")
        self.url = f"{base}/queue/{account}/{name}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"X-Auth-Token": login.token, "Client-Id": client})

    def call(self, method: str, path: str = "", body: object = None, **query: object) -> requests.Response:
        data = None if body is None else json.dumps(body)
        return self.session.request(method, self.url + path, params=query, data=data, timeout=60)


@pytest.fixture
def name(zebra: Zebra, request: pytest.FixtureRequest):
    queue = Queue(zebra, request.node.name[:40], "fixture")
    assert queue.call("PUT").status_code in (201, 202)
    yield request.node.name[:40]
    while claimed := queue.call("POST", "/claim", limit=10, ttl=60, echo="true").json():
        for message in claimed:
            queue.call("DELETE", f"/message/{message['claim_id']}")
    queue.call("DELETE")


def test_a_message_goes_round(zebra: Zebra, name: str) -> None:
    sender, worker = Queue(zebra, name, "sender"), Queue(zebra, name, "worker")
    posted = sender.call("POST", "/message", {"work": 1}, ttl=600)
    assert posted.status_code == 201, posted.text
    assert posted.json()["data"] == {"work": 1}
    assert sender.call("GET", "/message").json() == []
    (claimed,) = worker.call("POST", "/claim", ttl=60).json()
    assert (claimed["data"], claimed["msg_id"]) == ({"work": 1}, posted.json()["msg_id"])
    assert worker.call("POST", "/claim", ttl=60).json() == []
    longer = worker.call("POST", f"/claim/{claimed['claim_id']}", ttl=60)
    assert longer.status_code == 200
    assert Queue(zebra, name, "thief").call("POST", f"/claim/{longer.json()['claim_id']}", ttl=60).status_code == 412
    assert worker.call("DELETE", f"/claim/{longer.json()['claim_id']}").status_code == 204
    (again,) = worker.call("POST", "/claim", ttl=60).json()
    assert worker.call("DELETE", f"/message/{again['claim_id']}").status_code == 204
    assert worker.call("DELETE", f"/message/{again['claim_id']}").status_code == 404


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "ttl=x", "ttl=1e3", "ttl=-1"])
def test_bad_numbers_are_told(zebra: Zebra, name: str, query: str) -> None:
    key, _, value = query.partition("=")
    assert Queue(zebra, name, "c").call("POST", "/claim", **{key: value}).status_code == 400


def test_others_need_rights(zebra: Zebra, name: str) -> None:
    owner, other = Queue(zebra, name, "owner"), Queue(zebra, name, "other", "test2:tester2")
    other.url = owner.url
    assert other.call("POST", "/message", {}).status_code == 403
    del other.session.headers["X-Auth-Token"]
    assert other.call("GET", "/message").status_code == 401


def share_out(zebra: Zebra, name: str, messages: int, claimants: int, halfway: Callable[[], None] = lambda: None) -> list[int]:
    """What the claimants got, all together, each deleting what it got; ``halfway`` is called once half of it is done."""
    found: list[int] = []
    failures: list[str] = []
    half, deadline = threading.Event(), time.monotonic() + PATIENCE

    def work(client: str) -> None:
        queue = Queue(zebra, name, client)
        while len(found) < messages and not failures:
            answer = queue.call("POST", "/claim", limit=5, ttl=60)
            if answer.status_code not in (200, 503) or time.monotonic() > deadline:
                failures.append(f"{len(found)} messages, then {answer.status_code} {answer.text}")
            for message in answer.json() if answer.status_code == 200 else ():
                found.append(message["data"])
                delete(queue, message["claim_id"])
            if len(found) >= messages // 2 or failures:
                half.set()

    def delete(queue: Queue, claim: str) -> None:
        while (status := queue.call("DELETE", f"/message/{claim}").status_code) not in (204, 404):
            if status not in (409, 503) or time.monotonic() > deadline:
                failures.append(f"{status} to the deletion of {claim}")
                return

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(claimants)]
    for thread in threads:
        thread.start()
    half.wait(PATIENCE)
    halfway()
    for thread in threads:
        thread.join()
    assert failures == []
    return found


def fill(zebra: Zebra, name: str, messages: int) -> None:
    sender = Queue(zebra, name, "sender")
    for number in range(messages):
        assert sender.call("POST", "/message", number, ttl=3600).status_code == 201


def test_no_message_is_claimed_twice_and_none_is_lost(zebra: Zebra, name: str) -> None:
    fill(zebra, name, 40)
    assert Counter(share_out(zebra, name, 40, claimants=4)) == Counter(range(40))


def test_nor_while_a_storage_node_dies(tmp_path: Path) -> None:
    with Zebra(tmp_path / "zebra", nodes=4, destroy=True) as own:
        assert Queue(own, "q", "sender").call("PUT").status_code == 201
        fill(own, "q", 80)
        found = share_out(own, "q", 80, claimants=8, halfway=lambda: own.kill_node(1))
    assert Counter(found) == Counter(range(80))
