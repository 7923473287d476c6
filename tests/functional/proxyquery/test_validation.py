"""Programs that are validated when they are stored, and marked."""

from __future__ import annotations

import hashlib

import pytest
from swift.common.swob import Request, Response

from tests.functional.proxyquery.harness import ACCOUNT, Answer
from tests.functional.proxyquery.harness import world as harness_world
from tests.functional.proxyquery.test_hooks import PUT, STDIN, STDOUT, deploy, lists
from tests.functional.proxyquery.test_ways import ask
from zerocloud import wire
from zerocloud.proxyquery.validation import INVALID, POSTED_MARK, STORED_MARK

OBJECT = f"/v1/{ACCOUNT}/c/program"
WASM = "application/wasm"
REASON = "refused by the validator: not a valid WebAssembly module: bad magic"


def verdict(number: str, reason: str = ""):
    return lambda job: Response(status=200, headers={wire.VALIDATION: number, **({wire.ERROR: reason} if reason else {})})


@pytest.fixture
def world(tmp_path):
    with harness_world(tmp_path, zerovm_prevalidate="yes", zerovm_maxnexe="1000") as one:
        one.every(run=verdict("0"))
        yield one


def put(world, body=b"\0asm", kind=WASM, **headers):
    return ask(world, "PUT", OBJECT, body, Content_Type=kind, **headers)


def stored(world):
    return world.pipeline.objects.get(f"{ACCOUNT}/c/program", (None, {}))


def valid(world):
    """What a client sees that asks. Headers of system metadata are the gatekeeper's to take away, left of us."""
    return ask(world, "HEAD", OBJECT, X_Zerovm_Valid="true").headers.get(wire.VALID)


def keep_etags(world):
    """Have the pipeline tell ETags as Swift does."""
    data, headers = world.pipeline.objects[f"{ACCOUNT}/c/program"]
    world.pipeline.objects[f"{ACCOUNT}/c/program"] = (
        data,
        {**headers, "X-Timestamp": "1", "Etag": hashlib.md5(data).hexdigest()},
    )


def test_all_servers_of_the_object_compile_it_before_it_is_stored(world):
    answer = put(world)
    assert (answer.status_int, answer.headers[wire.VALID], INVALID in answer.headers) == (201, "true", False)
    jobs = [job for server in world.servers for job in server.jobs]
    assert {server.address for server in world.servers if server.jobs} == world.holders("c/program")
    assert [job.members for job in jobs] == [{"boot": b"\0asm"}] * 3
    assert {job.headers["X-Zerovm-Execute"] for job in jobs} == {wire.VALIDATE}
    assert stored(world)[0] == b"\0asm"
    keep_etags(world)
    assert valid(world) == "true"
    assert wire.VALID not in ask(world, "HEAD", OBJECT).headers  # who doesn't ask isn't told


def test_what_is_no_program_is_stored_and_told(world):
    world.every(run=verdict("1", REASON))
    answer = put(world)
    assert (answer.status_int, answer.headers.get(wire.VALID), answer.headers[INVALID]) == (201, None, REASON)
    keep_etags(world)
    assert valid(world) is None


def test_an_overwrite_takes_the_mark_away(world):
    put(world)
    put(world, b"text", "text/plain")
    keep_etags(world)
    assert valid(world) is None


def test_a_mark_of_other_bytes_does_not_count(world):
    """A server-side copy of a part brings the metadata of the whole along."""
    put(world)
    _, headers = stored(world)
    world.pipeline.put("c/program", b"asm", **headers)
    keep_etags(world)
    assert valid(world) is None


def test_a_client_can_not_set_the_mark(world):
    for name in (STORED_MARK, POSTED_MARK):
        put(world, b"text", "text/plain", **{name.replace("-", "_"): hashlib.md5(b"text").hexdigest()})
        keep_etags(world)
        assert valid(world) is None
    put(world, b"text", "text/plain", X_Zerovm_Valid="true", X_Object_Meta_Zerovm_Valid="true")
    keep_etags(world)
    assert valid(world) is None


def test_one_server_that_can_is_enough_and_none_stops_no_put(world):
    first, *others = world.servers
    for server in others:
        server.before = lambda headers: Response(status=503, body=b"Slot not available")
    while first.address not in world.holders("c/program"):
        first, others = others[0], [first, *others[1:]]
    first.before = lambda headers: None
    assert put(world).headers[wire.VALID] == "true"
    world.every(before=lambda headers: Response(status=503, body=b"Slot not available"))
    answer = put(world)
    assert (answer.status_int, answer.headers[INVALID]) == (201, "no storage server could validate it now")
    for server in world.servers:
        server.die()
    assert put(world).status_int == 201


@pytest.mark.parametrize(
    ("body", "kind", "headers", "asked"),
    [
        (b"\0asm", "application/x-nexe", {}, True),
        (b"\0asm", "application/wasm; charset=x", {}, True),
        (b"\0asm", "text/plain", {}, False),
        (b"\0asm", "text/plain", {"X_Zerovm_Validate": "1"}, True),
        (b"", WASM, {}, False),
        (bytes(1001), WASM, {}, False),
        (b"[]", WASM, {"X_Object_Manifest": "c/x"}, False),
        (b"", WASM, {"X_Copy_From": "c/x"}, False),
        (b"x", WASM, {"X_Symlink_Target": "c/x"}, False),
    ],
)
def test_what_is_validated(world, body, kind, headers, asked):
    assert put(world, body, kind, **headers).status_int == 201
    assert bool(world.asked()) == asked


def test_a_type_that_swift_guesses_counts(world):
    request = Request.blank(f"/v1/{ACCOUNT}/c/p.wasm", method="PUT", body=b"\0asm")
    request.environ.pop("CONTENT_TYPE", None)
    assert request.get_response(world.filter).headers[wire.VALID] == "true"


def test_without_the_option_only_who_asks(tmp_path):
    with harness_world(tmp_path) as world:
        world.every(run=verdict("0"))
        assert wire.VALID not in put(world).headers
        assert world.asked() == 0
        assert put(world, X_Zerovm_Validate="1").headers[wire.VALID] == "true"


def test_nothing_is_compiled_for_who_may_not_write(world):
    for user, status in (("reader", 403), ("", 401)):
        assert ask(world, "PUT", OBJECT, b"\0asm", authorize=lists, user=user, Content_Type=WASM).status_int == status
        assert ask(world, "POST", OBJECT, authorize=lists, user=user, X_Zerovm_Validate="1").status_int == status
    assert world.asked() == 0
    world.pipeline.containers[f"{ACCOUNT}/c"]["X-Container-Write"] = "writer"
    assert ask(world, "PUT", OBJECT, b"\0asm", authorize=lists, user="writer", Content_Type=WASM).status_int == 201


def test_a_program_that_breaks_off_is_not_stored(world):
    request = Request.blank(OBJECT, method="PUT", headers={"Content-Type": WASM}, body=b"\0asm")
    request.environ["CONTENT_LENGTH"] = "10"
    assert request.get_response(world.filter).status_int == 499
    assert stored(world)[0] is None


def test_a_post_may_ask_too(world):
    put(world, kind="text/plain")
    keep_etags(world)
    seen = []
    answering = world.pipeline._answer

    def post(request, path):
        if request.method != "POST":
            return answering(request, path)
        seen.append(request.headers.get(POSTED_MARK))
        return Response(status=202, request=request)

    world.pipeline._answer = post
    answer = ask(world, "POST", OBJECT, X_Zerovm_Validate="1")
    assert (answer.status_int, answer.headers[wire.VALID]) == (202, "true")
    assert "VALID" not in ask(world, "POST", OBJECT, X_Object_Meta_Mine="1").headers
    assert seen == [hashlib.md5(b"\0asm").hexdigest(), None]


def test_what_a_hook_makes_is_what_is_validated(world):
    deploy(world, PUT, STDIN, STDOUT)
    kind = {"stdout": {"Content-Type": WASM}}

    def run(job):
        return Answer({"stdout": b"made"}, kind) if wire.SYSMAP_MEMBER in job.members else verdict("0")(job)

    world.every(run=run)
    answer = put(world, b"sent", "text/plain")
    assert (answer.headers[wire.VALID], stored(world)[1][STORED_MARK]) == ("true", hashlib.md5(b"made").hexdigest())
