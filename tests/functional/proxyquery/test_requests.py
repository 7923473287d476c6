"""What is a request for a job, who may make it, and what a bad one is told."""

import hashlib
import json

import pytest
from swift.common.concurrency import listen, sleep, socket, spawn, wsgi
from swift.common.swob import HTTPForbidden, HTTPUnauthorized, Request
from swift.common.utils import NullLogger

from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, text
from tests.functional.proxyquery.harness import world as harness_world

EXECUTE = {"X-Zerovm-Execute": "1.0", "Content-Type": "application/json"}


def send(world, method="POST", path=f"/v1/{ACCOUNT}", body=b"[]", **headers):
    """Any request to the filter."""
    request = Request.blank(path, method=method, body=body, headers={**EXECUTE, **headers})
    response = request.get_response(world.filter)
    response.body  # noqa: B018 - reads and closes it
    return response


def test_other_requests_pass_untouched(world):
    world.pipeline.put("c/o", b"plain")
    plain = Request.blank(f"/v1/{ACCOUNT}/c/o").get_response(world.filter)
    assert (plain.status_int, plain.body) == (200, b"plain")
    assert "X-Zerovm-Job" not in plain.headers
    for path in ("/info", "/healthcheck", "/v1", "/"):
        Request.blank(path, headers=EXECUTE).get_response(world.filter)
        assert world.pipeline.requests.pop()[0] == "GET"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("execute", ["1.0", "junk", ""])
def test_a_job_is_a_post(world, method, execute):
    assert send(world, method, **{"X-Zerovm-Execute": execute}).status_int == 501
    body = json.dumps([node(world, device("stdout"))]).encode()
    assert send(world, body=body, **{"X-Zerovm-Execute": execute}).status_int == 200


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/json;x"])
def test_parameters_of_a_type_are_not_the_type(world, kind):
    body = json.dumps([node(world, device("stdout"))]).encode()
    assert send(world, body=body, **{"Content-Type": kind}).status_int == 200
    assert send(world, body=body, **{"Content-Type": f"text/{kind.replace(';', '-')}"}).status_int == 400


def test_what_is_not_a_request_is_told_why(world):
    assert send(world, "BREW").status_int == 412
    assert send(world, path="/v1/AUTH_test%ff").status_int == 412
    assert send(world, **{"Content-Type": ""}).status_int == 400
    assert send(world, **{"Content-Type": "text/x-script"}).status_int == 400
    assert send(world, **{"X-Zerovm-Source": "a/c/o"}).status_int == 412
    answer = send(world, body=b"[{")
    assert answer.status_int == 422
    assert text(answer).startswith("Could not parse system map")
    assert len(answer.headers["X-Zerovm-Job"]) == 17


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣"])
def test_a_false_length_is_refused(world, length):
    request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers=EXECUTE)
    request.environ["CONTENT_LENGTH"] = length.encode().decode("latin-1")
    assert request.get_response(world.filter).status_int == 400


def test_a_map_that_is_too_long_is_not_read(world):
    answer = send(world, body=b" " * 65537)
    assert answer.status_int == 413
    assert "65536" in text(answer)
    request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers=EXECUTE, body=b" " * 65537)
    del request.environ["CONTENT_LENGTH"]  # chunked
    assert request.get_response(world.filter).status_int == 413


class Dribble:
    """A client that sends a byte now and then."""

    def __init__(self, pause):
        self._pause = pause

    def read(self, *_):
        sleep(self._pause)
        return b" "


@pytest.mark.parametrize(("option", "pause"), [("client_timeout", 30), ("max_upload_time", 0.01)])
@pytest.mark.parametrize("kind", ["application/json", "application/x-tar", "text/x-script"])
def test_an_upload_that_takes_too_long_is_given_up(tmp_path, option, pause, kind):
    with harness_world(tmp_path, **{option: "0.1"}) as one:
        request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers={**EXECUTE, "Content-Type": kind})
        request.environ.update({"wsgi.input": Dribble(pause), "CONTENT_LENGTH": "60000"})
        assert request.get_response(one.filter).status_int == 408
        assert one.asked() == 0


def test_a_map_that_breaks_off_is_told(world):
    request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers=EXECUTE, body=b"[]")
    request.environ["CONTENT_LENGTH"] = "10"
    assert request.get_response(world.filter).status_int == 499


def test_the_etag_of_a_map_is_checked(world):
    body = json.dumps([node(world, device("stdout"))]).encode()
    assert send(world, body=body, Etag='"' + hashlib.md5(body).hexdigest().upper() + '"').status_int == 200
    assert send(world, body=body, Etag="0" * 32).status_int == 422


def test_mistakes_in_a_map_are_sentences(world):
    answer = world.post({"name": "n", "exec": {"path": "swift://~/c/exe"}, "devices": [{"name": "stdout"}], "count": 0})
    assert answer.status_int == 400
    assert "/0/count" in text(answer)


@pytest.mark.parametrize("asked", ["0", "-1", "nan", "inf", "abc", "3601", "1e99", ""])
def test_only_a_sane_timeout_may_be_asked_for(world, asked):
    answer = world.post(node(world, device("stdout")), X_Zerovm_Timeout=asked)
    assert answer.status_int == 400
    assert "3600" in text(answer)


def test_a_timeout_reaches_the_servers_in_whole_seconds(world):
    world.post(node(world, device("stdout")), X_Zerovm_Timeout="1.5")
    (job,) = world.jobs()
    assert job.headers["X-Zerovm-Timeout"] == "2"


def owner_only(request):
    """Like tempauth: the account's owner may everything, others what an ACL says."""
    user = request.environ.get("REMOTE_USER")
    if user == request.path.split("/")[2] or (user and request.acl == user):
        return None
    return HTTPForbidden(request=request) if user else HTTPUnauthorized(request=request)


def as_user(user):
    def authorize(request):
        request.environ["REMOTE_USER"] = user
        return owner_only(request)

    return authorize


def test_without_a_token_or_in_a_foreign_account_nothing_runs(world):
    group = node(world, device("stdout"))
    assert world.post(group, authorize=as_user(None)).status_int == 401
    assert world.post(group, authorize=as_user("other")).status_int == 403
    assert world.post(group, authorize=as_user(ACCOUNT)).status_int == 200
    assert len(world.jobs()) == 1


@pytest.mark.parametrize("use", ["exe", "local", "remote", "output", "container", "missing"])
def test_every_object_needs_its_own_right(world, use):
    """The owner of one account uses another account's container, once without the right and once with it."""
    foreign = "AUTH_other/c"
    world.pipeline.containers[foreign] = {}
    for name in ("exe", "data"):
        world.pipeline.objects[f"{foreign}/{name}"] = (b"x", {})
    world.pipeline.put("c/mine", b"mine")
    group = node(world, device("stdout"))
    target = {"name": "stdin", "path": f"swift://{foreign}/data"}
    match use:
        case "exe":
            group["exec"]["path"] = f"swift://{foreign}/exe"
        case "local":
            group["devices"].append(target)
        case "remote":
            group["devices"] += [target, device("input", "c/mine")]
            group["attach"] = "input"
        case "output":
            group["devices"] = [{"name": "stdout", "path": f"swift://{foreign}/out"}]
        case "container":
            group["devices"].append({"name": "input", "path": f"swift://{foreign}"})
        case "missing":
            group["devices"].append({"name": "stdin", "path": "swift://AUTH_other/none/data"})
    answer = world.post(group, authorize=as_user(ACCOUNT))
    assert answer.status_int == 403
    assert world.jobs() == []  # it is refused before anything runs
    if use != "missing":
        world.pipeline.containers[foreign] = {"X-Container-Read": ACCOUNT, "X-Container-Write": ACCOUNT}
        world.filter._cluster = None
        assert world.post(group, authorize=as_user(ACCOUNT)).status_int == 200


def test_a_wildcard_lists_only_what_its_user_may_list(world):
    world.pipeline.containers["AUTH_other/c"] = {}
    world.pipeline.objects["AUTH_other/c/data"] = (b"x", {})
    group = node(world, {"name": "stdin", "path": "swift://AUTH_other/c/d*"}, device("stdout"))
    answer = world.post(group, authorize=as_user(ACCOUNT))
    assert answer.status_int in (400, 403)
    assert world.jobs() == []


def test_a_temporary_url_cannot_run_jobs(world):
    """Its authorizer lets everything of the account pass, for it was asked about one object only."""
    request = Request.blank(
        f"/v1/{ACCOUNT}", method="POST", headers=EXECUTE, body=json.dumps([node(world, device("stdout"))]).encode()
    )
    request.environ["swift.authorize"] = lambda request: None
    request.environ["swift.authorize_override"] = True
    assert request.get_response(world.filter).status_int == 401
    assert world.jobs() == []


def test_listings_are_read_page_by_page(world, monkeypatch):
    monkeypatch.setattr("zerocloud.proxyquery.listing.PAGE", 7)
    monkeypatch.setattr("zerocloud.proxyquery.listing.PipelineListing.__init__.__defaults__", (7,))
    for number in range(30):
        world.pipeline.put(f"c/in-{number:02}", b"")
    world.every(run=lambda job: Answer({"stdout": b"."}))
    assert world.post(node(world, device("stdin", "c/in-*"), device("stdout"))).body == b"." * 30
    assert world.pipeline.count("GET", "c") == 5


def test_a_client_that_hangs_up_cancels_its_job(world):
    """Over real sockets: the session's connection is cut, which kills the session."""
    cut = []

    def run(job):
        try:
            sleep(30)
        finally:
            cut.append("killed")

    seen = []

    def before(headers):
        seen.append(headers)

    world.every(run=run, before=before)
    listener = listen(("127.0.0.1", 0))
    server = spawn(wsgi.server, listener, world.filter, log=NullLogger(), debug=False)
    body = json.dumps([node(world, device("stdout", "c/out"))]).encode()
    client = socket.create_connection(listener.getsockname()[:2])
    head = f"POST /v1/{ACCOUNT} HTTP/1.1\r\nHost: x\r\nX-Zerovm-Execute: 1.0\r\nContent-Type: application/json\r\n"
    client.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    deadline = 200
    while not world.jobs() and deadline:
        sleep(0.01)
        deadline -= 1
    assert world.jobs()
    connections = sessions(world)
    assert len(connections) == 1
    client.close()
    deadline = 200
    while sessions(world) and deadline:
        sleep(0.01)
        deadline -= 1
    assert not sessions(world)
    server.kill()
    listener.close()
    assert f"{ACCOUNT}/c/out" not in world.pipeline.objects


def sessions(world):
    """Established connections to storage servers, as the kernel knows them."""
    ports = {f"{server.port:04X}" for server in world.servers}
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [row for row in rows if row[2].partition(":")[2] in ports and row[3] == "01"]


@pytest.mark.parametrize(
    ("option", "keys", "pointer"),
    [
        ("zerovm_maxnodes", {"count": 8}, "/0/count"),
        ("zerovm_maxconnections", {"count": 4, "connect": ["n"]}, "/0/connect"),
        ("zerovm_maxnexemem", {"memory": 8}, "/0/memory"),
        ("zerovm_maxretries", {"retries": 8}, "/0/retries"),
        ("zerovm_max_timeout", {"timeout": 8}, "/0/timeout"),
    ],
)
def test_what_the_operator_allows_is_told_when_a_map_wants_more(tmp_path, option, keys, pointer):
    limits = {"zerovm_timeout": "7", option: "7"}
    with harness_world(tmp_path, **limits) as one:
        answer = one.post(node(one, device("stdout"), **keys), Accept="application/json")
    assert answer.status_int == 400
    (problem,) = json.loads(answer.body)["problems"]
    assert problem["pointer"].startswith(pointer)
    assert "7" in problem["reason"] + problem["cure"]
