"""Queues on a real cluster: many clients at once, over HTTP, and a storage node less."""

from __future__ import annotations

import json
import threading
from collections import Counter

import pytest
import requests

from zerocloud.zebra import Zebra

MESSAGES = 40
CLAIMANTS = 4


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


def test_no_message_is_claimed_twice_and_none_is_lost(zebra: Zebra, name: str) -> None:
    sender = Queue(zebra, name, "sender")
    for number in range(MESSAGES):
        assert sender.call("POST", "/message", number, ttl=3600).status_code == 201
    found: list[int] = []
    failures: list[str] = []

    def work(client: str) -> None:
        queue = Queue(zebra, name, client)
        while len(found) < MESSAGES and not failures:
            answer = queue.call("POST", "/claim", limit=5, ttl=60)
            if answer.status_code != 200:
                failures.append(answer.text)
                return
            for message in answer.json():
                found.append(message["data"])
                queue.call("DELETE", f"/message/{message['claim_id']}")

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(CLAIMANTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    assert Counter(found) == Counter(range(MESSAGES))
