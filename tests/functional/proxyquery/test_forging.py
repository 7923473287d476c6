"""Attacks: what clients and programs must not be able to say in the cluster's name, and where they must not get to."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from swift.common.concurrency import listen, socket, spawn, wsgi
from swift.common.middleware.gatekeeper import filter_factory as gatekeeper
from swift.common.swob import HTTPForbidden, Request
from swift.common.utils import NullLogger

from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, refusal, text
from zerocloud import wire

FORGED = "forged"


def request_of(world, *groups, path=f"/v1/{ACCOUNT}", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    fixed = {"X-Zerovm-Execute": "1.0", "Content-Type": "application/json"}
    return Request.blank(path, method="POST", headers={**fixed, **named}, body=json.dumps(list(groups)).encode())


@pytest.mark.parametrize("name", ["X-Backend-Allow-Reserved-Names", "X-Backend-Storage-Policy-Index", "x-backend-anything"])
def test_internal_headers_of_clients_are_refused(world, name):
    """The gatekeeper removes them. Where an operator has left it out, nothing may run."""
    request = request_of(world, node(world, device("stdout")), **{name: "1"})
    answer = request.get_response(world.filter)
    assert (answer.status_int, "X-Backend" in text(answer), world.asked()) == (400, True, 0)
    request = request_of(world, node(world, device("stdout")), **{name: FORGED})
    answer = request.get_response(gatekeeper({"log_custom_handlers": "zerocloud.zebra.serverlog.replace_syslog"})(world.filter))
    assert (answer.status_int, answer.body) == (200, b"")
    assert FORGED not in str([job.headers for job in world.jobs()])


@pytest.mark.parametrize("name", [wire.POOL, wire.ACCESS, wire.JOB_ID, wire.PROGRAM, wire.DAEMON, wire.VALID, wire.COLOCATED])
def test_what_the_proxy_tells_servers_is_not_the_clients_to_say(world, name):
    request_of(world, node(world, device("stdout")), **{name: FORGED}).get_response(world.filter).body  # noqa: B018 - reads and closes it
    (job,) = world.jobs()
    assert FORGED not in str(job.headers)


@pytest.mark.parametrize(
    "name",
    [
        "X-Backend-Timestamp",
        "X-Object-Sysmeta-Slo-Etag",
        "X-Object-Transient-Sysmeta-A",
        "X-Container-Sysmeta-A",
        "X-Account-Sysmeta-A",
        "X-Nexe-Retcode",
        "X-Zerovm-Job",
        "X-Trans-Id",
        "X-Openstack-Request-Id",
        "X-Zerovm-Valid",
        "Connection",
        "Keep-Alive",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Upgrade",
        "Proxy-Authenticate",
        "Set-Cookie",
        "Clear-Site-Data",
        "Service-Worker-Allowed",
        "Strict-Transport-Security",
        "Alt-Svc",
        "X-Hop",
    ],
)
def test_programs_do_not_speak_for_the_cluster(world, name):
    records = {"Status": "200 OK", "X-Fine": "yes", "Connection": "close, x-hop", name: FORGED}
    if name == "Connection":
        records[name] = f"close, {FORGED}"
    world.every(run=lambda job: Answer({"stdout": b"x"}, {"stdout": records}))
    answer = world.post(node(world, device("stdout", content_type="message/cgi")))
    assert (answer.status_int, answer.headers["X-Fine"]) == (200, "yes")
    assert FORGED not in str(answer.headers.items())


SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"


@pytest.mark.parametrize(
    "status", ["204 No Content", "304 Not Modified", "205 Reset", "100 Continue", "101 Switch", "999 x", "000 x"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_answer_ends_where_http_says_that_it_does(world, status, method):
    """What a program writes after the headers of an answer that has no body would be the answer to somebody's next request."""
    world.every(run=lambda job: Answer({"stdout": SMUGGLED}, {"stdout": {"Status": status, "Content-Length": "0"}}))
    world.pipeline.put("c/zapp", json.dumps([node(world, device("stdout"))]).encode(), **{"Content-Type": "application/json"})
    listener = listen(("127.0.0.1", 0))
    server = spawn(wsgi.server, listener, world.filter, log=NullLogger(), debug=False)
    with socket.create_connection(listener.getsockname()[:2]) as client:
        for connection in ("keep-alive", "close"):  # one connection, as a balancer would share it among its clients
            head = f"{method} /open/{ACCOUNT}/c/zapp HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n"
            client.sendall(head.encode())
        said = b"".join(iter(lambda: client.recv(65536), b""))
    server.kill()
    listener.close()
    ours = status[:3] if status[0] in "23" else "200"
    bodies = 0 if method == "HEAD" or ours != "200" else 2
    assert said.count(SMUGGLED) == bodies
    answers = said.replace(SMUGGLED, b"").split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [ours.encode()] * 2
    assert all(answer.endswith(b"\r\n\r\n") and b"X-Zerovm-Job" in answer for answer in answers)


@pytest.mark.parametrize(
    "name",
    [
        "X-Object-Sysmeta-Container-Update-Override-Etag",
        "X-Backend-Timestamp",
        "X-Symlink-Target",
        "X-Object-Manifest",
        "X-Delete-At",
        "X-Copy-From",
        "X-Static-Large-Object",
    ],
)
def test_programs_store_bytes_a_type_and_metadata_and_nothing_else(world, name):
    records = {"output": {name: FORGED, "X-Object-Meta-Fine": "yes"}}
    world.every(run=lambda job: Answer({"output": b"x"}, records))
    assert world.post(node(world, device("output", "c/o"))).status_int == 200
    _, headers = world.pipeline.objects[f"{ACCOUNT}/c/o"]
    assert headers["X-Object-Meta-Fine"] == "yes"
    assert FORGED not in str(headers)


@pytest.mark.parametrize("value", ["a\r\nX-Object-Sysmeta-Evil: 1", "a\nb", "a\x00b", "a\x1b[2Jb", "a\u2028b"])
@pytest.mark.parametrize("by_map", [True, False])
def test_metadata_stays_one_line(world, value, by_map):
    """A map with such a value is refused, or the value is one line; a program's is one line."""
    records = {} if by_map else {"output": {"X-Object-Meta-Note": value, "Content-Type": f"text/{value}"}}
    world.every(run=lambda job: Answer({"output": b"x"}, records))
    more = {"meta": {"Note": value}, "content_type": f"text/{value}"} if by_map else {}
    answer = world.post(node(world, device("output", "c/o", **more)))
    assert answer.status_int in ((200, 400) if by_map else (200,)), text(answer)
    _, headers = world.pipeline.objects.get(f"{ACCOUNT}/c/o", (b"", {}))
    stored = [item.encode("latin-1").decode() for pair in headers.items() for item in pair]
    assert all(item.isprintable() for item in stored), stored
    assert not any("evil" in name.lower() for name in headers)


@pytest.mark.parametrize("key", ["Note\r\nX-Object-Sysmeta-Evil", "a:b", "", "\x00", "ö\n"])
def test_names_of_metadata_are_names(world, key):
    answer = world.post(node(world, device("output", "c/o", meta={key: "1"})))
    assert answer.status_int == 400, text(answer)
    assert world.asked() == 0


@pytest.mark.parametrize("name", ["n\r\nX-Evil: 1", "n\x00", "../n", "n,n"])
def test_names_of_nodes_do_not_break_headers(world, name):
    answer = world.post(node(world, device("stdout"), name=name))
    assert answer.status_int in (200, 400)
    assert "X-Evil" not in answer.headers
    assert not any("\n" in value or "\r" in value or "\x00" in value for value in answer.headers.values())


@pytest.mark.parametrize("way", ["local", "remote", "output", "program", "address"])
def test_names_of_objects_do_not_break_requests(world, way):
    """In what is asked of storage servers, of Swift, and told to clients and programs."""
    name = f"a\r\nX-Evil: {FORGED}\r\n\r\n"
    url = f"swift://~/c/{quote(name)}"
    world.pipeline.put(f"c/{name}", b"content", **{"Content-Type": "application/wasm"})
    group = node(world, device("stdout"))
    match way:
        case "local":
            group["devices"].append({"name": "stdin", "path": url})
        case "remote":
            world.pipeline.put("c/mine", b"mine")
            group["devices"] += [{"name": "stdin", "path": url}, device("input", "c/mine")]
            group["attach"] = "input"
        case "output":
            group["devices"] = [{"name": "stdout", "path": url}]
        case "program":
            group["exec"]["path"] = url
    world.every(run=lambda job: Answer({"stdout": b"made"}))
    if way == "address":
        answer = Request.blank(f"/open/{ACCOUNT}/c/{quote(name)}").get_response(world.filter)
    else:
        answer = world.post(group)
    assert not any("\n" in value or "\r" in value for value in answer.headers.values())
    if way in ("program", "address"):
        assert (answer.status_int, FORGED in str(answer.headers), world.asked()) == (400, False, 0)
        return
    assert (answer.status_int, text(answer)) == (200, "" if way == "output" else "made")
    (job,) = world.jobs()
    assert not [told for told in (*job.headers.items(), *answer.headers.items()) if "evil" in told[0].lower()]
    assert not any("\n" in value or "\r" in value for value in job.headers.values())
    if way == "local":
        assert job.path.endswith(name)
    if way == "output":
        assert world.pipeline.objects[f"{ACCOUNT}/c/{name}"][0] == b"made"


def test_a_refusal_of_a_server_is_told_in_one_line(world):
    world.every(before=refusal(400, "bad\r\nX-Evil: 1\r\n\r\n<script>"))
    answer = world.post(node(world, device("stdout")))
    assert (answer.status_int, "X-Evil" in answer.headers) == (400, False)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "\n" not in answer.headers["X-Nexe-Error"]


@pytest.mark.parametrize(
    "path",
    [
        "swift://~/../AUTH_other/c/secret",
        "swift://~/c/../../AUTH_other/c/secret",
        "swift://~%2F..%2FAUTH_other/c/secret",
        "swift://~/c/%2e%2e/%2e%2e/AUTH_other/c/secret",
        "swift://~//AUTH_other/c/secret",
        "swift://~/c%2F..%2F..%2FAUTH_other/c/secret",
    ],
)
def test_paths_do_not_climb_out_of_their_account(world, path):
    """Names are names: dots and slashes in them lead nowhere."""
    world.pipeline.containers["AUTH_other/c"] = {}
    world.pipeline.objects["AUTH_other/c/secret"] = (b"secret", {})
    world.every(before=lambda headers: None)
    seen: list[str] = []

    def own_account_only(request):
        seen.append(request.path_info.split("/")[2])
        return None if seen[-1] == ACCOUNT else HTTPForbidden(request=request)

    answer = world.post(node(world, {"name": "stdin", "path": path}, device("stdout")), authorize=own_account_only)
    assert b"secret" not in answer.body.replace(b"/secret", b"")
    for job in world.jobs():
        assert job.path.split("/")[3] == ACCOUNT
        assert b"secret" not in job.members.values()
    assert ("GET", "AUTH_other/c/secret") not in world.pipeline.requests


@pytest.mark.parametrize("pattern", ["AUTH_other/*/secret", "*/c/secret", "AUTH_oth*/c/secret", "AUTH_other/*"])
def test_wildcards_do_not_look_into_other_accounts(world, pattern):
    world.pipeline.containers["AUTH_other/c"] = {"X-Container-Read": "nobody"}
    world.pipeline.objects["AUTH_other/c/secret"] = (b"secret", {})

    def own_account_only(request):
        return None if request.path_info.split("/")[2] == ACCOUNT else HTTPForbidden(request=request)

    group = node(world, {"name": "stdin", "path": f"swift://{pattern}"}, device("stdout"))
    answer = world.post(group, authorize=own_account_only)
    assert (answer.status_int in (400, 403), "secret" in text(answer).replace("/secret", "")) == (True, False)
    assert world.asked() == 0


def test_a_link_of_the_callers_own_is_followed_with_the_callers_rights(world):
    """A server says that the object is a link: it is then read through the pipeline, which asks for the target."""
    world.pipeline.put("c/link", b"")
    world.pipeline.refuse[f"{ACCOUNT}/c/link"] = 403
    world.every(
        before=lambda headers: refusal(409, "", X_Zerovm_Not_Local="symlink")(headers) if headers.get(wire.ACCESS) else None
    )
    answer = world.post(node(world, device("stdin", "c/link"), device("stdout")))
    assert answer.status_int == 403, text(answer)
    assert world.jobs() == []
