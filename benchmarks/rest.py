"""A hello-world address, ``/api/account/container``, against a GET of a small object through the same proxy.

    python benchmarks/rest.py [--seconds S] [--clients N]

Prints medians over the warm path, of calls and GETs by turns, and their ratio, the same for a zapp of 4 MiB, and then how many
requests many clients at once get answered, and how many of them failed. On a playground of four storage nodes, which shares its
processors with the clients.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import tarfile
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import requests
import wasmtime

from zerocloud.zebra import Zebra

ROUNDS = 200
LARGE = 4 << 20
ANSWER = "Status: 200 OK\\0d\\0aContent-Type: text/plain\\0d\\0a\\0d\\0ahello"
HELLO = f"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "{ANSWER}")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 49))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""


def zapp(more: bytes = b"") -> bytes:
    """An archive with the program and its map, and perhaps a file that the program does not read."""
    group = {
        "name": "hello",
        "exec": {"path": "file://bin/hello"},
        "devices": [{"name": "stdout", "content_type": "message/cgi"}],
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        members = {"boot/system.map": json.dumps([group]).encode(), "bin/hello": bytes(wasmtime.wat2wasm(HELLO)), "more": more}
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def deploy(zebra: Zebra, container: str = "hello", more: bytes = b"") -> tuple[str, str]:
    """The address of the program, and that of an object."""
    headers = {"X-Auth-Token": zebra.token}
    base, _, account = zebra.url.rpartition("/v1/")
    endpoint = {"X-Container-Meta-Rest-Endpoint": f"swift://{account}/{container}/zapp"}
    requests.put(f"{zebra.url}/{container}", headers={**headers, **endpoint}, timeout=60).raise_for_status()
    tar = {**headers, "Content-Type": "application/x-tar"}
    requests.put(f"{zebra.url}/{container}/zapp", zapp(more), headers=tar, timeout=60).raise_for_status()
    requests.put(f"{zebra.url}/{container}/object", b"hello", headers=headers, timeout=60).raise_for_status()
    return f"{base}/api/{account}/{container}/world", f"{zebra.url}/{container}/object"


def session(zebra: Zebra) -> requests.Session:
    """A client with a token."""
    client = requests.Session()
    client.headers["X-Auth-Token"] = zebra.token
    return client


def median(client: requests.Session, *urls: str) -> list[float]:
    """Milliseconds of a GET of each, by turns, so that what else the machine does is the same for all."""
    times: dict[str, list[float]] = {url: [] for url in urls}
    for _ in range(ROUNDS):
        for url in urls:
            started = time.perf_counter()
            answer = client.get(url, timeout=60)
            times[url].append((time.perf_counter() - started) * 1e3)
            assert (answer.status_code, answer.text) == (200, "hello"), answer.text
    return [statistics.median(found) for found in times.values()]


def storm(zebra: Zebra, url: str, clients: int, seconds: float) -> Counter[int]:
    """How often each status came, of clients that ask one request after the other."""
    found: Counter[int] = Counter()
    until = time.monotonic() + seconds

    def ask() -> None:
        client = session(zebra)
        while time.monotonic() < until:
            found[client.get(url, timeout=60).status_code] += 1

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, Zebra(Path(place) / "zebra", destroy=True) as zebra:
        program, stored = deploy(zebra)
        client = session(zebra)
        median(client, program)  # every server has met the program
        call, get = median(client, program, stored)
        print(f"a call of /api, p50    {call:7.1f} ms")
        print(f"a GET, p50             {get:7.1f} ms  the call takes {call / get:.2f} times that")
        large, _ = deploy(zebra, "large", os.urandom(LARGE))
        median(client, large)
        call, get = median(client, large, stored)
        print(
            f"with a zapp of {LARGE >> 20} MiB   {call:7.1f} ms  {call / get:.2f} times a GET of the small object, {get:.1f} ms"
        )
        answers = storm(zebra, program, options.clients, options.seconds)
    failed = sum(number for status, number in answers.items() if status != 200)
    print(f"{options.clients} clients, {options.seconds:g} s: {sum(answers.values())} answers, {failed} of them not 200")


if __name__ == "__main__":
    main()
