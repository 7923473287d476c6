"""A Zebra whose users are Keystone's: every way in that a user has, and what they may."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests import guests
from tests.cluster.browser import open_browser
from tests.cluster.conftest import PICTURES, connect
from tests.cluster.s3 import s3_client
from tests.cluster.test_zpm import ARGUMENTS
from tests.cluster.zebra_shell import CLEAN
from zerocloud import zpm
from zerocloud.client import LoginError, log_in
from zerocloud.client import connect as library
from zerocloud.zebra import Zebra, keystone, settings, view
from zerocloud.zebra.errors import SettingsError
from zerocloud.zebra.settings import user_called


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    try:
        keystone.require()
    except SettingsError as missing:
        pytest.skip(str(missing))
    with Zebra(tmp_path_factory.mktemp("keystone") / "z", 1, auth="keystone", together=True) as running:
        yield running


@pytest.fixture
def variables(cloud: Zebra) -> Mapping[str, str]:
    """What ``zebra env`` says, but for the ready token: the clients have to sign in."""
    known = view.variables(settings.load(cloud.layout), user_called("test:tester"), cloud.login())
    return {name: value for name, value in known.items() if name not in ("OS_STORAGE_URL", "OS_AUTH_TOKEN")}


def shell(variables: Mapping[str, str], folder: Path, module: str, *words: str) -> str:
    command = [sys.executable, "-m", module, *words]
    environment = {**CLEAN, **variables}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # swiftclient speaks to keystoneclient of tenants
def test_the_commands_sign_in(cloud: Zebra, variables: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "copy.wasm").write_bytes(guests.compiled("copy"))
    (tmp_path / "said").write_text("hello")
    shell(variables, tmp_path, "swiftclient.shell", "upload", "c", "copy.wasm", "said")
    assert cloud.url in shell(variables, tmp_path, "zerocloud.zpm", "auth")
    devices = [{"name": "stdin", "path": "swift://~/c/said"}, {"name": "stdout", "content_type": "text/plain"}]
    group = {"name": "n", "exec": {"path": "swift://~/c/copy.wasm"}, "devices": devices}
    (tmp_path / "map.json").write_text(json.dumps([group]))
    assert shell(variables, tmp_path, "zerocloud.cli", "run", "map.json") == "hello"
    with library(log_in(variables)) as connection:
        assert connection.run([group]).body == b"hello"
        stored = {"name": "stdout", "path": "swift://~/c/out", "content_type": "text/plain"}
        assert connection.submit([{**group, "devices": [devices[0], stored]}]).result().status == 200
    assert shell(variables, tmp_path, "swiftclient.shell", "download", "c", "out", "-o", "-") == "hello"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("wrong", ["OS_PASSWORD", "OS_USERNAME", "OS_PROJECT_NAME"])
def test_who_is_not_let_in(variables: Mapping[str, str], wrong: str) -> None:
    with pytest.raises(LoginError, match=r"can't sign in at .*: wrong user, password, project or domain"):
        log_in({**variables, wrong: "wrong"})


def test_who_may_what(cloud: Zebra) -> None:
    client = connect(cloud)
    client.put_container("shared")
    client.put("shared/o", b"mine")
    for user, status in (("test2:tester2", 403), ("test:tester3", 403), ("admin:admin", 200)):
        other = cloud.login(user)
        answer = client.send("GET", "shared/o", None, {"X-Auth-Token": other.token})
        assert answer.status_code == status, user
    assert client.send("GET", "shared/o", None, {"X-Auth-Token": "nonsense"}).status_code == 401


def test_s3(cloud: Zebra) -> None:
    s3 = s3_client(cloud)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"content")
    assert connect(cloud).get("bucket/k").content == b"content"
    s3.close()


def test_the_console(cloud: Zebra, tmp_path: Path) -> None:
    with open_browser(tmp_path, PICTURES) as page:
        page.driver.get(f"{cloud.proxy_url}/console/")
        page.fill("user", "tester")
        page.fill("project", "test")
        page.fill("key", "wrong")
        page.press("Sign in")
        page.says("Keystone does not know this user, password and project.")
        page.fill("key", "testing")
        page.press("Sign in")
        page.says("New container")
        assert not page.complaints()


def test_the_page_of_a_zapp(cloud: Zebra, variables: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "zapp.yaml").write_text(ARGUMENTS)
    (tmp_path / "arguments.wasm").write_bytes(guests.compiled("arguments"))
    for source in (Path(zpm.__file__).parent / "templates/ui").iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    shell(variables, tmp_path, "zerocloud.zpm", "bundle")
    told = shell(variables, tmp_path, "zerocloud.zpm", "deploy", "told", "told.zapp", "--public", "--ui-auth")
    with open_browser(tmp_path / "browser", PICTURES) as page:
        page.driver.get(told.split()[3])
        page.find("#field-0").send_keys("a 'word'")
        page.press("Execute")
        page.says("a 'word'")


def test_it_comes_back_as_it_was_on_other_ports(cloud: Zebra) -> None:
    """The catalog follows the proxy, and accounts stay. The last of these tests: it takes the others' Zebra down."""
    before = cloud.url
    connect(cloud).put_container("kept")
    cloud.down()
    assert cloud.layout.mark.stat().st_mode & 0o077 == 0
    mark = json.loads(cloud.layout.mark.read_text())
    cloud.layout.mark.write_text(json.dumps({**mark, "ports": {}}))
    cloud.up()
    assert cloud.url != before
    assert cloud.url.startswith(cloud.proxy_url)
    assert cloud.url.rpartition("/")[2] == before.rpartition("/")[2]
    assert connect(cloud).request("HEAD", "kept").status_code == 204
