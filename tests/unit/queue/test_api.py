"""Every row of the API, and every way to use it wrongly, over a fake Swift."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.queue.conftest import ANONYMOUS, OWNER, STRANGER, Caller, over
from tests.unit.queue.fake_swift import FakeSwift
from zerocloud.queue.messages import Messages

ENTRY = "1700000000.00000/0123456789abcdef"


def test_a_queue_is_made_listed_and_deleted(alice: Caller, swift: FakeSwift) -> None:
    assert alice("PUT", "/q").status == 201
    assert alice("PUT", "/q").status == 202
    assert alice("PUT", "/ü 1").status == 201
    alice.post("one")
    assert alice("GET", "").json() == {"q": {"message_count": 1}, "ü 1": {"message_count": 0}}
    refused = alice("DELETE", "/q")
    assert (refused.status, refused.text) == (409, "Failed to delete queue q: There was a conflict")
    assert alice.delete(alice.claim("?echo=true")[0]) == 204
    assert alice("DELETE", "/q").status == 204
    assert alice("DELETE", "/ü 1").status == 204
    assert alice("GET", "").json() == {}
    assert swift.containers == {}


def test_more_queues_than_a_page(alice: Caller, swift: FakeSwift, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerocloud.queue.queues.PAGE", 3)
    for number in range(10):
        alice("PUT", f"/{number}")
    assert len(alice("GET", "").json()) == 10
    swift.containers[".queue"] = swift.containers[".queue_0"]  # somebody else's names
    assert len(alice("GET", "").json()) == 10


def test_a_message_is_posted_and_read(alice: Caller, bob: Caller, queue: str) -> None:
    posted = alice.post({"n": 1.50, "ü": ["\u2028"]})
    assert posted["data"] == {"n": 1.50, "ü": ["\u2028"]}
    assert posted["client_id"] == "alice"
    assert posted["claim_id"].split("/")[1:] == [posted["msg_id"], "alice", "-"]
    answer = bob("GET", "/q/message")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == [posted]


def test_data_is_kept_as_it_was_written(alice: Caller, queue: str) -> None:
    text = b'{"b": 1e400, "a": 0.10000000000000000555, "a": "\\ud800"}'
    assert alice("POST", "/q/message", b"  " + text + b"\r\n").status == 201
    assert text in alice("GET", "/q/message?echo=true").body


def test_messages_are_read_in_order_without_one_s_own(alice: Caller, bob: Caller, queue: str) -> None:
    for number in range(30):
        (alice if number % 2 else bob).post(number)
    assert alice.read("") == [0]
    assert alice.read("?limit=1000") == list(range(0, 30, 2))
    assert alice.read("?limit=1000&echo=true") == list(range(30))
    assert alice.read("?limit=7&echo=TRUE") == list(range(7))
    assert Caller(alice._application, None).read("?limit=5") == list(range(5))


def test_a_claim_hides_messages_and_gives_them_new_ids(alice: Caller, bob: Caller, queue: str) -> None:
    for number in range(5):
        alice.post(number)
    free = alice("GET", "/q/message?limit=9&echo=true").json()
    claimed = bob.claim("?limit=3")
    assert [message["data"] for message in claimed] == [0, 1, 2]
    assert [message["msg_id"] for message in claimed] == [message["msg_id"] for message in free[:3]]
    assert not {message["claim_id"] for message in claimed} & {message["claim_id"] for message in free}
    assert all(message["claim_id"].endswith("/alice/bob") for message in claimed)
    assert alice.read() == [3, 4]
    assert alice.claim() == []  # only messages of others
    assert len(alice.claim("?limit=10&echo=true")) == 2
    assert bob.claim() == []


def test_a_claim_keeps_the_message_s_end(alice: Caller, bob: Caller, queue: str, swift: FakeSwift) -> None:
    end = alice.post("short", "?ttl=5")["expires"]
    claimed = bob.claim()[0]
    assert claimed["expires"] == end
    extended = bob("POST", f"/q/claim/{claimed['claim_id']}").json()
    assert extended["expires"] == end
    stored = swift.containers[".messages_q"].objects[f"m/{claimed['msg_id']}"]
    entry = swift.containers[".queue_q"].objects[extended["claim_id"]]
    assert stored[1]["X-Delete-At"] == entry[1]["X-Delete-At"] == str(end)


def test_a_claim_that_has_ended_is_anybody_s(alice: Caller, bob: Caller, queue: str, clock: Any) -> None:
    alice.post("again")
    first = bob.claim("?ttl=10")[0]
    clock.pass_by(9)
    assert bob.claim() == []
    clock.pass_by(2)
    second = Caller(alice._application, "carol").claim()[0]
    assert second["data"] == "again"
    assert bob.delete(first) == 404
    assert bob("POST", f"/q/claim/{first['claim_id']}").status == 404
    assert alice.delete(second) == 204


def test_a_claim_is_extended(alice: Caller, bob: Caller, queue: str, clock: Any) -> None:
    alice.post("long")
    claimed = bob.claim("?ttl=10")[0]
    clock.pass_by(8)
    extended = bob("POST", f"/q/claim/{claimed['claim_id']}?ttl=10")
    assert extended.status == 200
    assert extended.json()["data"] == "long"
    clock.pass_by(8)
    assert alice.read() == []
    assert bob.delete(claimed) == 404
    assert bob.delete(extended.json()) == 204


def test_a_claim_is_given_back(alice: Caller, bob: Caller, queue: str) -> None:
    alice.post("back")
    claimed = bob.claim()[0]
    answer = bob("DELETE", f"/q/claim/{claimed['claim_id']}")
    assert (answer.status, answer.body) == (204, b"")
    assert alice.read() == ["back"]
    assert bob("DELETE", f"/q/claim/{claimed['claim_id']}").status == 404
    again = bob.claim()[0]
    assert again["msg_id"] == claimed["msg_id"]


def test_a_message_nobody_has_is_not_given_back(alice: Caller, queue: str) -> None:
    posted = alice.post(1)
    assert alice("DELETE", f"/q/claim/{posted['claim_id']}").status == 404
    assert alice.read() == [1]


def test_a_deleted_message_is_gone_with_all_of_it(alice: Caller, bob: Caller, queue: str, swift: FakeSwift) -> None:
    posted = alice.post(1)
    assert alice.delete(posted) == 204  # unclaimed messages too
    assert alice.delete(posted) == 404
    alice.post(2)
    assert bob.delete(bob.claim()[0]) == 204
    assert (swift.names(".queue_q"), swift.names(".messages_q")) == ([], [])


def test_messages_expire(alice: Caller, bob: Caller, queue: str, clock: Any, swift: FakeSwift) -> None:
    alice.post("short", "?ttl=5")
    alice.post("long", "?ttl=4000")  # as long as is allowed
    clock.pass_by(10)
    assert alice.read() == ["long"]
    clock.pass_by(100)
    assert alice.read() == ["long"]
    assert len(swift.names(".queue_q")) == 1, "what has expired is swept away"
    clock.pass_by(3600)
    assert bob.claim() == []
    assert alice("DELETE", "/q").status == 204


def test_limits_are_capped(alice: Caller, bob: Caller, queue: str, clock: Any) -> None:
    end = alice.post(0, "?ttl=99999999999999999999999")["expires"]
    assert end <= clock.now() + 3601
    for number in range(11):
        alice.post(number)
    claimed = bob.claim("?limit=1000&ttl=1000")
    assert len(claimed) == 10
    assert float(claimed[0]["claim_id"].split("/")[0]) <= clock.now() + 60


@pytest.mark.parametrize("value", ["", "0", "00", "-1", "1.5", "one", "1e3", "%2B1", "0x10", "%D9%A1", "1_0", "null"])
@pytest.mark.parametrize("name", ["limit", "ttl"])
def test_bad_numbers_are_400_and_say_what_is_expected(alice: Caller, queue: str, name: str, value: str) -> None:
    alice.post(1)
    answer = alice("POST", f"/q/claim?echo=true&{name}={value}")
    assert answer.status == 400
    most = {"limit": "10", "ttl": "60"}[name]
    assert answer.text.startswith(f"{name} = ")
    assert f"more than {most} counts as {most}" in answer.text
    assert alice.read() == [1]


@pytest.mark.parametrize("query", ["?limit=x", "?limit=0", "?echo=maybe", "?echo=", "?limit=%ff"])
def test_bad_parameters_of_a_listing(alice: Caller, queue: str, query: str) -> None:
    assert alice("GET", f"/q/message{query}").status == 400


def test_bad_time_to_live(alice: Caller, queue: str) -> None:
    assert alice("POST", "/q/message?ttl=x", b"1").status == 400


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"NaN", b"[Infinity]", b"\xff", b"'a'", b"1 2", b"[" * 60000, '"ü"'.encode("utf-16"), b"9" * 5000],
)
def test_what_is_not_json_is_422(alice: Caller, queue: str, body: bytes) -> None:
    answer = alice("POST", "/q/message", body)
    assert (answer.status, answer.text) == (422, "Could not load message content as JSON")
    assert alice.read() == []


def test_messages_have_a_largest_size(alice: Caller, queue: str) -> None:
    assert alice("POST", "/q/message", b'"' + b"x" * 65534 + b'"').status == 201
    answer = alice("POST", "/q/message", b'"' + b"x" * 65535 + b'"')
    assert (answer.status, answer.text) == (413, "The message is larger than 65536 bytes")
    streamed = Caller(alice._application, "alice", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert streamed("POST", "/q/message", b'"' + b"x" * 65535 + b'"').status == 413
    assert Caller(alice._application, "alice", CONTENT_LENGTH="-1")("POST", "/q/message", b"1").status == 400
    assert Caller(alice._application, "alice", CONTENT_LENGTH="9" * 5000)("POST", "/q/message", b"1").status == 413
    assert Caller(alice._application, "alice", CONTENT_LENGTH="3")("POST", "/q/message", b"1").status == 499


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/q/message"), ("POST", "/q/claim"), ("POST", f"/q/claim/{ENTRY}/alice/bob")],
)
def test_some_requests_need_a_client_id(queues: Any, queue: str, method: str, path: str) -> None:
    answer = Caller(queues, None)(method, path, b"1")
    assert (answer.status, answer.text) == (412, "Client-Id header missing")


@pytest.mark.parametrize("client", ["a/b", "-", ".", "..", "a\nb", "a\x7f", "x" * 101, "ü" * 51, "\u2028"])
def test_hostile_client_ids(queues: Any, queue: str, client: str) -> None:
    for method, path in (("POST", "/q/message"), ("POST", "/q/claim"), ("GET", "/q/message")):
        assert Caller(queues, client)(method, path, b"1").status == 400


def test_a_client_id_that_is_not_utf8(queues: Any, queue: str) -> None:
    assert Caller(queues, None, HTTP_CLIENT_ID="\xff\xfe")("POST", "/q/message", b"1").status == 400


@pytest.mark.parametrize("client", ["ü" * 50, "a b", "%2F", "a&b=c#d", "'; DROP TABLE", "<script>", "日本"])
def test_odd_client_ids_work(queues: Any, queue: str, client: str) -> None:
    odd, other = Caller(queues, client), Caller(queues, "other")
    other.post("for the odd one")
    claimed = odd.claim()[0]
    assert claimed["claim_id"].endswith(f"/{client}")
    extended = odd("POST", f"/q/claim/{claimed['claim_id']}")
    assert extended.status == 200
    assert odd.delete(extended.json()) == 204


def test_who_has_no_claim_can_t_extend_one(alice: Caller, bob: Caller, queue: str) -> None:
    alice.post(1)
    claimed = bob.claim()[0]
    answer = alice("POST", f"/q/claim/{claimed['claim_id']}")
    assert (answer.status, answer.text) == (412, "Client-Id does not match claim id")
    ob = Caller(alice._application, "ob")
    assert ob("POST", f"/q/claim/{claimed['claim_id']}").status == 412
    forged = claimed["claim_id"].replace("/bob", "/alice").replace("/alice/alice", "/alice/alice")
    assert alice("POST", f"/q/claim/{forged}").status == 404


@pytest.mark.parametrize(
    "claim",
    [
        "x",
        "1/2/3/4",
        f"{ENTRY}/alice/alice",
        "../../../etc/passwd/alice",
        f"{ENTRY}/a/b/alice",
    ],
)
def test_claim_ids_that_never_were(alice: Caller, queue: str, claim: str, swift: FakeSwift) -> None:
    before = list(swift.requests)
    assert alice("DELETE", f"/q/message/{claim}").status == 404
    assert alice("DELETE", f"/q/claim/{claim}").status == 404
    assert alice("POST", f"/q/claim/{claim}").status in (404, 412)
    made = swift.requests[len(before) :]
    assert {method for method, _ in made} <= {"GET", "HEAD"}
    assert not any(".." in path for _, path in made)


@pytest.mark.parametrize("name", ["", "a\nb", ".", "..", "x" * 247, "ü" * 124])
def test_hostile_queue_names(alice: Caller, name: str) -> None:
    assert alice("PUT", f"/{name}").status in (400, 422)
    assert alice("POST", f"/{name}/message", b"1").status == 400


def test_the_longest_name(alice: Caller) -> None:
    name = "x" * 246
    assert alice("PUT", f"/{name}").status == 201
    alice.post(1, queue=name)
    assert alice.read(queue=name) == [1]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "", 422),
        ("PUT", "", 422),
        ("GET", "/q", 422),
        ("POST", "/q", 422),
        ("HEAD", "/q/message", 422),
        ("PUT", "/q/message", 422),
        ("GET", "/q/claim", 422),
        ("GET", "/q/message/x", 422),
        ("GET", "/q/other", 422),
        ("GET", "/q//x", 422),
        ("FOO", "/q/message", 422),
        ("GET", "/missing/message", 404),
        ("POST", "/missing/message", 404),
        ("POST", "/missing/claim", 404),
        ("DELETE", "/missing", 404),
        ("DELETE", "/missing/message/x", 404),
    ],
)
def test_other_shapes(alice: Caller, queue: str, method: str, path: str, status: int) -> None:
    assert alice(method, path, b"1").status == status


@pytest.mark.parametrize(("path", "status"), [("/queue", 412), ("/queue/", 412), ("/queue//q", 412), ("/queue/A\xff/q", 412)])
def test_without_an_account(queues: Any, path: str, status: int) -> None:
    assert Caller(queues, "alice", PATH_INFO=path)("GET", "").status == status


def test_all_other_requests_pass_by(swift: FakeSwift) -> None:
    seen = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return [b"passed"]

    for path in ("/v1/A/queue", "/queues/A", "/", "/queuex", "/v1/queue/A"):
        assert Caller(over(application), "alice", PATH_INFO=path)("GET", "").body == b"passed"
    assert len(seen) == 5


RIGHTS = [
    # method, path, what it takes
    ("GET", "", "owner"),
    ("PUT", "/q", "owner"),
    ("GET", "/q/message?echo=true", "read"),
    ("POST", "/q/message", "write"),
    ("POST", "/q/claim", "read write"),
    ("POST", "/q/claim/{bob}", "read write"),
    ("DELETE", "/q/claim/{bob}", "write"),
    ("DELETE", "/q/message/{free}", "write"),
    ("DELETE", "/q", "owner"),
]


@pytest.mark.parametrize(("method", "path", "takes"), RIGHTS)
@pytest.mark.parametrize("granted", ["", "read", "write", "read write"])
def test_who_may_do_what(queues: Any, swift: FakeSwift, method: str, path: str, takes: str, granted: str) -> None:
    owner, stranger = Caller(queues, "owner"), Caller(queues, "bob", STRANGER)
    lists = {f"x_container_{word}": STRANGER for word in granted.split()}
    assert owner("PUT", "/q", **lists).status == 201
    owner.post(1)
    claimed = Caller(queues, "bob").claim()[0]
    free = owner.post(2)
    path = path.format(bob=claimed["claim_id"], free=free["claim_id"])
    before = {name: list(found.objects) for name, found in swift.containers.items()}
    answer = stranger(method, path, b"1")
    if set(takes.split()) <= set(granted.split()):
        assert answer.status < 300
    else:
        assert answer.status == 403
        assert {name: list(found.objects) for name, found in swift.containers.items()} == before
    assert Caller(queues, "bob", ANONYMOUS)(method, path, b"1").status == 401


def test_a_stranger_does_not_learn_which_queues_there_are(queues: Any, alice: Caller, queue: str) -> None:
    stranger = Caller(queues, "eve", STRANGER)
    assert stranger("GET", "/q/message").status == stranger("GET", "/none/message").status == 403


def test_a_right_to_one_object_is_no_right_to_queues(queues: Any, queue: str) -> None:
    override = {"swift.authorize_override": True, "swift.authorize": lambda request: None}
    caller = Caller(queues, "eve", OWNER, **override)
    assert [caller(method, path, b"1").status for method, path, _ in RIGHTS] == [401] * len(RIGHTS)


def test_a_failing_swift_is_told(alice: Caller, queue: str, swift: FakeSwift) -> None:
    alice.post(1)
    swift.refuse = lambda method, path: 503 if method == "GET" and "/m/" in path else None
    assert alice("GET", "/q/message?echo=true").status == 503
    assert alice("POST", "/q/claim?echo=true").status == 503
    swift.refuse = lambda method, path: 503 if method == "PUT" else None
    assert alice("POST", "/q/message", b"1").status == 503
    assert alice("PUT", "/q").status == 503
    swift.refuse = lambda method, path: 413 if method == "PUT" and ".queue_q" in path else None
    assert alice("POST", "/q/message", b"1").status == 413
    swift.refuse = lambda method, path: None
    assert alice.read() == [1]


def test_a_queue_that_keeps_its_storage_policy(alice: Caller, swift: FakeSwift) -> None:
    """A repeated PUT with another policy would be a conflict."""
    alice("PUT", "/q")
    refused = []

    def once(method: str, path: str) -> int | None:
        if method == "PUT" and path not in refused:
            refused.append(path)
            return 409
        return None

    swift.refuse = once
    assert alice("PUT", "/q").status == 202


def test_a_listing_has_a_limit_too(alice: Caller, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        alice.post(number)
    seen = []
    read = Messages.read
    monkeypatch.setattr(Messages, "read", lambda self, wish: seen.append(wish.limit) or read(self, wish))
    for asked in ("1", "1000", "1001", "9" * 50):
        assert alice("GET", f"/q/message?echo=true&limit={asked}").status == 200
    assert seen == [1, 1000, 1000, 1000]
