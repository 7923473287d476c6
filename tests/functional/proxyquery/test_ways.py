"""Every way in: what it sends to the nodes, and what it says of requests that it can't take."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from urllib.parse import quote

import pytest
from swift.common.concurrency import sleep
from swift.common.swob import HTTPForbidden, HTTPUnauthorized, Request

from tests.functional.proxyquery.harness import ACCOUNT, Answer, device, node, text
from tests.functional.proxyquery.harness import world as harness_world

TAR = "application/x-tar"
GZIP = "application/x-gzip"


def archive(**members: bytes) -> bytes:
    """A tar archive; ``__`` in a name stands for a slash, ``_`` for a dot."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def job_map(world, *devices, **keys) -> bytes:
    return json.dumps([node(world, *(devices or (device("stdout"),)), **keys)]).encode()


def ask(world, method="POST", path=f"/v1/{ACCOUNT}", body=b"", authorize=None, user=None, **headers):
    """Any request to the filter; its response, read and closed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request.blank(path, method=method, body=body, headers=named)
    if authorize is not None:
        request.environ["swift.authorize"] = authorize
    if user is not None:
        request.environ["REMOTE_USER"] = user
    response = request.get_response(world.filter)
    response.body  # noqa: B018 - reads and closes it
    return response


def post(world, body, content_type, path=f"/v1/{ACCOUNT}", **headers):
    return ask(world, "POST", path, body, X_Zerovm_Execute="1.0", Content_Type=content_type, **headers)


class TestImage:
    def test_the_whole_archive_goes_to_every_node(self, world):
        image = archive(data=b"x" * 70_000, boot__system_map=job_map(world, count=3))
        assert post(world, image, TAR).status_int == 200
        jobs = world.jobs()
        assert len(jobs) == 3
        assert {job.members["image"] for job in jobs} == {image}
        assert all(job.node["channels"][-1]["device"] == "image" for job in jobs)

    def test_a_map_behind_a_large_member_is_found(self, world):
        image = archive(large=bytes(3_000_000), boot__system_map=job_map(world))
        assert post(world, image, "application/x-ustar").status_int == 200
        assert post(world, gzip.compress(image), GZIP).status_int == 200

    def test_a_gzip_travels_as_it_is(self, world):
        image = gzip.compress(archive(boot__cluster_map=job_map(world)))
        assert post(world, image, GZIP).status_int == 200
        (job,) = world.jobs()
        assert job.members["image.gz"] == image
        assert "image" not in job.members

    def test_the_first_map_counts(self, world):
        image = archive(boot__cluster_map=job_map(world, name="first"), boot__system_map=job_map(world, name="second"))
        post(world, image, TAR)
        assert [job.node["name"] for job in world.jobs()] == ["first"]

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "words"),
        [
            (archive(other=b"x"), TAR, 400, "System boot map was not found"),
            (b"no archive at all" * 100, TAR, 422, "Error reading application/x-tar"),
            (archive(boot__system_map=b"[" * 900)[:700], TAR, 422, "Error reading"),
            (b"no gzip", GZIP, 422, "Error reading application/x-gzip"),
            (gzip.compress(archive(other=b"x"), mtime=0)[:-20], GZIP, 422, "Error reading"),
            (archive(boot__system_map=b"[{"), TAR, 422, "Could not parse system map"),
            (archive(boot__system_map=b" " * (1 << 20) + b"[]"), TAR, 413, "1048576"),
        ],
    )
    def test_what_is_wrong_with_an_archive_is_told(self, world, body, content_type, status, words):
        answer = post(world, body, content_type)
        assert (answer.status_int, words in text(answer)) == (status, True), text(answer)
        assert world.asked() == 0

    def test_a_gzip_bomb_is_defused(self, tmp_path):
        with harness_world(tmp_path, zerovm_maxinput="1000000") as one:
            answer = post(one, gzip.compress(archive(large=bytes(5_000_000))), GZIP)
            assert answer.status_int == 413
            assert post(one, archive(large=bytes(1_000_001)), TAR).status_int == 413

    def test_its_length_must_be_told(self, world):
        request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers={"X-Zerovm-Execute": "1.0", "Content-Type": TAR})
        request.environ.pop("CONTENT_LENGTH", None)
        assert request.get_response(world.filter).status_int == 400


class TestScript:
    def test_it_becomes_a_file_and_an_argument(self, world):
        interpreter = f"swift://{ACCOUNT}/c/exe"
        world.pipeline.put("c/exe", b"\0asm")
        assert post(world, f"#!{interpreter} -u  -x\nprint(1)\n".encode(), "text/x-python").status_int == 200
        (job,) = world.jobs()
        assert (job.node["name"], job.node["exe"], job.node["args"]) == ("script", interpreter, "-u  -x script")
        with tarfile.open(fileobj=io.BytesIO(job.members["image"])) as tar:
            assert tar.getnames() == ["script"]
            assert tar.extractfile("script").read().endswith(b"print(1)\n")

    def test_an_interpreter_in_a_system_image(self, tmp_path):
        with harness_world(tmp_path, zerovm_sysimage_devices="python") as one:
            assert post(one, b"#! file://python:bin/python\nx\n", "text/x-python").status_int == 200
            (job,) = one.jobs()
            assert job.node["exe"] == "file://python:bin/python"
            assert [channel["device"] for channel in job.node["channels"]] == ["stdout", "stderr", "python", "image"]
            assert "boot" not in job.members

    @pytest.mark.parametrize(
        ("path", "inputs"),
        [
            ("c/one%20%25.log", ["one %.log"]),
            ("c", ["a.txt", "one %.log", "two.log"]),
            ("c/*.log", ["one %.log", "two.log"]),
        ],
    )
    def test_the_requests_path_names_its_inputs(self, world, path, inputs):
        world.pipeline.put("programs/exe", b"\0asm")
        world.pipeline.containers[f"{ACCOUNT}/programs"] = {}
        for name in ("one %.log", "two.log", "a.txt"):
            world.pipeline.put(f"c/{name}", b"x")
        answer = post(world, b"#!swift://~/programs/exe\n", "text/plain", path=f"/v1/{ACCOUNT}/{path}")
        assert answer.status_int == 200, text(answer)
        assert [job.node["path_info"] for job in world.jobs()] == [f"/{ACCOUNT}/c/{name}" for name in inputs]
        assert all(job.node["channels"][0]["device"] == "stdin" for job in world.jobs())

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "Unsupported Content-Type"),
            (b"print(1)\n", "Unsupported Content-Type"),
            (b"#!swift://~/c/exe", "Cannot find shebang"),
            (b"#!/usr/bin/python\n", "Bad interpreter"),
            (b"#!tcp://host:1\n", "Bad interpreter"),
            (b"#!\xff\n", "Bad interpreter"),
            (b"#!" + b"x" * 10_000 + b"\n", "Cannot find shebang"),
            (b"#!file://bin/python\n", "Must supply image name"),
        ],
    )
    def test_what_is_wrong_with_a_script_is_told(self, world, body, words):
        answer = post(world, body, "text/x-python")
        assert (answer.status_int, words in text(answer)) == (400, True), text(answer)


class TestSource:
    def test_an_object_takes_the_role_of_the_body(self, world):
        image = archive(boot__system_map=job_map(world, device("stdin"), device("script"), device("stdout")))
        world.pipeline.put("c/zapp", image, **{"Content-Type": TAR})
        answer = post(world, b"payload", "text/plain", X_Zerovm_Source="swift://~/c/zapp")
        assert answer.status_int == 200, text(answer)
        (job,) = world.jobs()
        assert job.members["image"] == image
        assert (job.members["stdin"], job.members["script"]) == (b"payload", b"payload")

    def test_a_script_must_tell_its_length(self, world):
        request = Request.blank(
            f"/v1/{ACCOUNT}", method="POST", headers={"X-Zerovm-Execute": "1.0", "Content-Type": "text/x-sh"}
        )
        request.environ.pop("CONTENT_LENGTH", None)
        answer = request.get_response(world.filter)
        assert (answer.status_int, text(answer)) == (400, "Must specify Content-Length")

    @pytest.mark.parametrize("account", ["~", ".", ACCOUNT, "AUTH%5Ftest"])
    def test_a_payload_may_come_in_chunks(self, world, account):
        """Then nobody knows its length before its end."""
        world.pipeline.put("c/m p", job_map(world, device("input"), device("stdout")), **{"Content-Type": "application/json"})
        source = {"X-Zerovm-Execute": "1.0", "X-Zerovm-Source": f"swift://{account}/c/m%20p", "Transfer-Encoding": "chunked"}
        request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers=source, body=b"payload")
        del request.environ["CONTENT_LENGTH"]
        answer = request.get_response(world.filter)
        assert (answer.status_int, text(answer)) == (200, "")
        (job,) = world.jobs()
        assert job.members["input"] == b"payload"

    def test_a_payload_has_a_limit_and_an_end(self, tmp_path):
        with harness_world(tmp_path, zerovm_maxinput="1000000") as one:
            one.pipeline.put("c/map", job_map(one, device("stdin")), **{"Content-Type": "application/json"})
            source = {"X_Zerovm_Source": "swift://~/c/map"}
            assert post(one, bytes(1_000_001), "text/plain", **source).status_int == 413
            headers = {"X-Zerovm-Execute": "1.0", "X-Zerovm-Source": "swift://~/c/map"}
            request = Request.blank(f"/v1/{ACCOUNT}", method="POST", headers=headers, body=b"short")
            request.environ["CONTENT_LENGTH"] = "10"
            assert request.get_response(one.filter).status_int == 499
            assert one.asked() == 0

    def test_a_map_or_a_script_may_be_the_source(self, world):
        world.pipeline.put("c/map", job_map(world, device("stdin"), device("stdout")), **{"Content-Type": "application/json"})
        world.pipeline.put("c/run", b"#!swift://~/c/exe\n", **{"Content-Type": "text/x-sh"})
        for name in ("map", "run"):
            assert post(world, b"in", "text/plain", X_Zerovm_Source=f"swift://~/c/{name}").status_int == 200
        assert [job.members["stdin"] for job in world.jobs()] == [b"in", b"in"]

    @pytest.mark.parametrize(("kind", "begin", "limit"), [("application/json", b"[]", 65536), ("text/x-sh", b"#!", 16 << 20)])
    @pytest.mark.parametrize("told", [True, False])
    def test_no_more_of_it_is_read_than_it_may_have(self, world, kind, begin, limit, told):
        """A dynamic large object does not tell its length, and may be of any."""
        world.pipeline.put("c/large", begin.ljust(2 * limit), **{"Content-Type": kind})
        if not told:
            world.pipeline.unsized.add(f"{ACCOUNT}/c/large")
        read = []
        world.pipeline.pace = lambda: read.append(1)
        answer = post(world, b"", "text/plain", X_Zerovm_Source="swift://~/c/large")
        assert (answer.status_int, str(limit) in text(answer)) == (413, True), text(answer)
        assert len(read) * 1000 < 1.1 * limit

    def test_a_payload_reaches_every_node(self, world):
        world.every(run=lambda job: Answer({"stdout": job.members["stdin"]}))
        document = job_map(world, device("stdin"), device("stdout"), count=3)
        world.pipeline.put("c/map", document, **{"Content-Type": "application/json"})
        answer = post(world, b"p" * 200_000, "text/plain", X_Zerovm_Source="swift://~/c/map")
        assert answer.body == b"p" * 600_000

    @pytest.mark.parametrize("url", ["a/c/o", "swift://~/c", "swift://", "file://x:y", "http://h/c/o", "swift://~/c/%zz"])
    def test_what_is_no_object_is_told(self, world, url):
        answer = post(world, b"", "text/plain", X_Zerovm_Source=url)
        assert (answer.status_int, "swift://account/container/object" in text(answer)) == (412, True)

    def test_what_can_not_be_read_is_told(self, world):
        assert post(world, b"", "text/plain", X_Zerovm_Source="swift://~/c/none").status_int == 404
        world.pipeline.put("c/zapp", archive(x=b""), **{"Content-Type": TAR})
        answer = post(world, b"", "text/plain", X_Zerovm_Source="swift://~/c/zapp")
        assert (answer.status_int, f"/{ACCOUNT}/c/zapp" in text(answer)) == (400, True)


class TestRest:
    def deploy(self, world, *devices, container="c", **keys):
        image = archive(boot__system_map=job_map(world, *devices, **keys))
        world.pipeline.put("c/zapp", image, **{"Content-Type": TAR})
        meta = {"X-Container-Meta-Rest-Endpoint": f"swift://{ACCOUNT}/c/zapp"}
        world.pipeline.containers.setdefault(f"{ACCOUNT}/{container}", {}).update(meta)

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
    @pytest.mark.parametrize("path", [f"/api/{ACCOUNT}/c/any/where?x=1", f"/open/{ACCOUNT}/c/zapp?x=1"])
    def test_all_methods_reach_the_program(self, world, method, path):
        self.deploy(world, device("stdin"), device("stdout"))
        body = b"in" if method in ("POST", "PUT") else b""
        assert ask(world, method, path, body).status_int == 200
        (job,) = world.jobs()
        environment = job.node["env"]
        assert (environment["REQUEST_METHOD"], environment["QUERY_STRING"]) == (method, "x=1")
        assert environment["REQUEST_URI"] == path
        assert environment["PATH_INFO"] == path.partition("?")[0].removeprefix("/api").removeprefix("/open")
        assert environment["HTTP_X_ZEROVM_EXECUTE"] == path.split("/")[1] + "/1.0"
        assert job.members.get("stdin") == (body or None)

    def test_a_zapp_that_is_deployed_anew_is_served_at_once(self, world):
        self.deploy(world, name="old")
        ask(world, "GET", f"/api/{ACCOUNT}/c/x")
        self.deploy(world, name="new")
        ask(world, "GET", f"/api/{ACCOUNT}/c/x")
        assert {job.node["name"] for job in world.jobs()} == {"old", "new"}

    @pytest.mark.parametrize("url", ["", "swift://~/c/zapp", "swift://AUTH_test/c", "nonsense"])
    def test_a_container_without_an_endpoint(self, world, url):
        world.pipeline.containers[f"{ACCOUNT}/c"] = {"X-Container-Meta-Rest-Endpoint": url} if url else {}
        answer = ask(world, "GET", f"/api/{ACCOUNT}/c/x")
        assert (answer.status_int, "c" in text(answer)) == (404, True)

    def test_paths_that_name_too_little(self, world):
        for path in (f"/api/{ACCOUNT}", f"/api/{ACCOUNT}/", f"/api/{ACCOUNT}//x"):
            assert ask(world, "GET", path).status_int == 412
        for path in (f"/open/{ACCOUNT}", f"/open/{ACCOUNT}/c", f"/open/{ACCOUNT}/c/", f"/open/{ACCOUNT}//o"):
            assert ask(world, "GET", path).status_int == 412
        assert not world.pipeline.requests

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
    def test_an_endpoint_that_is_no_zapp(self, world, method):
        self.deploy(world)
        for kind, data in (("text/plain", b"text"), (TAR, archive(other=b"x")), (TAR, b"")):
            world.pipeline.put("c/zapp", data, **{"Content-Type": kind})
            assert ask(world, method, f"/api/{ACCOUNT}/c/x").status_int == 501
        del world.pipeline.objects[f"{ACCOUNT}/c/zapp"]
        assert ask(world, method, f"/api/{ACCOUNT}/c/x").status_int == 404

    def test_a_broken_gzip_is_told(self, world):
        world.pipeline.put("c/zapp", b"no gzip", **{"Content-Type": GZIP})
        assert ask(world, "GET", f"/open/{ACCOUNT}/c/zapp").status_int == 422

    @pytest.mark.parametrize(("execute", "path"), [("open/1.0", "c/zapp"), ("API/1.0 ", "c/any")])
    def test_the_header_alone_makes_an_address(self, world, execute, path):
        self.deploy(world)
        assert ask(world, "GET", f"/v1/{ACCOUNT}/{path}", X_Zerovm_Execute=execute).status_int == 200
        (job,) = world.jobs()
        assert job.node["env"]["PATH_INFO"] == f"/{ACCOUNT}/{path}"

    @pytest.mark.parametrize(
        ("method", "headers", "status", "body", "length"),
        [
            ("GET", {}, 200, b"0123456789", 10),
            ("HEAD", {}, 200, b"", 10),
            ("GET", {"Range": "bytes=2-4"}, 206, b"234", 3),
            ("HEAD", {"Range": "bytes=2-4"}, 200, b"", 10),
            ("GET", {"Range": "bytes=-1"}, 206, b"9", 1),
            ("GET", {"Range": "bytes=20-"}, 416, None, None),
            ("GET", {"If_None_Match": hashlib.md5(b"0123456789").hexdigest()}, 304, b"", None),
            ("GET", {"If_Match": "0" * 32}, 412, None, None),
        ],
    )
    def test_head_and_ranges_where_the_program_says_so(self, world, method, headers, status, body, length):
        self.deploy(world, device("stdout", content_type="message/cgi"))
        world.every(run=lambda job: Answer({"stdout": b"0123456789"}, {"stdout": {"Accept-Ranges": "bytes"}}))
        answer = ask(world, method, f"/api/{ACCOUNT}/c/x", **headers)
        assert answer.status_int == status
        assert body in (None, answer.body)
        assert length in (None, answer.content_length)
        if status == 206:
            assert answer.headers["Content-Range"].endswith("/10")
        world.every(run=lambda job: Answer({"stdout": b"0123456789"}))
        answer = ask(world, method, f"/api/{ACCOUNT}/c/x", **headers)
        whole = b"" if method == "HEAD" else b"0123456789"
        assert (answer.status_int, answer.body, answer.content_length) == (200, whole, 10)

    def test_it_can_be_explained(self, world):
        self.deploy(world)
        answer = ask(world, "GET", f"/open/{ACCOUNT}/c/zapp", X_Zerovm_Execute="explain/1.0")
        assert (answer.status_int, world.asked()) == (200, 0)
        assert text(answer).startswith("id ")


class TestAssociation:
    def register(self, world, template, kind="text/x-log"):
        world.pipeline.containers[f"{ACCOUNT}/.zvm"] = {}
        world.pipeline.put(f".zvm/{kind}/config", template.encode())
        world.pipeline.put("c/exe", b"\0asm")
        world.pipeline.put("c/day one.log", b"log", **{"Content-Type": f"{kind}; charset=utf-8"})

    TEMPLATE = """[{"name": "viewer", "exec": {"path": "swift://~/c/exe", "args": "{.mode=short} {.missing}"},
        "count": {.count=1}, "devices": [{"name": "stdin", "path": "{.object_path}"}, {"name": "stdout"}]}]"""

    def open(self, world, query=""):
        return ask(world, "GET", f"/open/{ACCOUNT}/c/day%20one.log{query}")

    def test_the_registered_program_opens_the_object(self, world):
        self.register(world, self.TEMPLATE)
        assert self.open(world).status_int == 200
        assert self.open(world, "?mode=long&object_path=swift://other/c/o").status_int == 200
        first, second = world.jobs()
        assert (first.node["args"].strip(), second.node["args"].strip()) == ("short", "long")
        assert {job.node["path_info"] for job in (first, second)} == {f"/{ACCOUNT}/c/day one.log"}

    @pytest.mark.parametrize("value", ['"}, "evil": {"x": "', '\\"', "\\", "\n", "\u2028", '","path":"swift://AUTH_other/c/o'])
    def test_a_value_is_never_more_than_a_value(self, world, value):
        self.register(world, self.TEMPLATE.replace('"args": "{.mode=short} {.missing}"', '"env": {"MODE": "{.mode}"}'))
        answer = self.open(world, f"?mode={quote(value)}")
        assert answer.status_int == 200, text(answer)
        (job,) = world.jobs()
        assert job.node["env"]["MODE"] == value
        assert job.node["path_info"] == f"/{ACCOUNT}/c/day one.log"

    @pytest.mark.parametrize("value", ['1, "exec": {}', "[]", "1e9999", "01", "", "nul"])
    def test_outside_of_strings_only_scalars_fit(self, world, value):
        self.register(world, self.TEMPLATE)
        answer = self.open(world, f"?count={quote(value)}")
        assert (answer.status_int, "count" in text(answer)) == (400, True)

    def test_a_scalar_outside_of_strings(self, world):
        self.register(world, self.TEMPLATE.replace('"devices"', '"x-": {.flag=null}, "devices"').replace("{.object_path}", ""))
        assert self.open(world, "?count=2&flag=true").status_int == 200
        assert len(world.jobs()) == 2

    def test_nothing_is_registered(self, world):
        self.register(world, self.TEMPLATE, "text/x-log")
        world.pipeline.put("c/day one.log", b"", **{"Content-Type": "text/x-other"})
        answer = self.open(world)
        assert (answer.status_int, text(answer)) == (404, "No application registered for text/x-other")

    @pytest.mark.parametrize("told", [True, False])
    def test_a_template_that_is_too_large(self, world, told):
        self.register(world, self.TEMPLATE + " " * 70_000)
        if not told:
            world.pipeline.unsized.add(f"{ACCOUNT}/.zvm/text/x-log/config")
        assert self.open(world).status_int == 413

    def test_a_program_is_run_itself(self, world):
        world.pipeline.put("c/prog.nexe", b"\0asm", **{"Content-Type": "application/x-nexe"})
        assert ask(world, "GET", f"/open/{ACCOUNT}/c/prog.nexe?args=a%20%22b&content_type=text/x-mine").status_int == 200
        (job,) = world.jobs()
        assert (job.node["name"], job.node["exe"], job.node["args"]) == ("executable", f"swift://{ACCOUNT}/c/prog.nexe", 'a "b')
        assert job.node["channels"][0]["content_type"] == "text/x-mine"

    def test_a_program_has_no_arguments_unless_they_are_given(self, world):
        world.pipeline.put("c/prog", b"\0asm", **{"Content-Type": "application/wasm"})
        assert ask(world, "HEAD", f"/open/{ACCOUNT}/c/prog").status_int == 200
        (job,) = world.jobs()
        assert (job.node["args"], job.node["channels"][0]["content_type"]) == ("", "text/plain")

    def test_a_template_goes_before_the_program_itself(self, world):
        self.register(world, self.TEMPLATE, "application/x-nexe")
        assert self.open(world).status_int == 200
        assert [job.node["name"] for job in world.jobs()] == ["viewer"]

    def test_archives_without_a_map_and_json_that_is_none_are_data(self, world):
        """A zapp goes before a template, which goes before what can only be a mistake."""
        kinds = {TAR: archive(data=b"x"), "application/json": b'{"temperature": [1, 2]}'}
        for kind, data in kinds.items():
            self.register(world, self.TEMPLATE, kind)
            for content in (data, data[:-400] if kind == TAR else b" " * 70_000 + data, b"[{"):
                world.pipeline.put("c/day one.log", content, **{"Content-Type": kind})
                answer = self.open(world)
                broken = kind == TAR and content == b"[{"
                assert answer.status_int == (422 if broken else 200), text(answer)
        assert {job.node["name"] for job in world.jobs()} == {"viewer"}
        world.pipeline.put("c/day one.log", job_map(world, name="map"), **{"Content-Type": "application/json"})
        self.open(world)
        world.pipeline.put("c/day one.log", archive(boot__system_map=job_map(world, name="zapp")), **{"Content-Type": TAR})
        self.open(world)
        assert {job.node["name"] for job in world.jobs()} == {"viewer", "map", "zapp"}

    def test_and_without_a_template_their_mistakes_are_told(self, world):
        self.register(world, self.TEMPLATE)
        for kind, content, status in (
            (TAR, archive(data=b"x"), 404),
            (TAR, b"", 404),
            ("application/json", b'{"temperature": 1}', 400),
            ("application/json", b"[{", 422),
            ("application/json", b" " * 70_000, 413),
        ):
            world.pipeline.put("c/day one.log", content, **{"Content-Type": kind})
            assert self.open(world).status_int == status
        assert world.asked() == 0

    @pytest.mark.parametrize(
        ("value", "seen"), [("{.one=a=b}", "a=b"), ("{.one=}", ""), ("{.one}", ""), ("{.two=x}", "y"), ("{.two}{.two}", "yy")]
    )
    def test_defaults(self, world, value, seen):
        self.register(world, self.TEMPLATE.replace('"args": "{.mode=short} {.missing}"', f'"env": {{"SEEN": "<{value}>"}}'))
        assert self.open(world, "?two=y&two=z&else=1").status_int == 200  # of several values the first counts
        (job,) = world.jobs()
        assert job.node["env"]["SEEN"] == f"<{seen}>"

    def test_a_query_without_end(self, world):
        self.register(world, self.TEMPLATE)
        answer = self.open(world, "?" + "a=1&" * 1001)
        assert (answer.status_int, "1000" in text(answer)) == (400, True)
        assert self.open(world, "?mode=%ff%00&=&&;").status_int in (200, 400)

    @pytest.mark.parametrize("name", ["*", "day*", 'a"b\\', "a/../b", "{.mode}", "%2A", "ö?#"])
    def test_the_name_of_an_object_is_only_its_name(self, world, name):
        """Not a pattern that would open others, nor a part of the map."""
        self.register(world, self.TEMPLATE)
        world.pipeline.put(f"c/{name}", b"log", **{"Content-Type": "text/x-log"})
        assert ask(world, "GET", f"/open/{ACCOUNT}/c/{quote(name)}?mode=x").status_int == 200
        assert [job.node["path_info"] for job in world.jobs()] == [f"/{ACCOUNT}/c/{name}"]

    @pytest.mark.parametrize(
        ("path", "status"), [("c/day one.log", 404), ("c/day one.log", 503), (".zvm/text/x-log/config", 403)]
    )
    def test_what_can_not_be_read_is_told(self, world, path, status):
        self.register(world, self.TEMPLATE)
        world.pipeline.refuse[f"{ACCOUNT}/{path}"] = status
        answer = self.open(world)
        assert (answer.status_int, f"/{ACCOUNT}/{path}" in text(answer)) == (status, True)
        assert world.asked() == 0

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_objects_are_opened_by_get(self, world, method):
        self.register(world, self.TEMPLATE)
        assert ask(world, method, f"/open/{ACCOUNT}/c/day%20one.log").status_int == 501


def access_lists(request):
    """Like tempauth: the account's owner may everything, others what an access list says."""
    user = request.environ.get("REMOTE_USER")
    account = request.path.split("/")[2]
    asked.append((request.method, request.path.partition("/v1/")[2], request.acl))
    if user == account or ".r:*" in (request.acl or "") or (user and user in (request.acl or "").split(",")):
        return None
    return HTTPForbidden(request=request) if user else HTTPUnauthorized(request=request)


asked: list[tuple[str, str, str | None]] = []


class TestSetUid:
    GRANT = "X-Container-Meta-Zerovm-Suid"
    ENDPOINT = "X-Container-Meta-Rest-Endpoint"
    ZAPP = f"swift://{ACCOUNT}/app/zapp"

    @pytest.fixture(autouse=True)
    def deployed(self, world):
        asked.clear()
        containers = world.pipeline.containers
        for name in ("app", "data", "out", "private"):
            containers[f"{ACCOUNT}/{name}"] = {}
        for name in ("app", "data", "out"):
            containers[f"{ACCOUNT}/{name}"].update({self.ENDPOINT: self.ZAPP, self.GRANT: "guest"})
        world.pipeline.put("app/exe", b"\0asm")
        world.pipeline.put("data/in", b"in")
        world.pipeline.put("private/in", b"secret")
        self.zapp(
            world,
            {"name": "stdin", "path": f"swift://{ACCOUNT}/data/in"},
            {"name": "stdout", "path": f"swift://{ACCOUNT}/out/o"},
        )
        world.every(run=lambda job: Answer({"stdout": b"result"}))

    def zapp(self, world, *devices):
        group = {"name": "n", "exec": {"path": f"swift://{ACCOUNT}/app/exe"}, "devices": list(devices)}
        image = archive(boot__system_map=json.dumps([group]).encode())
        world.pipeline.put("app/zapp", image, **{"Content-Type": TAR})

    def call(self, world, user="guest", path=f"/api/{ACCOUNT}/app/x", **headers):
        return ask(world, "POST" if path.startswith("/v1") else "GET", path, authorize=access_lists, user=user, **headers)

    def test_a_foreign_user_runs_it_within_its_containers(self, world):
        assert self.call(world).status_int == 200
        assert world.pipeline.objects[f"{ACCOUNT}/out/o"][0] == b"result"

    def test_its_short_jobs_leave_no_records_in_the_owners_account(self, world):
        self.call(world)
        jobs = world.filter._shared().recorder.jobs
        while list(jobs.of(ACCOUNT)):
            sleep(0)
        assert not [name for name in world.pipeline.objects if "/.zvm/" in name]

    def test_by_open_and_by_source_too(self, world):
        assert self.call(world, path=f"/open/{ACCOUNT}/app/zapp").status_int == 200
        source = {"X_Zerovm_Execute": "1.0", "Content_Type": "text/plain", "X_Zerovm_Source": self.ZAPP}
        assert self.call(world, path=f"/v1/{ACCOUNT}", **source).status_int == 200

    def test_the_steps_are_asked_for_in_their_order(self, world):
        self.call(world)
        steps = [(method, path.split("/")[1] if "/" in path else "") for method, path, acl in asked if acl == "guest"]
        order = list(dict.fromkeys(steps))
        assert order == [("GET", "app"), ("POST", "app"), ("GET", "data"), ("PUT", "out")]

    STEPS = (
        ("GET", "app/zapp", "app reads"),
        ("POST", "app/x", None),
        ("GET", "app/exe", "app reads"),
        ("GET", "data/in", "data reads"),
        ("PUT", "out/o", "out writes"),
    )

    @pytest.mark.parametrize("denied", range(len(STEPS)))
    def test_every_step_is_asked_for_with_its_own_access_list(self, world, denied):
        """And what is refused ends it: no later step is asked for, nothing runs, nothing is stored."""
        for name in ("app", "data", "out"):
            lists = {"X-Container-Read": f"{name} reads", "X-Container-Write": f"{name} writes"}
            world.pipeline.containers[f"{ACCOUNT}/{name}"] = {self.ENDPOINT: self.ZAPP, **lists}
        seen: list[tuple[str, str, str | None]] = []

        def authorize(request):
            step = (request.method, request.path.partition(f"{ACCOUNT}/")[2], request.acl)
            seen.append(step)
            return HTTPForbidden(request=request) if refusing and step == self.STEPS[denied] else None

        for refusing in (False, True):
            seen.clear()
            status = ask(world, "GET", f"/api/{ACCOUNT}/app/x", authorize=authorize, user=ACCOUNT).status_int
            last = denied + 1 if refusing else len(self.STEPS)
            assert (status, tuple(dict.fromkeys(seen))) == (403 if refusing else 200, self.STEPS[:last])
        assert world.asked() == 1

    @pytest.mark.parametrize("container", ["app", "data", "out"])
    @pytest.mark.parametrize("missing", [GRANT, ENDPOINT])
    def test_every_container_must_grant_it(self, world, container, missing):
        del world.pipeline.containers[f"{ACCOUNT}/{container}"][missing]
        path = f"/open/{ACCOUNT}/app/zapp"
        assert self.call(world, path=path).status_int == 403
        assert f"{ACCOUNT}/out/o" not in world.pipeline.objects

    def test_a_grant_is_for_one_zapp(self, world):
        world.pipeline.put("app/other", world.pipeline.objects[f"{ACCOUNT}/app/zapp"][0], **{"Content-Type": TAR})
        assert self.call(world, path=f"/open/{ACCOUNT}/app/other").status_int == 403

    def test_others_and_nobody_have_none(self, world):
        assert self.call(world, user="stranger").status_int == 403
        assert self.call(world, user=None).status_int == 401

    def test_everybody_may_be_meant(self, world):
        for name in ("app", "data", "out"):
            world.pipeline.containers[f"{ACCOUNT}/{name}"][self.GRANT] = ".r:*"
        assert self.call(world, user=None).status_int == 200

    def test_other_containers_stay_closed(self, world):
        self.zapp(world, {"name": "stdin", "path": f"swift://{ACCOUNT}/private/in"}, {"name": "stdout"})
        assert self.call(world).status_int == 403
        self.zapp(world, {"name": "stdin", "path": f"swift://{ACCOUNT}/private/*"}, {"name": "stdout"})
        assert self.call(world).status_int in (400, 403)
        assert world.asked() == 0

    def test_a_plain_job_of_a_foreign_user_gets_nothing(self, world):
        body = json.dumps([{"name": "n", "exec": {"path": f"swift://{ACCOUNT}/app/exe"}, "devices": [{"name": "stdout"}]}])
        headers = {"X_Zerovm_Execute": "1.0", "Content_Type": "application/json"}
        answer = ask(world, body=body.encode(), authorize=access_lists, user="guest", **headers)
        assert answer.status_int == 403

    @pytest.mark.parametrize("when", ["always", "auto"])
    @pytest.mark.parametrize("path", [f"/open/{ACCOUNT}/app/zapp", f"/api/{ACCOUNT}/app/x", f"/v1/{ACCOUNT}/data/in"])
    def test_a_guest_has_no_answer_left_anywhere(self, world, path, when):
        """It would be the guest who says where: over the zapp itself, or over what it may only read."""
        before = {name: data for name, (data, _) in world.pipeline.objects.items()}
        source = {"X_Zerovm_Execute": "1.0", "Content_Type": "text/plain", "X_Zerovm_Source": self.ZAPP}
        headers = source if path.startswith("/v1") else {}
        assert self.call(world, path=path, X_Zerovm_Deferred=when, **headers).status_int == 403
        world.settle()
        assert {name: data for name, (data, _) in world.pipeline.objects.items()} == before
        assert world.asked() == 0

    @pytest.mark.parametrize(("user", "status"), [("guest", 403), (None, 401), (ACCOUNT, 200)])
    def test_a_guest_can_not_look_into_it(self, world, user, status):
        """An explanation tells the map, with all that its author has put there."""
        path = f"/open/{ACCOUNT}/app/zapp"
        assert self.call(world, user, path=path, X_Zerovm_Execute="explain/1.0").status_int == status
        assert world.asked() == 0

    @pytest.mark.parametrize(("user", "wish", "limit"), [("guest", 3000, 60), ("guest", 7, 7), (ACCOUNT, 3000, 3000)])
    def test_a_guest_gets_no_more_time_than_anybody(self, world, user, wish, limit):
        assert self.call(world, user, X_Zerovm_Timeout=str(wish)).status_int == 200
        (job,) = world.jobs()
        assert job.headers["X-Zerovm-Timeout"] == str(limit)

    def test_a_client_that_may_not_run_it_is_not_read(self, world):
        class Unread(io.BytesIO):
            def read(self, *_):
                raise AssertionError("the body was read")

        request = Request.blank(f"/open/{ACCOUNT}/app/zapp", method="POST", headers={"Content-Length": "10"})
        request.environ.update({"wsgi.input": Unread(), "swift.authorize": access_lists, "REMOTE_USER": "stranger"})
        assert request.get_response(world.filter).status_int == 403


class TestOtherOrigins:
    SHOP = "https://shop.example"

    @pytest.fixture
    def served(self, tmp_path):
        with harness_world(tmp_path, zerovm_use_cors="yes") as one:
            one.pipeline.put("c/zapp", archive(boot__system_map=job_map(one)), **{"Content-Type": TAR})
            yield one

    def call(self, world, allowed, exposed="", origin=SHOP):
        world.pipeline.containers[f"{ACCOUNT}/c"] = {
            "X-Container-Meta-Access-Control-Allow-Origin": allowed,
            "X-Container-Meta-Access-Control-Expose-Headers": exposed,
        }
        return ask(world, "GET", f"/open/{ACCOUNT}/c/zapp", Origin=origin).headers

    def test_a_container_allows_origins(self, served):
        headers = self.call(served, f"https://other.example {self.SHOP}", "X-Mine")
        assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (self.SHOP, "Origin")
        assert {"x-mine", "x-nexe-status", "x-zerovm-job"} <= set(headers["Access-Control-Expose-Headers"].split(", "))
        assert self.call(served, "*")["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize("allowed", ["", "https://other.example", "https://shop.example.evil"])
    def test_others_are_not_told(self, served, allowed):
        assert "Access-Control-Allow-Origin" not in self.call(served, allowed)

    def test_only_where_the_operator_wants_it(self, world):
        world.pipeline.put("c/zapp", archive(boot__system_map=job_map(world)), **{"Content-Type": TAR})
        assert "Access-Control-Allow-Origin" not in self.call(world, "*")

    def test_refusals_can_be_read_too(self, served):
        served.pipeline.refuse[f"{ACCOUNT}/c/zapp"] = 503
        headers = self.call(served, self.SHOP)
        assert (headers["Access-Control-Allow-Origin"], headers["Content-Type"]) == (self.SHOP, "text/plain; charset=utf-8")

    def test_who_has_no_origin_is_told_nothing_of_them(self, served):
        served.pipeline.containers[f"{ACCOUNT}/c"] = {"X-Container-Meta-Access-Control-Allow-Origin": "*"}
        assert "Access-Control-Allow-Origin" not in ask(served, "GET", f"/open/{ACCOUNT}/c/zapp").headers

    @pytest.mark.parametrize("version", ["api", "open"])
    def test_whether_a_page_may_ask_is_answered_by_swift(self, served, version):
        ask(served, "OPTIONS", f"/{version}/{ACCOUNT}/c/x/y", Origin=self.SHOP)
        assert served.pipeline.requests[-1] == ("OPTIONS", f"{ACCOUNT}/c")
        assert served.asked() == 0
