"""What goes wrong around a job, and what its user sees of it: mostly nothing."""

import io
import tarfile

import pytest
from swift.common.concurrency import sleep
from swift.common.swob import Response

from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, refusal, text
from zerocloud import wire


def simple(world, **keys):
    """One node on an object of three servers out of four."""
    world.pipeline.put("c/input", b"data")
    return node(world, device("stdin", "c/input"), device("stdout"), **keys)


def primaries(world, group):
    """The servers that a job on this group's object asks, in their order."""
    world.every(before=refusal(500, "not now"))
    world.post(group)
    story = [server for server in world.servers if server.asked]
    for server in world.servers:
        server.asked.clear()
        server.before = lambda headers: None
    return story


def test_dead_servers_are_passed_over(world):
    group = simple(world)
    alive = world.servers[0]
    for server in world.servers[1:]:
        server.die()
    alive.run = lambda job: Answer({"stdout": b"alive"})
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"alive")


@pytest.mark.parametrize("status", [404, 500, 502, 503, 507])
def test_a_refusing_server_is_passed_over(world, status):
    group = simple(world)
    refusing = world.servers[:3]
    for server in refusing:
        server.before = refusal(status, "no")
    world.servers[3].run = lambda job: Answer({"stdout": b"here"})
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"here")


def test_a_server_that_hangs_is_passed_over(world):
    group = simple(world)

    def hang(headers):
        sleep(30)

    for server in world.servers[:2]:
        server.before = hang
    assert world.post(group).status_int == 200


def test_a_full_cluster_is_waited_for(world):
    group = simple(world)
    refusals = []

    def full(headers):
        refusals.append(1)
        return refusal(503, "Slot not available: none")(headers) if len(refusals) < 8 else None

    world.every(before=full)
    assert world.post(group).status_int == 200
    assert len(refusals) == 8


def test_a_cluster_that_stays_full_is_an_error_only_after_the_timeout(world):
    group = simple(world)
    world.every(before=refusal(503, "Slot not available: none"))
    answer = world.post(group, X_Zerovm_Timeout="0.2")
    assert answer.status_int == 503
    assert b"Slot not available (no server took it within the job's timeout of 0.2 s)" in answer.body


def test_a_bad_request_is_not_tried_elsewhere(world):
    group = simple(world)
    world.every(before=refusal(413, "RPC request too large"))
    answer = world.post(group)
    assert answer.status_int == 413
    assert b"RPC request too large" in answer.body
    assert world.asked() == 1


def test_a_server_that_dies_while_the_program_runs_is_replaced(world):
    group = simple(world)
    killed = []

    def run(job):
        if not killed:
            killed.append(1)
            raise ConnectionResetError  # the server closes the connection without an answer
        return Answer({"stdout": b"second"})

    world.every(run=run)
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"second")
    assert len(world.jobs()) == 2


def test_a_program_that_kills_its_servers_does_not_visit_them_all(world):
    group = simple(world)
    world.every(run=lambda job: Response(status=503, body=b"the executor was lost"))
    answer = world.post(group)
    assert answer.status_int == 503
    assert b"the executor was lost" in answer.body
    assert len(world.jobs()) == 3


def test_what_a_program_does_to_servers_does_not_make_swift_avoid_them(world, monkeypatch):
    blamed = []

    class Limits:
        def limited(self, device):
            return False

        def failed(self, device, reason):
            blamed.append(reason)

        full = failed

    group = simple(world)
    world.post(group)
    world.filter._cluster = world.filter._cluster.__class__(**{**vars(world.filter._cluster), "limits": Limits()})
    world.every(run=lambda job: Response(status=500, body=b"crash"))
    world.post(group)
    world.every(run=lambda job: Answer({"stdout": b""}, error="It trapped.", status="trap"))
    world.post(group)
    world.every(before=refusal(503, "Slot not available"))
    world.post(group, X_Zerovm_Timeout="0.1")
    assert blamed == []
    world.every(before=refusal(507))
    world.post(group)
    assert blamed


def breaking(times):
    """A server's answer that ends in its middle so many times."""
    whole = Answer({"stdout": b"x" * 100_000}).body()
    headers = {wire.STATUS: "ok", wire.RETCODE: "0", wire.CDR: "0.1, 0"}
    seen = []

    def run(job):
        seen.append(1)
        response = Response(status=200, headers=headers, app_iter=[whole if len(seen) > times else whole[:50_000]])
        response.content_length = len(whole)
        return response

    return run


@pytest.mark.parametrize("path", [None, "c/out"])
def test_an_answer_that_breaks_off_is_asked_for_again(world, path):
    group = simple(world)
    group["devices"][1] = device("stdout", path)
    world.every(run=breaking(1))
    answer = world.post(group)
    assert answer.status_int == 200
    found = world.pipeline.objects[f"{ACCOUNT}/{path}"][0] if path else answer.body
    assert found == b"x" * 100_000


def test_an_answer_that_always_breaks_off_leaves_nothing(world):
    group = simple(world)
    group["devices"][1] = device("stdout", "c/out")
    world.every(run=breaking(99))
    answer = world.post(group)
    assert answer.status_int == 503
    assert f"{ACCOUNT}/c/out" not in world.pipeline.objects


@pytest.mark.parametrize("missing", ["exe", "input", "there"])
def test_what_is_missing_is_named(wide, missing):
    there = wide.away_from("c/input")
    wide.pipeline.put(there, b"")
    group = simple(wide)
    group["devices"].append(device("input", there))
    group["attach"] = "stdin"
    path = there if missing == "there" else f"c/{missing}"
    del wide.pipeline.objects[f"{ACCOUNT}/{path}"]
    if missing == "input":
        wide.every(before=refusal(404))
    answer = wide.post(group)
    assert answer.status_int == 404
    assert f"/{ACCOUNT}/{path}" in text(answer)


def test_a_container_that_does_not_exist_is_named(world):
    answer = world.post(node(world, device("stdin", "nowhere/input"), device("stdout")))
    assert answer.status_int == 404
    assert f"Error while fetching /{ACCOUNT}/nowhere" in text(answer)
    assert "X-Nexe-System" not in answer.headers


def test_an_input_that_breaks_off_names_itself(wide):
    there = wide.away_from("c/input")
    wide.pipeline.put(there, b"t" * 100_000)
    group = simple(wide)
    group["devices"].append(device("input", there))
    group["attach"] = "stdin"
    wide.pipeline.cut.add(f"{ACCOUNT}/{there}")
    answer = wide.post(group)
    assert answer.status_int == 503
    assert f"Error while fetching /{ACCOUNT}/{there}" in text(answer)


@pytest.mark.parametrize("kind", ["slo", "symlink", "encrypted"])
def test_an_object_whose_bytes_are_elsewhere_is_brought(world, kind):
    group = simple(world)
    told = {"Content-Type": "text/x-in", "X-Object-Meta-Colour": "grün".encode().decode("latin-1")}
    world.pipeline.put("c/input", b"data", **told)

    def before(headers):
        local = headers.get("X-Zerovm-Access") == "GET"
        return Response(status=409, headers={wire.NOT_LOCAL: kind}) if local else None

    world.every(before=before, run=lambda job: Answer({"stdout": job.members["stdin"]}))
    answer = world.post(group)
    assert (answer.status_int, answer.body) == (200, b"data")
    (job,) = world.jobs()
    assert job.path.endswith(f"/{ACCOUNT}")
    assert (job.node["access"], job.node["path_info"]) == ("", f"/{ACCOUNT}")
    assert world.asked() == 2
    told = {name: job.node["env"].get(f"LOCAL_{name}") for name in ("PATH_INFO", "CONTENT_LENGTH", "CONTENT_TYPE")}
    assert told == {"PATH_INFO": f"/{ACCOUNT}/c/input", "CONTENT_LENGTH": "4", "CONTENT_TYPE": "text/x-in"}
    assert job.node["env"]["LOCAL_HTTP_X_OBJECT_META_COLOUR"] == "grün"


def test_a_sharded_container_is_told_of(world):
    text = f"/{ACCOUNT}/c is sharded: its listing is in other containers, so that it can't be read as a file"
    world.every(before=refusal(409, text, X_Zerovm_Not_Local="sharded"))
    answer = world.post(node(world, device("stdin", "c"), device("stdout")))
    assert (answer.status_int, text in answer.body.decode()) == (400, True)
    assert world.asked() == 1


@pytest.mark.parametrize("status", [401, 403, 413])
def test_an_output_that_cannot_be_stored_is_the_jobs_error(world, status):
    world.every(run=lambda job: Answer({"stdout": b"x"}))
    world.pipeline.refuse[f"{ACCOUNT}/c/out"] = status
    answer = world.post(node(world, device("stdout", "c/out")))
    assert answer.status_int == status
    assert answer.headers["X-Nexe-Error"] == f"Status {status} when putting /{ACCOUNT}/c/out"


def test_a_program_that_never_ends_is_ended(world):
    world.every(run=lambda job: sleep(30))
    answer = world.post(simple(world), X_Zerovm_Timeout="0.2")
    assert answer.status_int == 408
    assert b"was still running after the job's timeout of 0.2 s" in answer.body


def test_a_server_without_our_filter_is_told_of(world):
    world.every(run=lambda job: Response(status=202, body=b""))
    answer = world.post(simple(world))
    assert answer.status_int == 503
    world.every(run=lambda job: Response(status=200, body=b""))
    answer = world.post(simple(world))
    assert answer.status_int == 503
    assert b"objectquery middleware is not installed" in answer.body


def test_an_output_of_no_device_is_refused(world):
    world.every(run=lambda job: Answer({"../../etc/passwd": b"x"}))
    answer = world.post(node(world, device("stdout")))
    assert answer.status_int == 502
    assert b"Channel name ../../etc/passwd not found" in answer.body


def hostile(kind):
    """A body that is no answer of ours."""
    if kind == "garbage":
        return b"\xff" * 2048
    stream = io.BytesIO()
    member = tarfile.TarInfo("stdout")
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        return member.tobuf(tarfile.PAX_FORMAT)
    member.pax_headers = {"X-Bomb": "x" * (2 << 20)}
    stream.write(member.tobuf(tarfile.PAX_FORMAT))
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["garbage", "link", "bomb"])
def test_a_hostile_answer_is_an_error_of_its_node(world, kind):
    headers = {wire.STATUS: "ok", wire.RETCODE: "0", wire.CDR: "0.1, 0"}
    world.every(run=lambda job: Response(status=200, headers=headers, body=hostile(kind)))
    answer = world.post(node(world, device("stdout")))
    assert answer.status_int == 503
    assert b"no tar stream" in answer.body


def test_a_gang_with_a_dead_member_runs_again_as_a_whole(world):
    groups = (node(world, name="a", connect=["b"]), node(world, device("stdout"), name="b"))
    runs = []

    def run(job):
        runs.append((job.node["name"], job.node["token"]))
        if len(runs) == 1:
            raise ConnectionResetError
        sleep(0.05)
        return Answer({"stdout": b"done"} if job.node["name"] == "b" else {})

    world.every(run=run)
    answer = world.post(*groups)
    assert (answer.status_int, answer.body) == (200, b"done")
    assert len({token for _, token in runs}) == 2  # the second try has another secret


def test_a_job_that_goes_on_tells_all(world):
    for name in ("a", "b", "c"):
        world.pipeline.put(f"c/in-{name}", b"")
    failed = Answer({"stdout": b"bad"}, retcode=1, error="The program exited with code 1.")
    world.every(run=lambda job: failed if job.node["name"] == "n-2" else Answer({"stdout": b"good"}))
    group = node(world, device("stdin", "c/in-*"), device("stdout"), on_error="continue")
    answer = world.post(group)
    assert answer.status_int == 500
    assert "1 of 3 nodes failed" in text(answer)
    assert text(answer).endswith("goodbadgood")


def test_the_window_bounds_what_is_under_way(tmp_path):
    from tests.functional.proxyquery.harness import world as make

    with make(tmp_path, zerovm_window="3") as world:
        now, most = [0], [0]

        def run(job):
            now[0] += 1
            most[0] = max(most[0], now[0])
            sleep(0.01)
            now[0] -= 1
            return Answer({"stdout": b"."})

        for number in range(20):
            world.pipeline.put(f"c/in-{number:02}", b"")
        world.every(run=run)
        answer = world.post(node(world, device("stdin", "c/in-*"), device("stdout")))
        assert answer.body == b"." * 20
        assert most[0] == 3
