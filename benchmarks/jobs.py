"""What jobs cost, beside the yardsticks of the same run, on a Zebra of four nodes that share this machine with their client.

    python benchmarks/jobs.py [--rows latency,words,nodes,growth,shuffle,cancel,crowd] [--megabytes 512] [--rounds 3]

latency   POST of a job of one node over a local object of 1 KiB; yardstick: GET of that object through the same proxy. First 60
          of each in a row, so that the records of jobs are written while others run; then by turns, with a pause between
words     how often each word occurs in 64 objects of 4 MiB, up to 8 on a node, one reducer; yardsticks: the same C program,
          native, over the same files with 2 processes; python-swiftclient in 2 and 4 processes that feed it; client and job
          again behind a link of 100 Mbit/s (a relay that lets so many bytes through). Then the same with a program that only
          counts words, at gigabytes a second: what is left are the costs of the job itself
nodes     1,000 unconnected nodes over 1,000 objects of 1 KiB, then 16 objects on each; yardstick: GETs of them, 8 at a time
shuffle   8 nodes that scatter records by their keys, 8 that sort them, 512 MiB in all; yardstick: ``sort --parallel=2``
growth    seconds per node in jobs of 10, 100 and 1,000 nodes, nothing subtracted: it may fall, and must not rise
cancel    DELETE of a job that would run for ever, until its answer says that it is cancelled
crowd     one job of 5,000 unconnected nodes on a cluster of its own with 8 slots: the proxy's memory and descriptors, and the
          bytes of the head of the answer

Each figure is the median of the rounds. ``times`` is the figure over its yardstick.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import simplejson

import zerocloud.demo
from zerocloud.zebra import Zebra

HERE = Path(__file__).parent / "programs"
DEMO = Path(zerocloud.demo.__file__).parent / "guests"
SORT = Path(__file__).resolve().parents[1] / "examples/sort"
LINK = 100_000_000 / 8
PAUSE = 0.15
"""Seconds between requests of whom nobody hurries: what a job leaves to be done after its answer is done by then."""
SOURCE = "ZC"
CLIENT = """
import subprocess, sys, swiftclient
url, token, program, *names = sys.argv[1:]
for name in names:
    counting = subprocess.Popen([program, "/dev/stdin"], stdin=subprocess.PIPE)
    for piece in swiftclient.get_object(url, token, "words", name, resp_chunk_size=1 << 20)[1]:
        counting.stdin.write(piece)
    counting.stdin.close()
    assert counting.wait() == 0
"""


class Cluster:
    """A Zebra's account."""

    def __init__(self, zebra: Zebra) -> None:
        login = zebra.login("test:tester")
        self.url, self.token, self.zebra = login.storage_url, login.token, zebra
        self._local = threading.local()

    @property
    def session(self) -> requests.Session:
        """A connection of this thread's own."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
            self._local.session.headers["X-Auth-Token"] = self.token
        found: requests.Session = self._local.session
        return found

    def put(self, path: str, data: Any = b"", kind: str = "application/octet-stream") -> None:
        self.session.put(f"{self.url}/{path}", data=data, headers={"Content-Type": kind}).raise_for_status()

    def get(self, path: str) -> bytes:
        answer = self.session.get(f"{self.url}/{path}")
        answer.raise_for_status()
        return answer.content

    def run(self, *groups: dict[str, Any], url: str = "") -> requests.Response:
        headers = {"X-Zerovm-Execute": "1.0", "Content-Type": "application/json", "X-Zerovm-Timeout": "900"}
        answer = self.session.post(url or self.url, data=simplejson.dumps(groups), headers=headers)
        if answer.status_code != 200:
            sys.exit(answer.text)
        return answer

    def proxy_process(self) -> int:
        """The proxy's process id."""
        return next(member.process.pid for member in self.zebra.state().members if member.name == "proxy")

    def brought(self) -> int:
        """Bytes of inputs and programs that have passed the proxy for jobs until now."""
        lines = self.zebra.layout.log_of("proxy").read_text().splitlines()
        fields = [line.split(" proxy: ", 1)[-1].split(" ") for line in lines if f" {SOURCE} " in line]
        return sum(int(field[11]) for field in fields if len(field) > 15 and field[3] == "GET" and field[11].isdigit())


def compiled(name: str, directory: Path, target: str = "") -> Path:
    """A program, for this machine or for nodes."""
    result = directory / f"{name}{target}"
    options = ["-target", target, "-msimd128"] if target else []
    sources = [path for folder in (HERE, DEMO, SORT) if (path := folder / f"{name}.c").exists()]
    table = [DEMO / "words.c"] if b"words.h" in sources[0].read_bytes() else []
    command = [sys.executable, "-m", "ziglang", "cc", "-O3", "-I", DEMO, *options, "-o", result, *sources, *table]
    subprocess.run(command, check=True)
    return result


def program(cluster: Cluster, name: str, directory: Path) -> str:
    """Store a program; its URL."""
    cluster.put("programs")
    cluster.put(f"programs/{name}", compiled(name, directory, "wasm32-wasi").read_bytes(), "application/wasm")
    return f"swift://~/programs/{name}"


def seconds(action: Callable[[], Any], rounds: int) -> float:
    """The median of the rounds."""
    return statistics.median(once(action) for _ in range(rounds))


def once(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def tell(what: str, figure: float, yardstick: float, name: str, goal: str) -> None:
    print(
        f"{what:52} {figure:9.4f} s   {name:34} {yardstick:9.4f} s   {figure / yardstick:6.2f} times   goal {goal}", flush=True
    )


def latency(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    url = program(cluster, "count", directory)
    cluster.put("small")
    cluster.put("small/one", b"word " * 204 + b"more")
    group = {
        "name": "n",
        "exec": {"path": url},
        "devices": [{"name": "stdin", "path": "swift://~/small/one"}, {"name": "stdout"}],
    }
    actions = {"job": lambda: cluster.run(group), "get": lambda: cluster.get("small/one")}
    times: dict[str, list[float]] = {name: [] for name in actions}
    for warm in (False, *[True] * options.rounds):
        for name, action in actions.items():
            found = [once(action) for _ in range(60)]
            times[name] += found if warm else []
    tell(
        "one node in a row, p50", statistics.median(times["job"]), statistics.median(times["get"]), "GETs in a row, p50", "<= 4"
    )
    apart: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(20 * options.rounds):
        for name, action in actions.items():
            time.sleep(PAUSE)
            apart[name].append(once(action))
    tell("one node, p50", statistics.median(apart["job"]), statistics.median(apart["get"]), "GET, p50", "<= 4")


def words(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    names = [f"text-{number:02}" for number in range(64)]
    cluster.put("words")
    vocabulary = ["".join(random.choices("abcdefghij", k=random.randint(2, 9))) for _ in range(5000)]
    for name in names:
        text = " ".join(random.choices(vocabulary, k=700_000)).encode()[: 4 << 20]
        (directory / name).write_bytes(text)
        cluster.put(f"words/{name}", text)
    groups, native = word_job(cluster, directory, "frequencies", "wordreduce")
    halves = [[str(directory / name) for name in names[half::2]] for half in (0, 1)]
    assert parsed(cluster.run(*groups).content) == parsed(b"".join(natively(native, halves)))
    before = cluster.brought()
    ours = seconds(lambda: cluster.run(*groups), options.rounds)
    share = (cluster.brought() - before) / options.rounds / (64 << 22)
    tell("words of 256 MiB", ours, seconds(lambda: natively(native, halves), options.rounds), "native, 2 processes", "<= 2")
    by_client = {
        processes: seconds(lambda processes=processes: fetch(cluster, cluster.url, native, names, processes), options.rounds)  # type: ignore[misc]
        for processes in (2, 4)
    }
    tell("the same", ours, min(by_client.values()), "python-swiftclient, 2 or 4", "<= 1 / 1.3")
    print(f"through the proxy: {share:.4%} of the input, goal <= 1 %")
    with throttled(cluster) as url:
        far = seconds(lambda: cluster.run(*groups, url=url), 1)
        tell("the same behind 100 Mbit/s", far, once(lambda: fetch(cluster, url, native, names, 2)), "swiftclient", "<= 1 / 5")
    groups, native = word_job(cluster, directory, "count", "add")
    ours = seconds(lambda: cluster.run(*groups), options.rounds)
    tell("only their number", ours, seconds(lambda: natively(native, halves), options.rounds), "native, 2 processes", "none")


def word_job(cluster: Cluster, directory: Path, mapper: str, reducer: str) -> tuple[tuple[dict[str, Any], ...], Path]:
    """The map of a job over the texts, and its mapper for this machine."""
    mapping = {
        "name": "map",
        "exec": {"path": program(cluster, mapper, directory)},
        "each": {"objects": 8},
        "devices": [{"name": "input", "path": "swift://~/words/text-*"}],
        "connect": ["reduce"],
    }
    reducing = {"name": "reduce", "exec": {"path": program(cluster, reducer, directory)}, "devices": [{"name": "stdout"}]}
    return (mapping, reducing), compiled(mapper, directory)


def natively(native: Path, parts: Sequence[Sequence[str]]) -> list[bytes]:
    """What the program prints in a process for each part of the files."""
    processes = [subprocess.Popen([native, *part], stdout=subprocess.PIPE) for part in parts]
    return [process.communicate()[0] for process in processes]


def parsed(lines: bytes) -> Counter[bytes]:
    """The sums of lines ``count word``."""
    found: Counter[bytes] = Counter()
    for line in lines.splitlines():
        number, word = line.split()
        found[word] += int(number)
    return found


def fetch(cluster: Cluster, url: str, native: Path, names: Sequence[str], processes: int) -> None:
    command = [sys.executable, "-c", CLIENT, url, cluster.token, str(native)]
    started = [
        subprocess.Popen([*command, *names[part::processes]], stdout=subprocess.DEVNULL, env={**os.environ, "no_proxy": "*"})
        for part in range(processes)
    ]
    assert not any(process.wait() for process in started)


@contextmanager
def throttled(cluster: Cluster) -> Iterator[str]:
    """The account's URL behind a relay that lets through what a link of 100 Mbit/s does."""
    address = cluster.url.split("/")[2]
    host, port = address.split(":")
    listener = socket.create_server(("127.0.0.1", 0))
    link, free_at = threading.Lock(), [time.monotonic()]

    def relay(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            with link:
                free_at[0] = max(free_at[0], time.monotonic()) + len(data) / LINK
                wait = free_at[0] - time.monotonic()
            time.sleep(max(0, wait))
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((host, int(port)))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=relay, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield cluster.url.replace(address, f"127.0.0.1:{listener.getsockname()[1]}")
    listener.close()


def many(cluster: Cluster, number: int) -> list[str]:
    """Small objects, and their names."""
    names = [f"{at:04}" for at in range(number)]
    cluster.put("many")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: cluster.put(f"many/{name}", b"some words " * 93), names))
    return names


def counting(url: str, pattern: str, **keys: Any) -> dict[str, Any]:
    device = "input" if "each" in keys else "stdin"
    devices = [{"name": device, "path": f"swift://~/many/{pattern}"}, {"name": "stdout"}]
    return {"name": "n", "exec": {"path": url}, "devices": devices, **keys}


def nodes(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    url, names = program(cluster, "count", directory), many(cluster, 1000)

    def fetch() -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: cluster.get(f"many/{name}"), names))

    fetch()
    cluster.run(counting(url, "000*"))
    resident = _resident(cluster.proxy_process())
    single = seconds(lambda: cluster.run(counting(url, "*")), options.rounds)
    grown = _resident(cluster.proxy_process()) - resident
    yardstick = seconds(fetch, options.rounds)
    tell("1,000 nodes over 1,000 objects", single, yardstick, "1,000 GETs, 8 at a time", "<= 4")
    packed = seconds(lambda: cluster.run(counting(url, "*", each={"objects": 16})), options.rounds)
    tell("the same, 16 objects on each", packed, yardstick, "the same", "<= 1")
    print(f"the proxy's memory grew by {grown / 1024:.1f} MB, goal < 50 MB")


def _resident(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def growth(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    url = program(cluster, "count", directory)
    many(cluster, 1000)
    cost = {}
    for number, pattern in ((10, "000*"), (100, "00*"), (1000, "*")):
        cost[number] = seconds(lambda pattern=pattern: cluster.run(counting(url, pattern)), options.rounds) / number  # type: ignore[misc]
        print(f"a node among {number}: {cost[number] * 1000:.2f} ms")
    tell("a node among 1,000", cost[1000], min(cost.values()), "the cheapest", "<= 1.3")


def shuffle(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    scatter, order = (program(cluster, name, directory) for name in ("scatter", "order"))
    cluster.put("records")
    cluster.put("sorted")
    records = (options.megabytes << 20) // 800
    letters = bytes(32 + value % 95 for value in range(256))
    with open(directory / "records", "wb") as whole:
        for part in range(8):
            keys = os.urandom(10 * records).translate(letters)
            data = b"".join(keys[at : at + 10] + b"." * 89 + b"\n" for at in range(0, len(keys), 10))
            whole.write(data)
            cluster.put(f"records/{part}", data)
    groups: tuple[dict[str, Any], ...] = (
        {
            "name": "scatter",
            "exec": {"path": scatter},
            "devices": [{"name": "stdin", "path": "swift://~/records/*"}],
            "connect": ["order"],
        },
        {
            "name": "order",
            "exec": {"path": order},
            "count": 8,
            "devices": [{"name": "stdout", "path": "swift://~/sorted/*"}],
        },
    )
    sort = ["sort", "--parallel=2", "-o", str(directory / "sorted"), str(directory / "records")]
    yardstick = seconds(lambda: subprocess.run(sort, check=True, env={**os.environ, "LC_ALL": "C"}), options.rounds)
    ours = seconds(lambda: cluster.run(*groups), options.rounds)
    found = b"".join(cluster.get(f"sorted/order-{number}") for number in range(1, 9))
    assert found == (directory / "sorted").read_bytes(), "not sorted"
    tell(f"shuffle of {options.megabytes} MiB, 8 x 8 nodes", ours, yardstick, "sort --parallel=2", "<= 4")


def cancel(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    group = {"name": "n", "exec": {"path": program(cluster, "spin", directory)}}
    found = [_cancelled(cluster, group) for _ in range(10 * options.rounds)]
    print(f"a job cancelled: p50 {statistics.median(found):.3f} s, longest {max(found):.3f} s, goal <= 1 s", flush=True)


def _cancelled(cluster: Cluster, group: dict[str, Any]) -> float:
    """Seconds that a DELETE of a running job takes."""
    headers = {"X-Zerovm-Execute": "1.0", "Content-Type": "application/json", "X-Zerovm-Deferred": "always"}
    answer = cluster.session.post(cluster.url, data=simplejson.dumps([group]), headers=headers)
    answer.raise_for_status()
    job = f"{cluster.url}?zerovm=job&id={answer.headers['X-Zerovm-Job']}"
    while (state := cluster.session.get(job).json()["state"]) == "queued":
        time.sleep(0.02)
    assert state == "running", state
    answers: list[requests.Response] = []
    taken = once(lambda: answers.append(cluster.session.delete(job)))
    assert (answers[0].status_code, answers[0].json()["state"]) == (200, "cancelled"), answers[0].text
    return taken


def crowd(cluster: Cluster, directory: Path, options: argparse.Namespace) -> None:
    pools = {"object/object_query/zerovm_threadpools": "default = WaitPool(2,2); cluster = PriorityPool(2,4);"}
    with Zebra(directory / "crowd", nodes=4, overrides=pools) as zebra:
        narrow = Cluster(zebra)
        group = {"exec": {"path": program(narrow, "count", directory)}, "devices": [{"name": "stdin"}, {"name": "stdout"}]}
        narrow.run({"name": "n", "count": 100, **group})
        process = narrow.proxy_process()
        resident, most, over = _resident(process), [0], threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                most[0] = max(most[0], len(os.listdir(f"/proc/{process}/fd")))

        watching = threading.Thread(target=watch)
        watching.start()
        answer = narrow.run({"name": "n", "count": 5000, **group})
        over.set()
        watching.join()
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        grown = (_resident(process) - resident) / 1024
        print(f"5,000 nodes on 8 slots: the proxy's memory grew by {grown:.1f} MB, {grown / 5:.2f} KB a node; ", end="")
        print(f"it had {most[0]} descriptors at most; the answer's head has {head} bytes, goal < 16,384")


ROWS = {
    "latency": latency,
    "words": words,
    "nodes": nodes,
    "growth": growth,
    "shuffle": shuffle,
    "cancel": cancel,
    "crowd": crowd,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS), help="which rows, with commas between them")
    parser.add_argument("--megabytes", type=int, default=512, help="size of the shuffle")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", help="where the cluster lies while it runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as place, Zebra(Path(place) / "zebra", nodes=4) as zebra:
        cluster = Cluster(zebra)
        for row in options.rows.split(","):
            ROWS[row](cluster, Path(place), options)


if __name__ == "__main__":
    main()
