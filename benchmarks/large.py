"""The memory of every server while a large object passes a job, from Swift and back into it.

    python benchmarks/large.py [--gigabytes 2] [--directory DIR]

On a Zebra of four nodes with an erasure-coded policy: an object of that policy, none of whose servers has its bytes as they
are, is read through the proxy, goes through a node that copies it, and its output is stored in three replicas. The yardstick
is python-swiftclient that downloads the same object and uploads what comes. Needs four times the object's size on the disk.
Printed are both times, and by how much the peak of each process's resident memory (VmHWM) has risen since the same was done
with one megabyte.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jobs import Cluster, once, program, tell

from zerocloud.zebra import Zebra

GIGABYTE = 1 << 30
LIMITS = ("zerovm_maxinput", "zerovm_maxoutput")
CLIENT = """
import io, sys, swiftclient
url, token, source, target = sys.argv[1:]
class Pieces(io.RawIOBase):
    def __init__(self, pieces):
        self.pieces, self.left = pieces, b""
    def read(self, size):
        self.left = self.left or next(self.pieces, b"")
        piece, self.left = self.left[:size], self.left[size:]
        return piece
pieces = swiftclient.get_object(url, token, source, "object", resp_chunk_size=1 << 20)[1]
swiftclient.put_object(url, token, target, "object", Pieces(iter(pieces)), chunk_size=1 << 20)
"""


def pieces(size: int) -> Iterator[bytes]:
    """So many random bytes."""
    piece = os.urandom(1 << 20)
    for _ in range(size >> 20):
        yield piece


def peaks(cluster: Cluster) -> dict[str, int]:
    """The most memory that each process of the cluster has had resident, in bytes."""
    found = {}
    for member in cluster.zebra.state().members:
        lines = Path(f"/proc/{member.process.pid}/status").read_text().splitlines()
        found[member.name] = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    return found


def job(cluster: Cluster, url: str, target: str) -> None:
    """Copy the object."""
    devices = [{"name": "stdin", "path": "swift://~/coded/object"}, {"name": "stdout", "path": f"swift://~/{target}/object"}]
    cluster.run({"name": "copy", "exec": {"path": url}, "devices": devices})


def download(cluster: Cluster, target: str) -> None:
    """The same by a client."""
    command = [sys.executable, "-c", CLIENT, cluster.url, cluster.token, "coded", target]
    subprocess.run(command, check=True, env={**os.environ, "no_proxy": "*"})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=int, default=2)
    parser.add_argument("--directory", help="where the cluster lies while it runs")
    options = parser.parse_args()
    size = options.gigabytes * GIGABYTE
    overrides = {f"{server}/object_query/{limit}": str(2 * size) for server in ("object", "container") for limit in LIMITS}
    overrides |= {f"proxy/proxy_query/{limit}": str(2 * size) for limit in LIMITS}
    with (
        tempfile.TemporaryDirectory(dir=options.directory) as place,
        Zebra(Path(place) / "zebra", nodes=4, ec=True, overrides=overrides) as zebra,
    ):
        cluster = Cluster(zebra)
        url = program(cluster, "copy", Path(place))
        cluster.session.put(f"{cluster.url}/coded", headers={"X-Storage-Policy": "ec21"}).raise_for_status()
        for target in ("ours", "theirs"):
            cluster.put(target)
        cluster.put("coded/object", pieces(1 << 20))
        job(cluster, url, "ours")
        download(cluster, "theirs")
        cluster.put("coded/object", pieces(size))
        before = peaks(cluster)
        ours = once(lambda: job(cluster, url, "ours"))
        grown = {name: (peak - before[name]) / 2**20 for name, peak in peaks(cluster).items()}
        tell(f"{options.gigabytes} GiB through a job", ours, once(lambda: download(cluster, "theirs")), "swiftclient", "none")
        heads = [cluster.session.head(f"{cluster.url}/{target}/object").headers for target in ("ours", "theirs")]
        assert heads[0]["Etag"] == heads[1]["Etag"]
        print("memory, MiB: " + ", ".join(f"{name} {rise:+.0f}" for name, rise in sorted(grown.items())))


if __name__ == "__main__":
    main()
