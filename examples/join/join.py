"""Joins CSV objects: ``join.py 'swift://~/people/*.csv' 'swift://~/orders/*.csv' id joined/part 3``."""

from __future__ import annotations

import sys

from zerocloud.client import connect

SCATTER = r"""
import sys, zlib
import pandas, zvm

key, side = sys.argv[1:]
table = pandas.read_csv(sys.stdin, dtype=str, keep_default_na=False)
peers = zvm.outputs()
place = table[key].map(lambda value: zlib.crc32(value.encode()) % len(peers))
for number, peer in enumerate(peers):
    with zvm.output(peer, "w") as output:
        output.write(side + "\n")
        table[place == number].to_csv(output, index=False)
"""
JOIN = r"""
import sys
import pandas, zvm

sides = {"left": [], "right": []}
for peer in zvm.inputs():
    with zvm.input(peer, "r") as stream:
        sides[stream.readline().strip()].append(pandas.read_csv(stream, dtype=str, keep_default_na=False))
left, right = (pandas.concat(parts) for parts in sides.values())
left.merge(right, on=sys.argv[1]).sort_values(sys.argv[1], kind="stable").to_csv(sys.stdout, index=False)
"""


def main(left: str, right: str, key: str, target: str, parts: str) -> None:
    """Store the joined rows."""
    container = target.partition("/")[0]

    def group(name: str, script: str, args: str, *devices: dict[str, str], **keys: object) -> dict[str, object]:
        shared = [{"name": "python"}, {"name": "script", "path": f"swift://~/{container}/.{script}.py"}]
        program = {"path": "file://python:bin/python", "args": f"/dev/script {args}"}
        return {"name": name, "exec": program, "devices": [*shared, *devices], **keys}

    groups = [
        *(
            group(side, "scatter", f"{key} {side}", {"name": "stdin", "path": path}, connect=["join"], attach="stdin")
            for side, path in (("left", left), ("right", right))
        ),
        group("join", "join", key, {"name": "stdout", "path": f"swift://~/{target}-*.csv"}, count=int(parts)),
    ]
    with connect() as cloud:
        for name, text in (("scatter", SCATTER), ("join", JOIN)):
            cloud.request("PUT", f"/{container}/.{name}.py", data=text.encode())
        answer = cloud.run(groups, timeout=300)
        print(f"{len(answer.nodes)} nodes joined them")


if __name__ == "__main__":
    main(*sys.argv[1:])
