"""Deploying and executing: what is stored, what is refused, what is printed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from urllib.parse import unquote

import pytest

from tests.unit.client.transport import Told
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.deploy import Target
from zerocloud.zpm.errors import DeployError
from zerocloud.zpm.pages import rendered

REPORT = {"X-Nexe-System": "n", "X-Nexe-Status": "ok", "X-Nexe-Cdr-Line": "1.0, 0.5, 0 0 0 0 0 0 0 0 0 0"}


class Store:
    """A Swift with one account."""

    def __init__(self, **containers: dict[str, bytes]) -> None:
        self.containers = containers
        self.kinds: dict[str, str] = {}
        self.reads: dict[str, str] = {}
        self.job = Told(200, b"answer\n", REPORT)

    def __call__(self, request):
        container, _, name = unquote(request.url.removeprefix("http://h/v1/AUTH_x").lstrip("/")).partition("/")
        if request.method == "POST":
            return self.job
        if request.method == "PUT" and not name:
            self.containers.setdefault(container, {})
            self.reads[container] = request.headers.get("X-Container-Read", "")
            return Told(201)
        if container not in self.containers:
            return Told(404, b"Not Found")
        return self.objects(request, self.containers[container], name)

    def objects(self, request, objects, name):
        if request.method == "HEAD":
            return Told(204, b"", {"X-Container-Object-Count": str(len(objects))})
        if request.method == "PUT":
            objects[name] = request.body if isinstance(request.body, bytes) else b"".join(request.body)
            self.kinds[name] = request.headers["Content-Type"]
            return Told(201)
        return Told(200, objects[name]) if name in objects else Told(404, b"Not Found")


@pytest.fixture
def zapp(root):
    return bundle(root, print).path


def test_all_of_a_zapp_is_stored(zapp, zpm):
    store = Store()
    result, _ = zpm("deploy", "apps/hello", zapp, told=store)
    assert (result.exit_code, result.stdout) == (0, "app deployed to\n  http://h/v1/AUTH_x/apps/hello/\n")
    objects = store.containers["apps"]
    assert sorted(objects) == [
        "hello/boot/system.map",
        "hello/hello.zapp",
        "hello/page/index.html",
        "hello/page/style.css",
    ]
    assert objects["hello/hello.zapp"] == gzip.decompress(zapp.read_bytes())
    (group,) = json.loads(objects["hello/boot/system.map"])
    assert group["devices"] == [{"name": "stdout"}, {"name": "image", "path": "swift://AUTH_x/apps/hello/hello.zapp"}]
    assert objects["hello/page/style.css"] == b"{{ name }}"
    assert b"<h1>hello</h1>" in objects["hello/page/index.html"]
    assert b'{"version": "0.0", "swiftUrl": "http://h/v1/AUTH_x"}, {{ other }}' in objects["hello/page/index.html"]
    kinds = {name.rpartition("/")[2]: kind for name, kind in store.kinds.items()}
    assert kinds == {
        "hello.zapp": "application/x-tar",
        "system.map": "application/json",
        "index.html": "text/html",
        "style.css": "text/css",
    }


def test_an_index_is_the_address(root, zpm):
    (root / "zapp.yaml").write_text((root / "zapp.yaml").read_text().replace("page/*", "index.html"))
    (root / "index.html").write_text("hi")
    store = Store()
    result, _ = zpm("deploy", "apps", bundle(root, print).path, "--json", "--public", told=store)
    assert json.loads(result.stdout) == {"url": "http://h/v1/AUTH_x/apps/index.html"}
    assert store.reads == {"apps": ".r:*"}


def test_a_container_with_something_in_it_needs_force(zapp, zpm):
    store = Store(apps={"precious": b"x"})
    result, transport = zpm("deploy", "apps", zapp, told=store)
    assert (result.exit_code, [sent.method for sent in transport.sent]) == (1, ["HEAD"])
    assert result.stderr == "Error:\nThe container apps is not empty. Use --force to deploy into it\n"
    assert zpm("deploy", "apps", zapp, "--force", told=store)[0].exit_code == 0
    assert "boot/system.map" in store.containers["apps"]


def test_credentials_are_in_the_page_only_on_request(zapp, zpm, monkeypatch):
    for name, value in {"ST_AUTH": "http://h/auth", "ST_USER": "u", "ST_KEY": "</script>"}.items():
        monkeypatch.setenv(name, value)
    store = Store()
    zpm("deploy", "apps", zapp, told=store)
    assert b"authUrl" not in store.containers["apps"]["page/index.html"]
    zpm("deploy", "apps", zapp, "--ui-auth", "--force", told=store)
    page = store.containers["apps"]["page/index.html"]
    assert b'"password": "\\u003c/script>"' in page
    monkeypatch.delenv("ST_KEY")
    assert zpm("deploy", "apps", zapp, "--ui-auth", "--force", told=store)[0].exit_code == 1


@pytest.mark.parametrize(
    ("more", "version", "last"),
    [
        ({"OS_PROJECT_NAME": "p"}, "3", {"project": "p", "userDomain": "Default", "projectDomain": "Default"}),
        (
            {"OS_TENANT_NAME": "p", "OS_USER_DOMAIN_NAME": "d"},
            "3",
            {"project": "p", "userDomain": "d", "projectDomain": "Default"},
        ),
        ({"OS_TENANT_NAME": "p", "OS_IDENTITY_API_VERSION": "2.0"}, "2.0", {"tenant": "p"}),
    ],
)
def test_credentials_of_a_keystone(zapp, zpm, monkeypatch, more, version, last):
    known = {"OS_AUTH_URL": "http://h:5000/v3", "OS_USERNAME": "u", "OS_PASSWORD": "k"}
    for name, value in {**known, **more}.items():
        monkeypatch.setenv(name, value)
    store = Store()
    zpm("deploy", "apps", zapp, "--ui-auth", told=store)
    told = {"version": version, "authUrl": "http://h:5000/v3", "username": "u", "password": "k", **last}
    assert json.dumps(told).encode() in store.containers["apps"]["page/index.html"]


def test_executing_after_deploying(zapp, zpm):
    result, transport = zpm("deploy", "apps", zapp, "--execute", "--summary", told=Store())
    assert result.exit_code == 0
    assert result.stdout.endswith("answer\n")
    assert "Total time: 1.000 s" in result.stderr
    assert json.loads(transport.bodies[-1])[0]["devices"][-1]["name"] == "image"


def test_executing_a_file(zapp, zpm):
    result, transport = zpm("execute", zapp, told=Store())
    assert (result.exit_code, result.stdout, result.stderr) == (0, "answer\n", "")
    assert transport.bodies == [zapp.read_bytes()]
    assert transport.sent[0].headers["Content-Type"] == "application/x-gzip"
    assert transport.sent[0].headers["Content-Length"] == str(zapp.stat().st_size)


def test_executing_for_programs(zapp, zpm):
    result, _ = zpm("execute", zapp, "--json", told=Store())
    told = json.loads(result.stdout)
    assert (told["status"], told["body"], [node["name"] for node in told["nodes"]]) == (200, "answer\n", ["n"])
    store = Store()
    store.job = Told(500, b"node n failed\n", REPORT)
    result, _ = zpm("execute", zapp, "--json", told=store)
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, 500)


def test_executing_what_is_deployed(zapp, zpm):
    store = Store(apps={"hello/boot/system.map": b"[5]"})
    result, transport = zpm("execute", "--container", "apps/hello", told=store)
    assert (result.exit_code, result.stdout, transport.bodies[-1]) == (0, "answer\n", b"[5]")
    result, _ = zpm("execute", zapp, "--container", "apps/hello", told=store)
    assert (result.exit_code, "not both" in result.output) == (2, True)
    result, _ = zpm("execute", "--container", "apps", told=store)
    assert (result.exit_code, result.stderr) == (1, "Error:\nCould not find apps/boot/system.map\n")


def test_a_failed_job_is_a_story(zapp, zpm):
    store = Store()
    store.job = Told(500, b"node n failed\n", REPORT)
    result, _ = zpm("execute", zapp, "-s", told=store)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error:\nnode n failed" in result.stderr
    assert "Total time" in result.stderr


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_dot_", "."))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


YAML = b'meta: {name: x}\nexecution: {groups: [{name: n, path: "file://p"}]}\nui: ["*"]\n'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no zapp"),
        (b"hello", "is no zapp"),
        (b"\x1f\x8bhello", "is no zapp"),
        (gzip.compress(archive(boot__system_dot_map=b"[]"), mtime=0)[:-20], "zapp"),
        (archive(boot__system_dot_map=b"[]"), "there is no zapp.yaml in it"),
        (archive(zapp_dot_yaml=YAML), "there is no boot/system.map in it"),
        (archive(boot__system_dot_map=b"{", zapp_dot_yaml=YAML), "is no JSON"),
        (archive(boot__system_dot_map=b"{}", zapp_dot_yaml=YAML), "is no system map"),
        (archive(boot__system_dot_map=b"[]", zapp_dot_yaml=b"meta: 5"), "zapp.yaml:1: "),
        (archive(boot__system_dot_map=b"[]" + b" " * (1 << 20), zapp_dot_yaml=YAML), "more than 1048576 bytes"),
    ],
)
def test_what_is_no_zapp_stores_nothing(data, says, tmp_path, zpm):
    (tmp_path / "x.zapp").write_bytes(data)
    result, transport = zpm("deploy", "apps", tmp_path / "x.zapp", told=Store())
    assert (result.exit_code, transport.sent) == (1, [])
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_hostile_zapp_stays_in_its_place(tmp_path, zpm):
    members = {"boot__system_dot_map": b"[]", "zapp_dot_yaml": YAML, "..__evil": b"e", "__abs": b"e", "a__..__..__evil": b"e"}
    (tmp_path / "x.zapp").write_bytes(archive(**members, fine=b"f"))
    store = Store()
    assert zpm("deploy", "apps/x", tmp_path / "x.zapp", told=store)[0].exit_code == 0
    assert sorted(store.containers["apps"]) == ["x/boot/system.map", "x/fine", "x/x.zapp", "x/zapp.yaml"]


@pytest.mark.parametrize("text", ["", "/", "x" * 257])
def test_targets_that_are_none(text):
    with pytest.raises(DeployError):
        Target.parse(text)


def test_targets_are_quoted():
    target = Target.parse("my apps/a b/")
    assert target.path("x?.zapp") == "/my%20apps/a%20b/x%3F.zapp"
    assert target.url("AUTH x", "o") == "swift://AUTH%20x/my%20apps/a%20b/o"


def test_pages_are_filled_in_safely():
    zapp = {"meta": {"name": "<b>"}, "x": "</script><script>\u2028"}
    page = rendered(b"{{ name }} {{zapp}} {{ auth_opts }} {{ no }}", zapp, {"a": "b"})
    assert page.startswith(b"&lt;b&gt; {")
    assert b"</script>" not in page
    assert page.endswith(b'{"a": "b"} {{ no }}')
