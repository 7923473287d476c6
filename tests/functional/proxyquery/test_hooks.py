"""Containers whose objects are read or written through a zapp."""

from __future__ import annotations

import hashlib
import json

import pytest
from swift.common.concurrency import Event, sleep
from swift.common.swob import HTTPForbidden, HTTPUnauthorized, Request, Response

from tests.functional.proxyquery.harness import ACCOUNT, Answer, text
from tests.functional.proxyquery.harness import world as harness_world
from tests.functional.proxyquery.test_ways import archive, ask

GET, PUT, AFTER = (f"X-Container-Meta-Zerovm-{event}" for event in ("On-Get", "On-Put", "After-Put"))
OBJECT = f"/v1/{ACCOUNT}/c/o"
PROMISES = ".zerocloud/hooks-"


def deploy(world, event, *devices, container="c", name="zapp", **keys):
    """Store a zapp, and have a container name it for an event."""
    group = {"name": "hook", "exec": {"path": f"swift://{ACCOUNT}/app/exe"}, "devices": list(devices), **keys}
    world.pipeline.containers.setdefault(f"{ACCOUNT}/app", {})
    world.pipeline.containers.setdefault(f"{ACCOUNT}/.zvm", {})
    world.pipeline.put("app/exe", b"\0asm")
    world.pipeline.put(
        f"app/{name}", archive(boot__system_map=json.dumps([group]).encode()), **{"Content-Type": "application/x-tar"}
    )
    world.pipeline.containers.setdefault(f"{ACCOUNT}/{container}", {})[event] = f"swift://~/app/{name}"


STDIN, STDOUT = {"name": "stdin"}, {"name": "stdout", "content_type": "text/x-made"}


def upper(job):
    return Answer({"stdout": job.members.get("stdin", b"read").upper()}, {"stdout": {"Content-Type": "text/x-made"}})


def lists(request):
    """The owner may everything, others what an access list says."""
    user = request.environ.get("REMOTE_USER")
    if user == request.path.split("/")[2] or (user and user in (request.acl or "").split(",")):
        return None
    return HTTPForbidden(request=request) if user else HTTPUnauthorized(request=request)


def wait_until(done, what):
    for _ in range(2000):
        if done():
            return
        sleep(0.005)
    raise AssertionError(f"waited in vain for {what}")


def promised(world):
    return [name for name in world.pipeline.objects if name.startswith(PROMISES)]


class RefusedPromises(dict):
    """Paths that Swift refuses, and the status."""

    def __contains__(self, path):
        return path.startswith(PROMISES)

    def __missing__(self, path):
        return 507


class TestOnGet:
    @pytest.fixture(autouse=True)
    def deployed(self, world):
        deploy(world, GET, STDIN, STDOUT)
        world.pipeline.put("c/o", b"stored")
        world.every(run=upper)

    def test_what_is_read_is_what_the_zapp_makes_of_it(self, world):
        answer = ask(world, "GET", OBJECT)
        assert (answer.status_int, answer.body, answer.content_type) == (200, b"READ", "text/x-made")
        (job,) = world.jobs()
        assert job.node["path_info"] == f"/{ACCOUNT}/c/o"  # it runs where the object lies
        assert job.node["env"]["REQUEST_METHOD"] == "GET"
        assert job.node["env"]["PATH_INFO"] == f"/{ACCOUNT}/c/o"

    def test_head_conditions_and_ranges_are_about_the_answer(self, world):
        etag = hashlib.md5(b"READ").hexdigest()
        head = ask(world, "HEAD", OBJECT)
        assert (head.status_int, head.body, head.content_length, head.headers["Etag"].strip('"')) == (200, b"", 4, etag)
        assert ask(world, "GET", OBJECT, If_None_Match=etag).status_int == 304
        assert ask(world, "GET", OBJECT, If_Match="0" * 32).status_int == 412
        part = ask(world, "GET", OBJECT, Range="bytes=1-2")
        assert (part.status_int, part.body, part.headers["Content-Range"]) == (206, b"EA", "bytes 1-2/4")
        assert ask(world, "GET", OBJECT, Range="bytes=9-").status_int == 416

    def test_others_need_the_right_to_read_and_no_more(self, world):
        assert ask(world, "GET", OBJECT, authorize=lists, user="reader").status_int == 403
        assert ask(world, "GET", OBJECT, authorize=lists).status_int == 401
        assert world.asked() == 0
        world.pipeline.containers[f"{ACCOUNT}/c"]["X-Container-Read"] = "reader"
        assert ask(world, "GET", OBJECT, authorize=lists, user="reader").body == b"READ"

    def test_the_zapp_has_the_owners_rights_and_no_others(self, world):
        world.pipeline.containers["AUTH_other/c"] = {"X-Container-Read": f"{ACCOUNT},reader"}
        world.pipeline.objects["AUTH_other/c/secret"] = (b"secret", {})
        deploy(world, GET, STDIN, {"name": "input", "path": "swift://AUTH_other/c/secret"}, STDOUT)
        for user in (ACCOUNT, "reader"):
            world.pipeline.containers[f"{ACCOUNT}/c"]["X-Container-Read"] = "reader"
            assert ask(world, "GET", OBJECT, authorize=lists, user=user).status_int == 403
        assert world.asked() == 0

    def test_the_owner_may_have_the_object_as_it_is(self, world):
        assert ask(world, "GET", OBJECT, authorize=lists, user=ACCOUNT, X_Zerovm_Raw="true").body == b"stored"
        world.pipeline.containers[f"{ACCOUNT}/c"]["X-Container-Read"] = "reader"
        assert ask(world, "GET", OBJECT, authorize=lists, user="reader", X_Zerovm_Raw="true").status_int == 403

    @pytest.mark.parametrize("wish", ["3000", "nonsense"])
    def test_its_time_is_not_the_readers_to_choose(self, world, wish):
        assert ask(world, "GET", OBJECT, X_Zerovm_Timeout=wish).status_int == 200
        assert [job.headers["X-Zerovm-Timeout"] for job in world.jobs()] == ["60"]

    def test_a_zapp_that_fails_is_told(self, world):
        world.every(run=lambda job: Answer(retcode=3, error="exit 3"))
        answer = ask(world, "GET", OBJECT)
        assert (answer.status_int, "hook" in text(answer)) == (500, True)

    @pytest.mark.parametrize("url", ["nonsense", "swift://~/app", "swift://~/app/none", "swift://~/app/exe"])
    def test_a_hook_that_is_none_is_told(self, world, url):
        world.pipeline.containers[f"{ACCOUNT}/c"][GET] = url
        assert ask(world, "GET", OBJECT).status_int in (404, 500, 501)
        assert world.asked() == 0

    def test_a_missing_object_is_missing(self, world):
        world.every(before=lambda headers: Response(status=404, body=b"Error 404 Not Found while fetching /AUTH_test/c/none"))
        assert ask(world, "GET", f"/v1/{ACCOUNT}/c/none").status_int == 404

    def test_jobs_read_what_is_stored(self, world):
        job = [
            {
                "name": "n",
                "exec": {"path": f"swift://{ACCOUNT}/app/exe"},
                "devices": [STDIN | {"path": "swift://~/c/o"}, STDOUT],
            }
        ]
        ask(world, body=json.dumps(job).encode(), X_Zerovm_Execute="1.0", Content_Type="application/json")
        assert [one.node["name"] for one in world.jobs()] == ["n"]

    def test_another_name_of_the_version_is_no_way_past_it(self, world):
        assert ask(world, "GET", OBJECT.replace("/v1/", "/v1.0/")).body == b"READ"

    def test_a_right_to_read_is_none_to_have_a_job_read_past_it(self, world):
        mine = "/v1/AUTH_mine"
        world.pipeline.containers[f"{ACCOUNT}/c"]["X-Container-Read"] = "AUTH_mine"
        world.pipeline.containers["AUTH_mine/c"] = {}
        world.pipeline.objects["AUTH_mine/c/exe"] = (b"\0asm", {})
        job = {"name": "n", "exec": {"path": "swift://~/c/exe"}}

        def run(*devices):
            body = json.dumps([{**job, "devices": [*devices, STDOUT]}]).encode()
            headers = {"X_Zerovm_Execute": "1.0", "Content_Type": "application/json"}
            return ask(world, "POST", mine, body, authorize=lists, user="AUTH_mine", **headers).status_int

        local, remote = {"name": "stdin", "path": f"swift://{ACCOUNT}/c/o"}, {"name": "input", "path": f"swift://{ACCOUNT}/c/o"}
        own = {"name": "stdin", "path": "swift://~/c/exe"}
        assert (run(local), run(own, remote)) == (403, 403)
        assert ask(world, "GET", OBJECT, authorize=lists, user="AUTH_mine").body == b"READ"
        del world.pipeline.containers[f"{ACCOUNT}/c"][GET]
        assert (run(local), run(own, remote)) == (200, 200)

    def test_a_version_of_the_past_is_not_read_by_the_zapp(self, world):
        assert ask(world, "GET", f"{OBJECT}?version-id=1").status_int == 501
        assert ask(world, "GET", f"{OBJECT}?version-id=1", X_Zerovm_Raw="yes").body == b"stored"


class TestOnPut:
    @pytest.fixture(autouse=True)
    def deployed(self, world):
        deploy(world, PUT, STDIN, STDOUT)
        world.every(run=upper)

    def stored(self, world, name="c/o"):
        return world.pipeline.objects.get(f"{ACCOUNT}/{name}", (None, {}))

    def test_what_the_zapp_makes_is_stored(self, world):
        answer = ask(world, "PUT", OBJECT, b"sent", Content_Type="text/x-sent", X_Object_Meta_Mine="kept", X_Delete_After="60")
        assert answer.status_int == 201
        data, headers = self.stored(world)
        assert (data, headers["Content-Type"]) == (b"SENT", "text/x-made")
        assert (headers["X-Object-Meta-Mine"], headers["X-Delete-After"]) == ("kept", "60")
        assert answer.headers["X-Zerovm-Job"]

    def test_the_zapp_sets_metadata(self, world):
        records = {"Content-Type": "text/x-made", "X-Object-Meta-Words": "7", "X-Object-Sysmeta-Evil": "1"}
        world.every(run=lambda job: Answer({"stdout": b"made"}, {"stdout": records}))
        ask(world, "PUT", OBJECT, b"sent")
        assert self.stored(world)[1]["X-Object-Meta-Words"] == "7"
        assert "X-Object-Sysmeta-Evil" not in self.stored(world)[1]

    def test_nothing_is_stored_if_it_fails_or_refuses(self, world):
        world.every(run=lambda job: Answer({"stdout": b"x"}, retcode=1, error="exit 1"))
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 500
        world.every(run=lambda job: Answer({"stdout": b"no such thing"}, {"stdout": {"Status": "422 Unprocessable"}}))
        refused = ask(world, "PUT", OBJECT, b"sent")
        assert (refused.status_int, refused.body) == (422, b"no such thing")
        assert self.stored(world)[0] is None

    def test_the_clients_checksum_is_of_what_it_sent(self, world):
        assert ask(world, "PUT", OBJECT, b"sent", Etag=hashlib.md5(b"sent").hexdigest()).status_int == 201
        assert ask(world, "PUT", OBJECT, b"sent!", Etag=hashlib.md5(b"sent").hexdigest()).status_int == 422
        assert self.stored(world)[0] == b"SENT"

    def test_writing_takes_the_right_to_write(self, world):
        assert ask(world, "PUT", OBJECT, b"sent", authorize=lists, user="writer").status_int == 403
        assert world.asked() == 0
        world.pipeline.containers[f"{ACCOUNT}/c"]["X-Container-Write"] = "writer"
        assert ask(world, "PUT", OBJECT, b"sent", authorize=lists, user="writer").status_int == 201

    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            ("?multipart-manifest=put", {}),
            ("", {"X_Copy_From": "c/x"}),
            ("", {"X_Symlink_Target": "c/x"}),
            ("", {"X_Object_Manifest": "c/x"}),
        ],
    )
    def test_nothing_passes_by(self, world, query, headers):
        assert ask(world, "PUT", OBJECT + query, b"[]", **headers).status_int == 501
        assert self.stored(world)[0] is None

    @pytest.mark.parametrize("destination", ["c/o", "/c/o", "%63/o"])
    def test_a_copy_does_not_pass_by_either(self, world, destination):
        answer = ask(world, "COPY", f"/v1/{ACCOUNT}/other/x", Destination=destination)
        assert (answer.status_int, self.stored(world)[0]) == (501, None)

    def test_another_name_of_the_version_is_no_way_past_it(self, world):
        ask(world, "PUT", OBJECT.replace("/v1/", "/v1.0/"), b"sent")
        assert len(world.jobs()) == 1

    def test_what_jobs_write_goes_through_it_too(self, world):
        group = {
            "name": "n",
            "exec": {"path": f"swift://{ACCOUNT}/app/exe"},
            "devices": [{"name": "stdout", "path": "swift://~/c/o"}],
        }
        world.every(run=lambda job: upper(job) if job.node["name"] == "hook" else Answer({"stdout": b"written"}))
        answer = ask(world, body=json.dumps([group]).encode(), X_Zerovm_Execute="1.0", Content_Type="application/json")
        assert answer.status_int == 200, text(answer)
        assert self.stored(world)[0] == b"WRITTEN"


class TestAfterPut:
    @pytest.fixture(autouse=True)
    def deployed(self, world):
        deploy(world, AFTER, STDIN, {"name": "stdout", "path": "swift://~/out/o"})
        world.pipeline.containers[f"{ACCOUNT}/out"] = {}
        world.every(run=upper)

    def test_it_runs_for_the_new_object_once_it_is_stored(self, world):
        seen = []
        world.every(run=lambda job: seen.append(world.pipeline.objects[f"{ACCOUNT}/c/o"][0]) or upper(job))
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 201
        wait_until(lambda: f"{ACCOUNT}/out/o" in world.pipeline.objects, "the hook's output")
        assert seen == [b"sent"]
        wait_until(lambda: not promised(world), "the promise struck out")

    def test_the_put_does_not_wait_for_it(self, world):
        go = Event()
        world.every(run=lambda job: go.wait() or upper(job))
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 201
        assert len(promised(world)) == 1
        go.send()
        wait_until(lambda: not promised(world), "the promise struck out")

    def test_a_put_that_is_stored_while_it_is_answered_has_it_at_the_end(self, world):
        """As Swift answers that puts large objects together, with heartbeats in the body."""
        answering, done = world.pipeline._answer, []

        def slowly(request):
            yield b" "
            while len(done) < 3:  # time for a job, if one were begun
                done.append(world.asked())
                sleep(0.05)
                yield b" "
            world.pipeline.put("c/o", b"sent")
            yield b"201 Created"

        def answer(request, path):
            mine = request.method == "PUT" and path == f"{ACCOUNT}/c/o"
            return Response(status=202, app_iter=slowly(request)) if mine else answering(request, path)

        world.pipeline._answer = answer
        response = ask(world, "PUT", OBJECT, b"[]")
        assert (response.status_int, response.body.strip()) == (202, b"201 Created")
        wait_until(lambda: f"{ACCOUNT}/out/o" in world.pipeline.objects, "the hook's output")
        assert done == [0] * 3
        wait_until(lambda: not promised(world), "the promise struck out")

    def test_a_copy_is_a_put(self, world):
        world.pipeline.containers["AUTH_other/c"] = {}
        answer = ask(world, "COPY", "/v1/AUTH_other/c/x", Destination="c/o", Destination_Account=ACCOUNT)
        assert answer.status_int == 201
        headers = world.pipeline.objects[f"{ACCOUNT}/c/o"][1]
        assert (headers["X-Copy-From"], headers["X-Copy-From-Account"]) == ("/c/x", "AUTH_other")
        assert "Destination" not in headers
        wait_until(lambda: f"{ACCOUNT}/out/o" in world.pipeline.objects, "the hook's output")

    def test_a_put_that_fails_promises_nothing(self, world):
        world.pipeline.refuse[f"{ACCOUNT}/c/o"] = 507
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 507
        assert (promised(world), world.asked()) == ([], 0)

    def test_without_a_promise_there_is_no_put(self, world):
        world.pipeline.refuse = RefusedPromises()
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 503
        assert f"{ACCOUNT}/c/o" not in world.pipeline.objects

    def test_a_server_that_fails_does_not_break_the_promise(self, world):
        world.every(before=lambda headers: Response(status=500, body=b"broken"))
        ask(world, "PUT", OBJECT, b"sent")
        wait_until(lambda: any(json.loads(world.pipeline.objects[name][0])["attempts"] for name in promised(world)), "a note")

    def test_loops_are_cut(self, world):
        deploy(world, AFTER, STDIN, {"name": "stdout", "path": "swift://~/c/again"})
        ask(world, "PUT", OBJECT, b"sent")
        wait_until(lambda: world.jobs() and not promised(world), "the end")
        assert len(world.jobs()) == 1
        assert f"{ACCOUNT}/c/again" not in world.pipeline.objects

    def test_chains_are_not(self, world):
        deploy(world, AFTER, STDIN, {"name": "stdout", "path": "swift://~/end/o"}, container="out", name="second")
        world.pipeline.containers[f"{ACCOUNT}/end"] = {}
        ask(world, "PUT", OBJECT, b"sent")
        wait_until(lambda: f"{ACCOUNT}/end/o" in world.pipeline.objects and not promised(world), "the second hook's output")


class TestForsakenPromises:
    """A proxy has died between a PUT and the end of its hook."""

    @pytest.fixture
    def world(self, tmp_path):
        with harness_world(tmp_path, zerovm_hooks_patience="0.2") as one:
            deploy(one, AFTER, STDIN, {"name": "stdout", "path": "swift://~/out/o"})
            one.pipeline.containers[f"{ACCOUNT}/out"] = {}
            one.every(run=upper)
            yield one

    def promise(self, world, name, *, text=None, **changes):
        value = {"zapp": [ACCOUNT, "app", "zapp"], "object": [ACCOUNT, "c", name], "chain": ["x"], "user": "bob", "attempts": 0}
        world.pipeline.containers[".zerocloud/hooks-0"] = {}
        world.pipeline.objects[f".zerocloud/hooks-0/{name}"] = (text or json.dumps({**value, **changes}).encode(), {})
        world.pipeline.put(f"c/{name}", b"lost")

    def test_any_request_has_a_proxy_look_for_them(self, world):
        self.promise(world, "lost")
        self.promise(world, "garbled", text=b"garbled")
        Request.blank("/v1/AUTH_test/c/other", method="HEAD").get_response(world.filter)
        wait_until(lambda: world.jobs() and not promised(world), "the hook")
        (job,) = world.jobs()
        assert (job.node["path_info"], job.node["env"]["REMOTE_USER"]) == (f"/{ACCOUNT}/c/lost", "bob")
        assert job.node["env"]["PATH_INFO"] == f"/{ACCOUNT}/c/lost"

    def test_whoever_takes_one_over_counts_on(self, world):
        world.every(before=lambda headers: Response(status=500, body=b"broken"))
        self.promise(world, "last", attempts=4)
        self.promise(world, "other", attempts=3)
        Request.blank(OBJECT, method="HEAD").get_response(world.filter)

        def notes():
            kept = [json.loads(world.pipeline.objects[name][0]) for name in promised(world)]
            return [(note["object"][2], note["attempts"]) for note in kept]

        wait_until(lambda: notes() == [("other", 4)], "the end of one, and a note of the other")

    def test_one_that_somebody_keeps_is_not_taken(self, tmp_path, world):
        go, renewals = Event(), []
        answering = world.pipeline._answer

        def count(request, path):
            if request.method == "PUT" and path.startswith(PROMISES):
                renewals.append(path)
            return answering(request, path)

        world.pipeline._answer = count
        world.every(run=lambda job: go.wait() or upper(job))
        for path, one in (("other", world.elsewhere), ("o", world.filter)):
            Request.blank(f"/v1/{ACCOUNT}/c/{path}", method="HEAD").get_response(one)
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 201
        wait_until(lambda: len(renewals) > 12, "some renewals, and some looks at them")
        assert len(world.jobs()) == 1
        go.send()
        wait_until(lambda: not promised(world), "the promise struck out")

    def test_a_put_may_take_longer_than_the_patience(self, world):
        answering, renewals = world.pipeline._answer, []

        def answer(request, path):
            if request.method == "PUT" and path.startswith(PROMISES):
                renewals.append(world.asked())
            if request.method == "PUT" and path == f"{ACCOUNT}/c/o":
                wait_until(lambda: len(renewals) > 12, "some renewals, and some looks at them")
            return answering(request, path)

        world.pipeline._answer = answer
        Request.blank(f"/v1/{ACCOUNT}/c/other", method="HEAD").get_response(world.elsewhere)
        assert ask(world, "PUT", OBJECT, b"sent").status_int == 201
        assert not any(renewals[:12])
        wait_until(lambda: not promised(world), "the promise struck out")
        assert len(world.jobs()) == 1

    def test_nobody_else_can_promise(self, world):
        """What looks like a promise in an account gives nobody the rights of another."""
        value = {"zapp": [ACCOUNT, "app", "zapp"], "object": [ACCOUNT, "c", "o"], "chain": ["x"], "user": "", "attempts": 0}
        for account in ("AUTH_evil", ACCOUNT):
            world.pipeline.containers[f"{account}/.zvm"] = {}
            world.pipeline.objects[f"{account}/.zvm/hooks/000000000001-aa"] = (json.dumps(value).encode(), {})
        Request.blank(OBJECT, method="HEAD").get_response(world.filter)
        wait_until(lambda: world.pipeline.requests.count(("GET", ".zerocloud/hooks-0")) > 2, "some looks")
        assert world.asked() == 0


def test_both_hooks_of_a_put(world):
    deploy(world, PUT, STDIN, STDOUT, name="first")
    deploy(world, AFTER, STDIN, {"name": "stdout", "path": "swift://~/out/o"}, name="second")
    world.pipeline.containers[f"{ACCOUNT}/out"] = {}
    world.every(run=upper)
    assert ask(world, "PUT", OBJECT, b"sent").status_int == 201
    wait_until(lambda: f"{ACCOUNT}/out/o" in world.pipeline.objects and not promised(world), "the second one")
    assert world.pipeline.objects[f"{ACCOUNT}/c/o"][0] == b"SENT"


def test_a_client_can_not_pose_as_a_hook(world):
    answer = ask(world, body=b"[]", X_Zerovm_Execute="hook/1.0", Content_Type="application/json")
    assert answer.status_int == 400
    assert "Config parser cannot resolve" in text(answer)


def test_the_operator_may_want_none(tmp_path):
    with harness_world(tmp_path, zerovm_hooks="no") as one:
        deploy(one, GET, STDIN, STDOUT)
        one.pipeline.put("c/o", b"stored")
        assert Request.blank(OBJECT).get_response(one.filter).body == b"stored"
