"""Finds centres of points: ``kmeans.py 'swift://~/points/*.csv' 3``."""

from __future__ import annotations

import sys

from zerocloud.client import connect

SCRIPT = r"""
import json, os, sys
import numpy, zvm

count, rounds, name = int(sys.argv[1]), int(sys.argv[2]), os.urandom(8).hex()
points = numpy.loadtxt("/dev/stdin", delimiter=",", ndmin=2)
receiving = [zvm.input(peer, "r") for peer in zvm.inputs()]
sending = [zvm.output(peer, "w") for peer in zvm.outputs()]


def exchanged(mine):
    "What all nodes say, this one included, in one order everywhere: sums of floats depend on it."
    line = json.dumps([name, mine]) + "\n"
    for stream in sending:
        stream.write(line)
        stream.flush()
    said = sorted(json.loads(told) for told in (line, *(stream.readline() for stream in receiving)))
    return [who for who, _ in said], [what for _, what in said]


names, beginnings = exchanged(points[:count].tolist())
centres = numpy.array(sum(beginnings, [])[:count])
for _ in range(rounds):
    nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    sums = [points[nearest == index].sum(axis=0).tolist() for index in range(count)]
    counts = numpy.bincount(nearest, minlength=count).tolist()
    all_sums, all_counts = zip(*exchanged([sums, counts])[1])
    total = numpy.sum(all_counts, axis=0)
    moved = numpy.where(total[:, None] > 0, numpy.sum(all_sums, axis=0) / numpy.maximum(total, 1)[:, None], centres)
    if numpy.allclose(moved, centres):
        break
    centres = moved
if name == names[0]:
    for centre, number in sorted(zip(centres.tolist(), total.tolist())):
        print(f"{number:8} " + ", ".join(f"{value:.3f}" for value in centre))
"""
ROUNDS = 50


def main(points: str, centres: str) -> None:
    """Print the centres, and how many points each has."""
    container = points.removeprefix("swift://~/").partition("/")[0]
    stored = f"{container}/.kmeans.py"
    group = {
        "name": "kmeans",
        "exec": {"path": "file://python:bin/python", "args": f"/dev/script {centres} {ROUNDS}"},
        "connect": ["kmeans"],
        "devices": [
            {"name": "python"},
            {"name": "script", "path": f"swift://~/{stored}"},
            {"name": "stdin", "path": points},
            {"name": "stdout", "content_type": "text/plain"},
        ],
    }
    with connect() as cloud:
        cloud.request("PUT", f"/{stored}", data=SCRIPT.encode())
        print(cloud.run([group], timeout=300).text, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
