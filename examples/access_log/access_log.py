"""Charts access logs: ``access_log.py 'swift://~/logs/*' charts/hits.png``."""

from __future__ import annotations

import sys

from zerocloud.client import connect

COUNT = r"""
import re, sys
import pandas

LINE = re.compile(rb'\S+ \S+ \S+ \[(\d+/\w+/\d+:\d+)[^\]]*\] "[^"]*" (\d{3}) (\d+|-)')
found = [match.groups() for match in map(LINE.match, sys.stdin.buffer) if match]
rows = [(hour.decode(), int(status), 0 if size == b"-" else int(size)) for hour, status, size in found]
table = pandas.DataFrame(rows, columns=["hour", "status", "bytes"])
counts = table.groupby(["hour", "status"]).bytes.agg(hits="count", bytes="sum").reset_index()
counts.to_csv("/dev/out/chart", index=False)
"""
CHART = r"""
import io, sys
import pandas, zvm
import matplotlib
matplotlib.use("Agg")

parts = [pandas.read_csv(zvm.input(peer)) for peer in zvm.inputs()]
table = pandas.concat(parts).groupby(["hour", "status"], as_index=False).sum()
table["when"] = pandas.to_datetime(table.hour, format="%d/%b/%Y:%H")
table = table.sort_values(["when", "status"])
print(table[["hour", "status", "hits", "bytes"]].to_string(index=False))
hits = table.pivot(index="when", columns="status", values="hits").fillna(0)
axes = hits.plot.bar(stacked=True, figsize=(10, 5), title="Hits for each hour")
axes.set_xticklabels([when.strftime("%d %b %H:00") for when in hits.index], rotation=45, ha="right")
picture = io.BytesIO()
axes.figure.savefig(picture, format="png", bbox_inches="tight")
with zvm.output() as output:
    output.write(picture.getvalue())
"""


def main(logs: str, chart: str) -> None:
    """Print the table, and store the chart."""
    container, _, name = chart.partition("/")

    def group(kind: str, *devices: dict[str, str], **keys: object) -> dict[str, object]:
        shared = [{"name": "python"}, {"name": "script", "path": f"swift://~/{container}/.{kind}.py"}]
        program = {"path": "file://python:bin/python", "args": "/dev/script"}
        return {"name": kind, "exec": program, "devices": [*shared, *devices], **keys}

    output = {"name": "output", "path": f"swift://~/{container}/{name}", "content_type": "image/png"}
    groups = [
        group("count", {"name": "stdin", "path": logs}, connect=["chart"], attach="stdin"),
        group("chart", output, {"name": "stdout", "content_type": "text/plain"}),
    ]
    with connect() as cloud:
        for kind, script in (("count", COUNT), ("chart", CHART)):
            cloud.request("PUT", f"/{container}/.{kind}.py", data=script.encode())
        print(cloud.run(groups, timeout=300).text, end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
